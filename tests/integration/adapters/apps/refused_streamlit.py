"""Streamlit's thumbs under answers whose tokens are refused, each clicked twice."""

from streamlit.testing.v1 import AppTest

APP = """
import os
from otel_feedback.adapters.streamlit import feedback

for token in os.environ["TOKENS"].split():
    feedback(token)
"""

app = AppTest.from_string(APP, default_timeout=30).run()
for index in range(len(app.feedback)):
    for chosen in (1, None):
        app.feedback[index].set_value(chosen).run()
        assert not app.exception, app.exception
