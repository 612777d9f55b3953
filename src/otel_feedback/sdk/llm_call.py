"""Which spans are LLM calls, in the dialects that instrumentations speak."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from otel_feedback import semconv

_OPERATION: Final = semconv.OPERATION_NAME
_OPERATIONS: Final = semconv.LLM_OPERATIONS
_OPENINFERENCE_KIND: Final = "openinference.span.kind"
_TRACELOOP_REQUEST: Final = "llm.request.type"
_TRACELOOP_REQUESTS: Final = frozenset({"chat", "completion"})


def is_llm_call(attributes: Mapping[str, Any] | None) -> bool:
    """Whether a span with these attributes is one call of a language model."""
    if not attributes:
        return False
    return (
        attributes.get(_OPERATION) in _OPERATIONS
        or attributes.get(_OPENINFERENCE_KIND) == "LLM"
        or attributes.get(_TRACELOOP_REQUEST) in _TRACELOOP_REQUESTS
    )
