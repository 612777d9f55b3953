"""Plain apps whose module, which the server imports, has the one line."""

import otel_feedback

otel_feedback.instrument()

from plain_asgi import app as asgi_app  # noqa: E402, F401  # as people write it: the line comes first
from plain_wsgi import app as wsgi_app  # noqa: E402, F401
