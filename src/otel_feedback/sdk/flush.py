"""``flush()``: for processes that may be frozen or killed before their exporters send by themselves."""

from __future__ import annotations

import time
from typing import Any

from opentelemetry import trace
from opentelemetry._logs import get_logger_provider

from otel_feedback.sdk.quiet import report_failure


def flush(timeout_seconds: float = 5.0) -> bool:
    """Send now what waits in the exporters: spans first, then log records. Returns within about ``timeout_seconds``.

    A process that ends by itself needs none: OpenTelemetry's SDK flushes at exit. Call it at the end of an invocation
    of a serverless function, which is frozen then, and before ``os._exit``.

    Returns:
        Whether all was sent; True without providers, which hold nothing. Never raises for what an exporter does.
    """
    deadline = time.monotonic() + timeout_seconds
    is_sent = True
    for provider in (trace.get_tracer_provider(), get_logger_provider()):
        is_sent = _flush(provider, max(0.0, deadline - time.monotonic())) and is_sent
    return is_sent


def _flush(provider: Any, timeout_seconds: float) -> bool:
    force_flush = getattr(provider, "force_flush", None)
    if force_flush is None:
        return True
    try:
        return force_flush(int(timeout_seconds * 1000)) is not False
    except Exception as error:  # noqa: BLE001  # telemetry never breaks the app
        report_failure("flushing the exporters", error)
        return False
