"""The service makes no telemetry of OpenTelemetry's about itself: what it sent would come back to it, for ever.

A span for each request that it receives, or for each INSERT, would be exported, received by a service (this one,
be it by way of a Collector), and make the next. It tells of itself in ``/metrics`` and in its log instead.
"""

from __future__ import annotations

import sys
from importlib.metadata import entry_points
from typing import Final

_GROUP: Final = "opentelemetry_instrumentor"


def undo_instrumentation() -> dict[str, Exception | None]:
    """Undo what ``opentelemetry-instrument`` did to this process, our own SDK's part too.

    To be called before the instrumented libraries are imported: a module that has imported a name from one keeps it.
    Returns the name of each instrumentation that was found, with the error of one that could not be undone.
    """
    found: dict[str, Exception | None] = {}
    for entry_point in entry_points(group=_GROUP):
        if entry_point.module not in sys.modules:
            continue
        instrumentor = entry_point.load()()  # each class has one instance
        if instrumentor.is_instrumented_by_opentelemetry:
            found[entry_point.name] = None
            try:
                instrumentor.uninstrument()
            except Exception as error:  # noqa: BLE001  # somebody else's code, and no reason not to serve
                found[entry_point.name] = error
    return found
