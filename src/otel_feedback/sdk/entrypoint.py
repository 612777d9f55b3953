"""The entry point for ``opentelemetry-instrument``; only that command imports this module."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from opentelemetry.instrumentation.instrumentor import BaseInstrumentor  # type: ignore[attr-defined]  # its module opts out of typing

from otel_feedback.sdk.instrumentor import instrument, uninstrument


class OtelFeedbackInstrumentor(BaseInstrumentor):  # type: ignore[misc]  # as above
    """``otel_feedback.instrument()`` as an instrumentation of OpenTelemetry's, under the name ``otel_feedback``."""

    def instrumentation_dependencies(self) -> Collection[str]:
        """No library has to be there; web frameworks are patched once the app imports them."""
        return ()

    def _instrument(self, **_: Any) -> None:
        instrument()

    def _uninstrument(self, **_: Any) -> None:
        uninstrument()
