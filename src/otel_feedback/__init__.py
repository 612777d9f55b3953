"""otel-feedback: user ratings of LLM answers as standard OpenTelemetry.

The public API is what this module exports. It needs opentelemetry-api and nothing else of OpenTelemetry; without
a tracer or logger provider every call is a cheap no-op. It never raises into the application for telemetry
reasons; a programming mistake (a wrong type, a value out of range) raises TypeError or ValueError.
"""

from otel_feedback.sdk.flush import flush
from otel_feedback.sdk.instrumentor import instrument
from otel_feedback.sdk.pseudonyms import pseudonym
from otel_feedback.sdk.recorder import feedback_token, record, retract
from otel_feedback.sdk.session import session

__all__ = ["feedback_token", "flush", "instrument", "pseudonym", "record", "retract", "session"]
__version__ = "0.1.0"
