"""Methods of other packages' classes, replaced by ``instrument()`` and given back by ``uninstrument()``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Final

from otel_feedback.fork_safe_lock import ForkSafeLock
from otel_feedback.sdk.when_imported import forget, when_imported

Method = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Patch:
    """``around`` gets the method of the class and returns what stands in its place."""

    module: str
    class_name: str
    method: str
    around: Callable[[Method], Method]


class Patches:
    """Patches in force, each put in place once its module is imported. Thread-safe."""

    def __init__(self) -> None:
        self._lock: Final = ForkSafeLock()
        self._asked: set[Patch] = set()
        self._in_place: dict[Patch, tuple[type[Any], Method]] = {}

    def put(self, patch: Patch) -> None:
        """Patch now, or when the app imports the module; doing it again changes nothing."""
        if patch not in self._asked:
            self._asked.add(patch)
            when_imported(patch.module, lambda module: self._patch(patch, module))

    def take_back(self, patch: Patch) -> None:
        """Give the method back as it was."""
        forget(patch.module)
        self._asked.discard(patch)
        with self._lock:
            patched = self._in_place.pop(patch, None)
            if patched is not None:
                setattr(patched[0], patch.method, patched[1])

    def class_of(self, patch: Patch) -> type[Any] | None:
        """The class that is patched, or None as long as none is."""
        patched = self._in_place.get(patch)
        return patched[0] if patched else None

    def _patch(self, patch: Patch, module: ModuleType) -> None:
        named: type[Any] = getattr(module, patch.class_name)
        # OpenTelemetry's instrumentations put a subclass in the place of some.
        patched = next(each for each in named.__mro__ if patch.method in vars(each))
        with self._lock:
            if patch not in self._in_place:
                original = vars(patched)[patch.method]
                self._in_place[patch] = (patched, original)
                setattr(patched, patch.method, patch.around(original))
