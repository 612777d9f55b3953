"""The durable queues as they lie on disk: what waits for the database, for how long, and whether it is sound."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from otel_feedback.doctor.finding import Finding, age_text, size_text
from otel_feedback.service.durable_queue.files import (
    CLOSED_SUFFIX,
    DOUBTED_SUFFIX,
    OPEN_SUFFIX,
    REFUSED_DOUBTED_SUFFIX,
    REFUSED_SUFFIX,
    REPLAY_SUFFIX,
)
from otel_feedback.service.durable_queue.segment import Damage, scan
from otel_feedback.service.run import SIGNALS

OLD_SECONDS: Final = 60.0
"""A segment is normally written within some seconds."""
MOST_VERIFIED_BYTES: Final = 1 << 30
_SUFFIXES: Final = frozenset(
    {CLOSED_SUFFIX, DOUBTED_SUFFIX, OPEN_SUFFIX, REFUSED_SUFFIX, REFUSED_DOUBTED_SUFFIX, REPLAY_SUFFIX}
)


def findings(data_dir: Path, *, is_running: bool) -> Iterator[Finding]:
    """One finding a queue, and one of its damage if there is any."""
    for signal in SIGNALS:
        waiting = {}
        for path in (data_dir / "queue" / signal).glob("*"):
            with contextlib.suppress(FileNotFoundError):  # the service has just written it
                if path.suffix in _SUFFIXES:
                    waiting[path] = path.stat()
        yield _waiting(signal, [(each.st_size, each.st_ctime) for each in waiting.values()], is_running=is_running)
        damaged = _damaged(path for path in sorted(waiting) if path.suffix != OPEN_SUFFIX)
        if damaged:
            yield Finding(
                f"queue of {signal}",
                "failed",
                f"{len(damaged)} damaged file(s), first {damaged[0][0]}: {damaged[0][1]}",
                "Look at the disk. The service keeps the damaged records in rejected/ and writes the others, "
                "of what was closed by now after its next start",
            )


def _waiting(signal: str, waiting: list[tuple[int, float]], *, is_running: bool) -> Finding:
    if not waiting:
        return Finding(f"queue of {signal}", "ok", "nothing waits for the database")
    age_seconds = time.time() - min(born for _, born in waiting)
    found = (
        f"{len(waiting)} file(s), {size_text(sum(size for size, _ in waiting))}, the oldest for {age_text(age_seconds)}"
    )
    if not is_running:
        return Finding(
            f"queue of {signal}",
            "warning",
            f"{found}, and no service runs",
            "Start it, and they are written: otel-feedback serve",
        )
    if age_seconds > OLD_SECONDS:
        return Finding(
            f"queue of {signal}", "warning", found, "They wait for the database: see below, and the service's log"
        )
    return Finding(f"queue of {signal}", "ok", found)


def _damaged(paths: Iterator[Path]) -> list[tuple[Path, str]]:
    """The files with a damaged record, with what is wrong, among the first gibibyte."""
    damaged = []
    verified_bytes = 0
    for path in paths:
        if verified_bytes > MOST_VERIFIED_BYTES:
            break
        with contextlib.suppress(FileNotFoundError):
            data = path.read_bytes()
            verified_bytes += len(data)
            flaw = next((each.reason for each in scan(data) if isinstance(each, Damage)), None)
            if flaw:
                damaged.append((path, flaw))
    return damaged
