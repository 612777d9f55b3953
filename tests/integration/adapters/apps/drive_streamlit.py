"""Streamlit's own test driver clicks through an app; what is shown afterwards is printed."""

import sys

from streamlit.testing.v1 import AppTest

app = AppTest.from_file(sys.argv[1], default_timeout=30).run()
app.chat_input[0].set_value("first").run()
app.chat_input[0].set_value("second").run()
for chosen in (1, 0, None):
    app.feedback[0].set_value(chosen).run()
app.chat_input[0].set_value("third").run()
app.feedback[1].set_value(1).run()
assert not app.exception, app.exception
assert [feedback.value for feedback in app.feedback] == [None, 1, None]
