"""What is remembered of an LLM call while its span is open, kept by the span itself.

A processor gets another object when a span ends than when it began, but both have one and the same object for their
attributes; so the call is noted there. Nothing else holds it: a call that nobody can ask for any more is gone with its
span, also when that never ends.
"""

from __future__ import annotations

from typing import Any, Final

from otel_feedback.sdk.frame import LlmCall, current_frame

_NOTE: Final = "_otel_feedback_call"


def note_call(span: Any, call: LlmCall) -> None:
    """Let ``taken_call`` find the call when its span ends."""
    try:
        setattr(span._attributes, _NOTE, call)  # noqa: SLF001  # tests run it with the SDKs that we support
    except AttributeError:  # an SDK that holds attributes otherwise (docs/adr/0031)
        return


def taken_call(span: Any) -> LlmCall | None:
    """The call that was noted for a span that ends, once.

    Where the SDK has no place for notes it is found as the latest call here, unless another one began since.
    """
    try:
        held = span._attributes  # noqa: SLF001  # as above
        call: LlmCall | None = getattr(held, _NOTE, None)
        if call is not None:
            delattr(held, _NOTE)  # what is exported later need not hold it
    except AttributeError:
        frame = current_frame()
        call = frame.latest_call if frame is not None else None
        if call is not None and call.span_context.span_id != span.context.span_id:
            return None
    return call
