"""``flush()``: for processes that may be frozen or killed before their exporters send by themselves."""

from __future__ import annotations

import threading
from typing import Any

from opentelemetry import trace
from opentelemetry._logs import get_logger_provider

from otel_feedback.sdk.outbox import outbox
from otel_feedback.sdk.quiet import report_failure


def flush(timeout_seconds: float = 5.0) -> bool:
    """Send now the ratings that wait, and what waits in the exporters; return within ``timeout_seconds``.

    A process that ends by itself needs none: all is sent at exit. Call it at the end of an invocation of a serverless
    function, which is frozen then, and before ``os._exit``.

    Returns:
        Whether that is done; without providers nothing is held. An exporter that was refused and gave up is done, too:
        its own log tells. Never raises for what an exporter does.
    """
    providers = (trace.get_tracer_provider(), get_logger_provider())
    flushes = [each.force_flush for each in providers if hasattr(each, "force_flush")]
    results: list[bool] = []

    def flush_all() -> None:
        results.append(outbox.drain(timeout_seconds))
        results.extend(_flush(each, timeout_seconds) for each in flushes)

    # In a thread, because OpenTelemetry's batching processors wait longer than they are asked to.
    thread = threading.Thread(target=flush_all, name="otel-feedback-flush", daemon=True)
    thread.start()
    thread.join(timeout_seconds)
    return not thread.is_alive() and all(results)


def _flush(force_flush: Any, timeout_seconds: float) -> bool:
    try:
        return force_flush(int(timeout_seconds * 1000)) is not False
    except Exception as error:  # noqa: BLE001  # telemetry never breaks the app
        report_failure("flushing the exporters", error)
        return False
