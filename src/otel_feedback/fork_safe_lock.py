"""A lock that a forked child finds open: the thread that held it in the parent is not there to let go of it."""

from __future__ import annotations

import os
import threading
import weakref
from typing import Final


class ForkSafeLock:
    """``with`` it. What it guards may be found half changed in a child, so it guards only what bears that."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        _all.append(weakref.ref(self, _all.remove))

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()

    def renew(self) -> None:
        """Be open, whoever held it."""
        self._lock = threading.Lock()


# A list and not a WeakSet: to go through that one takes a guard, which may itself be held at a fork.
_all: Final[list[weakref.ref[ForkSafeLock]]] = []


def _renew_all() -> None:
    for reference in _all.copy():  # one that is dropped meanwhile takes itself out
        lock = reference()
        if lock is not None:
            lock.renew()


if hasattr(os, "register_at_fork"):  # Windows can't fork
    os.register_at_fork(after_in_child=_renew_all)
