"""Do something to a module as soon as the app has imported it, without importing it for that."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, Final

from otel_feedback.sdk.quiet import report_failure

Hook = Callable[[ModuleType], None]


def when_imported(name: str, hook: Hook) -> None:
    """Call ``hook`` with the module: now if it is there, else right after it is imported. Never raises."""
    module = sys.modules.get(name)
    if module is not None:
        _call(hook, module)
        return
    _finder.hooks.setdefault(name, []).append(hook)
    if _finder not in sys.meta_path:
        sys.meta_path.insert(0, _finder)


def forget(name: str) -> list[Hook]:
    """Take back all that waits for the module, and return it."""
    hooks = _finder.hooks.pop(name, [])
    if not _finder.hooks and _finder in sys.meta_path:
        sys.meta_path.remove(_finder)
    return hooks


class _Finder(MetaPathFinder):
    """Finds nothing itself: it has the loader that the others find tell when the module is loaded."""

    def __init__(self) -> None:
        self.hooks: dict[str, list[Hook]] = {}
        self._searching = threading.local()

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname not in self.hooks or getattr(self._searching, "name", None) == fullname:
            return None
        self._searching.name = fullname
        try:
            spec = _found_by_others(fullname, path, target)
        finally:
            self._searching.name = None
        if spec is not None and spec.loader is not None:
            self._tell_when_loaded(spec.loader, fullname)
        return spec

    def _tell_when_loaded(self, loader: Any, name: str) -> None:
        execute = loader.exec_module

        def exec_module(module: ModuleType) -> None:
            execute(module)
            del loader.exec_module  # the loader is as it was
            for hook in forget(name):
                _call(hook, module)

        try:
            loader.exec_module = exec_module
        except AttributeError as error:  # a loader of another kind, whose instances can't be changed
            report_failure(f"waiting for {name}", error)


def _found_by_others(name: str, path: Sequence[str] | None, target: ModuleType | None) -> ModuleSpec | None:
    for finder in sys.meta_path:
        if finder is not _finder:
            spec = finder.find_spec(name, path, target)
            if spec is not None:
                return spec
    return None


def _call(hook: Hook, module: ModuleType) -> None:
    try:
        hook(module)
    except Exception as error:  # noqa: BLE001  # telemetry never breaks the app
        report_failure(f"adding the feedback endpoint to {module.__name__}", error)


_finder: Final = _Finder()
