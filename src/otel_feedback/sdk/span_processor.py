"""Puts the session and the user on every span started inside ``session()``, and remembers the latest LLM call.

It has the methods of ``opentelemetry.sdk.trace.SpanProcessor`` without inheriting from it, so that the SDK stays
optional. Every span of the app passes here twice, so what is done for one is counted in fractions of a microsecond.
"""

from __future__ import annotations

import weakref
from collections.abc import Mapping
from typing import Any, Final

from opentelemetry import trace
from opentelemetry.context import Context

from otel_feedback import semconv
from otel_feedback.fork_safe_lock import ForkSafeLock
from otel_feedback.sdk.frame import LlmCall, current_frame
from otel_feedback.sdk.held_attributes import add_missing, held_attributes
from otel_feedback.sdk.llm_call import is_llm_call
from otel_feedback.sdk.open_calls import note_call, taken_call
from otel_feedback.sdk.quiet import report_failure


class SessionSpanProcessor:
    """A span processor; ``fit_span_processor`` adds one to the tracer provider in use."""

    def on_start(self, span: Any, parent_context: Context | None = None) -> None:
        """Add the session's attributes; those that the span already has are more exact and stay."""
        frame = current_frame(parent_context)
        if frame is None:
            return
        try:
            if frame.is_request:
                frame.note_entry_span(span.get_span_context())
            held = held_attributes(span)
            if is_llm_call(held):
                call = LlmCall(span.get_span_context(), span, frame.session_id, frame.user)
                note_call(span, call)
                frame.note_call(call)
            if frame.attributes:
                add_missing(span, held, frame.attributes, plain=frame.is_plain)
        except Exception as error:  # noqa: BLE001  # a span must start whatever is wrong here
            report_failure("adding the session to a span", error)

    def _on_ending(self, span: Any) -> None:
        """Asked for by the SDK; there is nothing to do before a span has ended."""

    def on_end(self, span: Any) -> None:
        """Complete what is known of an LLM call: that it has ended, and the id of its response."""
        try:
            attributes = held_attributes(span)
            if is_llm_call(attributes):
                _note_end(span, attributes)
        except Exception as error:  # noqa: BLE001  # as in on_start
            report_failure("remembering an LLM call", error)

    def shutdown(self) -> None:
        """Nothing is held that would have to be closed."""

    def force_flush(self, timeout_millis: int = 30_000) -> bool:  # noqa: ARG002  # the SDK's signature
        """Nothing is held back."""
        return True


def _note_end(span: Any, attributes: Mapping[str, Any]) -> None:
    call = taken_call(span)
    if call is None:  # the span told only at its end that it is an LLM call
        frame = current_frame()
        if frame is None:
            return
        call = LlmCall(span.context, None, frame.session_id, frame.user)
        frame.note_call(call)
    call.span = None
    call.response_id = str(attributes.get(semconv.RESPONSE_ID) or "")


_fit_lock: Final = ForkSafeLock()
_fitted: weakref.WeakSet[Any] = weakref.WeakSet()


def fit_span_processor() -> None:
    """Add the span processor to the tracer provider in use, once for each provider.

    Called again by every session and request, since an app may set its provider after ``instrument()``. Without a
    provider of OpenTelemetry's SDK there is nothing to add to.
    """
    provider = trace.get_tracer_provider()
    if provider in _fitted:
        return
    add = getattr(provider, "add_span_processor", None)
    if add is None:
        return
    with _fit_lock:
        if provider in _fitted:
            return
        try:
            add(SessionSpanProcessor())
            _fitted.add(provider)
        except Exception as error:  # noqa: BLE001  # without it sessions are missing on spans, but the app runs
            report_failure("adding the span processor", error)
