"""The data directory: whose it is, whether it can be written, and how much room is left."""

from __future__ import annotations

import os
import pwd
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from otel_feedback.doctor.finding import Finding, size_text
from otel_feedback.service.run import SIGNALS

LEAST_FREE_BYTES: Final = 256 << 20
"""With less the queue may refuse within a minute of the database's absence."""


def findings(data_dir: Path, max_queue_bytes: int) -> Iterator[Finding]:
    """What there is to say of the directory and its disk."""
    existing = data_dir.absolute()
    while not existing.exists():
        existing = existing.parent
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        yield Finding(
            "data directory",
            "failed",
            f"{existing} can't be written by {_user(os.geteuid())}; it belongs to {_owner(existing)}",
            "Set OTEL_FEEDBACK_DATA_DIR to a directory of your own, or run as its owner",
        )
        return
    if existing != data_dir.absolute():
        yield Finding("data directory", "ok", f"{data_dir} is not there yet; `otel-feedback serve` makes it")
    elif data_dir.stat().st_uid != os.geteuid():
        yield Finding(
            "data directory",
            "warning",
            f"{data_dir} belongs to {_owner(data_dir)}, you are {_user(os.geteuid())}",
            "Run the service and its commands as one user",
        )
    else:
        yield Finding("data directory", "ok", f"{data_dir} can be written")
    yield _room(existing, max_queue_bytes * len(SIGNALS))


def _room(directory: Path, limit_bytes: int) -> Finding:
    free_bytes = shutil.disk_usage(directory).free
    found = f"{size_text(free_bytes)} free; the queues may grow to {size_text(limit_bytes)} while the database is away"
    if free_bytes < LEAST_FREE_BYTES:
        return Finding("disk", "failed", found, "Make room: what can't be written down is refused")
    if free_bytes < limit_bytes:
        return Finding("disk", "warning", found, "Make room, or requests are refused before the queues are full")
    return Finding("disk", "ok", found)


def _owner(path: Path) -> str:
    return _user(path.stat().st_uid)


def _user(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"user {number}"
