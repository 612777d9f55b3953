"""What the span processor remembers of LLM calls that never end."""

from __future__ import annotations

import gc
import weakref

from opentelemetry.sdk.trace import TracerProvider

import otel_feedback
from otel_feedback.sdk.frame import current_frame
from otel_feedback.sdk.span_processor import SessionSpanProcessor


def test_calls_that_never_end_are_forgotten():
    processor = SessionSpanProcessor()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(processor)
    tracer = provider.get_tracer("test")
    with otel_feedback.session("c-1"):
        spans = [tracer.start_span("chat", attributes={"gen_ai.operation.name": "chat"}) for _ in range(20)]
        known = [weakref.ref(span) for span in spans]
        ends = spans[-1]
        del spans
        gc.collect()
        assert [each() is not None for each in known] == [False] * 19 + [True]
        ends.set_attribute("gen_ai.response.id", "r-20")
        ends.end()
        call = current_frame().latest_call  # type: ignore[union-attr]
        assert call is not None
        assert (call.response_id, call.has_ended) == ("r-20", True)
