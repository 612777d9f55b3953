"""Puts the session and the user on every span started inside ``session()``, and remembers the latest LLM call.

It has the methods of ``opentelemetry.sdk.trace.SpanProcessor`` without inheriting from it, so that the SDK stays
optional. Every span of the app passes here twice, so what is done for one is counted in fractions of a microsecond.
"""

from __future__ import annotations

import contextlib
import weakref
from collections.abc import Mapping
from typing import Any, Final

from opentelemetry import trace
from opentelemetry.context import Context

from otel_feedback import semconv
from otel_feedback.fork_safe_lock import ForkSafeLock
from otel_feedback.sdk.frame import Frame, LlmCall, current_frame
from otel_feedback.sdk.held_attributes import add_missing, held_attributes
from otel_feedback.sdk.llm_call import is_llm_call
from otel_feedback.sdk.quiet import report_failure

_MOST_OPEN_CALLS: Final = 10_000


class SessionSpanProcessor:
    """A span processor; ``fit_span_processor`` adds one to the tracer provider in use."""

    def __init__(self) -> None:
        # Held weakly: a call that nobody can ask for any more is gone with its span, also when that never ends.
        self._open_calls: dict[int, weakref.ref[LlmCall]] = {}

    def on_start(self, span: Any, parent_context: Context | None = None) -> None:
        """Add the session's attributes; those that the span already has are more exact and stay."""
        frame = current_frame(parent_context)
        if frame is None:
            return
        try:
            if frame.is_request:
                frame.note_entry_span(span.get_span_context())
            if is_llm_call(held_attributes(span)):
                self._on_llm_start(span, frame)
            if frame.attributes:
                add_missing(span, frame.attributes, plain=frame.is_plain)
        except Exception as error:  # noqa: BLE001  # a span must start whatever is wrong here
            report_failure("adding the session to a span", error)

    def _on_llm_start(self, span: Any, frame: Frame) -> None:
        context = span.get_span_context()
        call = LlmCall(context, span, frame.session_id, frame.user)
        self._open_calls[context.span_id] = weakref.ref(call)
        if len(self._open_calls) > _MOST_OPEN_CALLS:
            self._forget_oldest_call()
        frame.note_call(call)

    def _on_ending(self, span: Any) -> None:
        """Asked for by the SDK; there is nothing to do before a span has ended."""

    def on_end(self, span: Any) -> None:
        """Complete what is known of an LLM call: that it has ended, and the id of its response."""
        try:
            attributes = held_attributes(span)
            if is_llm_call(attributes):
                self._on_llm_end(span, attributes)
        except Exception as error:  # noqa: BLE001  # as in on_start
            report_failure("remembering an LLM call", error)

    def _on_llm_end(self, span: Any, attributes: Mapping[str, Any]) -> None:
        opened = self._open_calls.pop(span.context.span_id, None)
        call = None if opened is None else opened()
        if call is None:  # the span told only at its end that it is an LLM call, or nobody can ask for it any more
            frame = current_frame()
            if frame is None:
                return
            call = LlmCall(span.context, None, frame.session_id, frame.user)
            frame.note_call(call)
        call.span = None
        call.response_id = str(attributes.get(semconv.RESPONSE_ID) or "")

    def _forget_oldest_call(self) -> None:
        """Where spans never end, their places would stay."""
        with contextlib.suppress(KeyError, RuntimeError, StopIteration):  # other threads do the same
            del self._open_calls[next(iter(self._open_calls))]

    def shutdown(self) -> None:
        """Nothing is held that would have to be closed."""

    def force_flush(self, timeout_millis: int = 30_000) -> bool:  # noqa: ARG002  # the SDK's signature
        """Nothing is held back."""
        return True


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
