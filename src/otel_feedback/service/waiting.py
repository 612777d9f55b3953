"""What a service has acknowledged and ClickHouse does not have yet, seen from outside: the files of its queues."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path
from typing import Final

from otel_feedback.service.durable_queue import files

_SUFFIXES: Final = frozenset(
    {
        files.CLOSED_SUFFIX,
        files.DOUBTED_SUFFIX,
        files.OPEN_SUFFIX,
        files.REFUSED_SUFFIX,
        files.REFUSED_DOUBTED_SUFFIX,
        files.REPLAY_SUFFIX,
    }
)
_POLL_SECONDS: Final = 0.1


def wait_until_written(data_dir: Path, patience_seconds: float) -> int:
    """Wait until what waits now is written; how many files of it still wait when patience ends.

    What comes later is not waited for. A segment that is split keeps its name in front of its parts' names.
    """
    deadline = time.monotonic() + patience_seconds
    now = {path.name.partition(".")[0] for path in _waiting(data_dir)}
    while True:
        left = [path for path in _waiting(data_dir) if path.name.partition(".")[0] in now]
        if not left or time.monotonic() > deadline:
            return len(left)
        time.sleep(_POLL_SECONDS)


def _waiting(data_dir: Path) -> list[Path]:
    found = []
    for path in (data_dir / "queue").glob("*/*"):
        with contextlib.suppress(FileNotFoundError):  # the service has just written it
            if path.suffix in _SUFFIXES and path.stat().st_size:
                found.append(path)
    return found
