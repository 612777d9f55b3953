"""What waits in the outbox is sent before OpenTelemetry's providers flush or shut down, whoever tells them to.

Their processors go in the order in which they were added, and ours comes last: by then the exporters are closed. So
``force_flush`` and ``shutdown`` of the SDK's two providers drain the outbox first.
"""

from __future__ import annotations

import functools
from typing import Any, Final

from opentelemetry import trace
from opentelemetry._logs import get_logger_provider

from otel_feedback.sdk.outbox import EXIT_TIMEOUT_SECONDS, outbox
from otel_feedback.sdk.patches import Method, Patch, Patches

_patches: Final = Patches()
_prepared: tuple[Any, Any] = (None, None)


def prepare_providers() -> None:
    """See to it that the providers in use get every rating before they end. Cheap when they are those of before.

    At exit their own handlers, registered when they were made, are called after the outbox's, since ``atexit`` calls
    the last one first.
    """
    global _prepared  # noqa: PLW0603  # of the process, like the providers
    tracers, loggers = trace.get_tracer_provider(), get_logger_provider()
    if tracers is _prepared[0] and loggers is _prepared[1]:
        return
    outbox.drain_at_exit()
    for patch in PATCHES:
        _patches.put(patch)
    _prepared = (tracers, loggers)


def _after_the_outbox(method: Method) -> Method:
    @functools.wraps(method)
    def drain_and_call(provider: Any, *args: Any, **options: Any) -> Any:
        timeout_millis = options.get("timeout_millis", args[0] if args else None)
        seconds = EXIT_TIMEOUT_SECONDS if timeout_millis is None else timeout_millis / 1000
        is_drained = outbox.drain(min(seconds, EXIT_TIMEOUT_SECONDS))
        result = method(provider, *args, **options)
        return result and is_drained  # shutdown returns nothing, drained or not

    return drain_and_call


PATCHES: Final = tuple(
    Patch(module, class_name, method, _after_the_outbox)
    for module, class_name in (
        ("opentelemetry.sdk.trace", "TracerProvider"),
        ("opentelemetry.sdk._logs", "LoggerProvider"),
    )
    for method in ("force_flush", "shutdown")
)
