"""For your own tests: what your app recorded, and its spans with their sessions, without a service.

The pytest fixture ``recorded_feedback`` is there as soon as otel-feedback is installed; elsewhere use
``record_feedback`` as a context manager. Ratings need opentelemetry-api alone, spans OpenTelemetry's SDK.
"""

from otel_feedback.testing.recorder import RecordedFeedback, RecordedRating, RecordedSpan, record_feedback

__all__ = ["RecordedFeedback", "RecordedRating", "RecordedSpan", "record_feedback"]
