import sys
from importlib.metadata import EntryPoint
from types import ModuleType

import pytest

from otel_feedback.service import untraced


class Instrumentor:
    def __init__(self, is_on: bool, error: Exception | None = None) -> None:
        self.is_instrumented_by_opentelemetry = is_on
        self.error = error

    def __call__(self) -> "Instrumentor":
        return self

    def uninstrument(self) -> None:
        if self.error is not None:
            raise self.error
        self.is_instrumented_by_opentelemetry = False


def test_what_is_on_is_undone_and_what_was_never_loaded_stays_unloaded(monkeypatch: pytest.MonkeyPatch):
    error = RuntimeError("somebody else's")
    loaded = ModuleType("loaded_instrumentation")
    loaded.on, loaded.off, loaded.broken = Instrumentor(True), Instrumentor(False), Instrumentor(True, error)
    monkeypatch.setitem(sys.modules, loaded.__name__, loaded)
    named = [f"{loaded.__name__}:on", f"{loaded.__name__}:off", f"{loaded.__name__}:broken", "not_loaded_at_all:on"]
    points = [EntryPoint(value.rpartition(":")[2], value, "opentelemetry_instrumentor") for value in named]
    monkeypatch.setattr(untraced, "entry_points", lambda **_: points)
    assert untraced.undo_instrumentation() == {"on": None, "broken": error}
    assert not loaded.on.is_instrumented_by_opentelemetry
