"""``python -m tests.support.dying_service STEP NUMBER``: a service that is killed when it comes to a step that often.

What runs is ``otel-feedback serve``, with SIGKILL put into the calls of the system and of the database.
"""

from __future__ import annotations

import itertools
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from otel_feedback.cli import main
from otel_feedback.clickhouse.database import Database

INSERT_SECONDS = 0.02
"""After so long an INSERT is under way."""


def die(*_: Any) -> None:
    """SIGKILL: no chance to tidy up."""
    os.kill(os.getpid(), signal.SIGKILL)


def _die_around(
    holder: Any, name: str, number: int, *, before: bool, of: Callable[..., bool] = lambda *_: True
) -> None:
    call = getattr(holder, name)
    times = itertools.count(1)

    def dying(*arguments: Any, **options: Any) -> Any:
        is_counted = of(*arguments)
        if before and is_counted and next(times) == number:
            die()
        result = call(*arguments, **options)  # one that fails is none
        if not before and is_counted and next(times) == number:
            die()
        return result

    setattr(holder, name, dying)


def _die_during_insert(number: int) -> None:
    insert = Database.insert_segment
    times = itertools.count(1)

    def dying(self: Database, *arguments: Any) -> None:
        if next(times) == number:
            threading.Timer(INSERT_SECONDS, die).start()
        insert(self, *arguments)

    Database.insert_segment = dying  # type: ignore[method-assign,assignment]


def _is_closing(source: Any, _: Any) -> bool:
    return Path(source).suffix == ".open"


def _is_segment(path: Any) -> bool:
    return Path(path).suffix == ".segment"


STEPS: dict[str, Callable[[int], None]] = {
    "before fsync": lambda number: _die_around(os, "fdatasync", number, before=True),
    "after fsync": lambda number: _die_around(os, "fdatasync", number, before=False),
    "before close": lambda number: _die_around(os, "rename", number, before=True, of=_is_closing),
    "after close": lambda number: _die_around(os, "rename", number, before=False, of=_is_closing),
    "before INSERT": lambda number: _die_around(Database, "insert_segment", number, before=True),
    "during INSERT": _die_during_insert,
    "after INSERT": lambda number: _die_around(Database, "insert_segment", number, before=False),
    "after delete": lambda number: _die_around(os, "unlink", number, before=False, of=_is_segment),
}

if __name__ == "__main__":
    STEPS[sys.argv[1]](int(sys.argv[2]))
    raise SystemExit(main(["serve"]))
