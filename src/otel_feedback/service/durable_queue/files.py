"""The files of one queue: how segments are named, published and set aside, each step crash-safe.

A segment is written as ``<name>.open`` and renamed to ``<name>.segment`` once it is closed; only closed segments are
ever inserted. One of which ClickHouse may have rows and yet have forgotten the token is called ``<name>.doubted``.
The name starts with the time and ends in random bits, so names sort by age and never come again: the name is the
segment's deduplication token.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import time
from collections import deque
from pathlib import Path
from typing import Final

OPEN_SUFFIX: Final = ".open"
CLOSED_SUFFIX: Final = ".segment"
REFUSED_SUFFIX: Final = ".refused"
"""ClickHouse refused it for good. It is not inserted under its name again: it is split, or set aside."""
REFUSED_DOUBTED_SUFFIX: Final = ".refused_doubted"
"""Likewise, in a former boot: its halves may be stored, and are doubted."""
REPLAY_SUFFIX: Final = ".replay"
"""Put back by a person from among the rejected, under a new name; the service takes it as a closed segment."""
DOUBTED_SUFFIX: Final = ".doubted"
"""Closed, and to be asked for before it is inserted."""
REASON_SUFFIX: Final = ".reason"
UNFINISHED_SUFFIX: Final = ".unfinished"
"""What a dead process left under such a name is worth nothing and is removed at the next start."""

_MOST_PARTS: Final = os.sysconf("SC_IOV_MAX")


def new_segment_name(after: str = "") -> str:
    """A name that sorts by time, and behind the name ``after`` even if the clock was set back; never comes again."""
    born_unix_nano = max(time.time_ns(), born_of(after) + 1)
    return f"{born_unix_nano:019d}-{os.urandom(4).hex()}"


def born_of(name: str) -> int:
    """When the segment of this name was opened, in Unix nanoseconds; 0 for a name that is not of ours."""
    digits = name.partition("-")[0]
    return int(digits) if digits.isdecimal() else 0


def age_seconds(segment: Path) -> float:
    """How long ago the segment was begun, which is when its first record came; by the clock, over restarts."""
    return max(0.0, (time.time_ns() - born_of(segment.name)) / 1e9)


def sync_directory(directory: Path) -> None:
    """Make creations, renames and removals in a directory survive a power loss."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_file(path: Path) -> None:
    """Make what is in a file survive a power loss, whoever wrote it."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_all(descriptor: int, *parts: bytes) -> None:
    """Write every byte of every part; ``os.writev`` may stop early, e.g. on a disk that is filling up."""
    left = deque(memoryview(part) for part in parts if part)
    while left:
        written = os.writev(descriptor, list(itertools.islice(left, _MOST_PARTS)))
        while left and written >= len(left[0]):
            written -= len(left.popleft())
        if written:
            left[0] = left[0][written:]


def write_durably(path: Path, data: bytes) -> None:
    """Write a whole file; after a crash it is there as a whole or not at all."""
    unfinished = path.with_name(path.name + UNFINISHED_SUFFIX)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        write_all(descriptor, data)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    unfinished.rename(path)
    sync_directory(path.parent)


def make_directory(directory: Path) -> None:
    """Make a directory and what is missing above it, so that a power loss takes none of them away."""
    if not directory.is_dir():
        make_directory(directory.parent)
        directory.mkdir(exist_ok=True)
        sync_directory(directory.parent)


def mark_refused(segment: Path, reason: str) -> Path:
    """Mark a segment as refused for good, with the reason; its new path. Durable once the directory is synced."""
    refused = segment.with_suffix(REFUSED_SUFFIX)
    with contextlib.suppress(OSError):  # the reason is also logged; the data matter more than the note
        write_durably(segment.with_suffix(REASON_SUFFIX), f"{reason}\n".encode())
    segment.rename(refused)
    return refused


def set_aside(data: bytes, rejected_directory: Path, name: str, reason: str) -> Path:
    """Keep refused bytes under ``rejected_directory`` beside a ``.reason`` file that says why, durably."""
    make_directory(rejected_directory)
    kept = rejected_directory / name
    write_durably(rejected_directory / f"{name}{REASON_SUFFIX}", f"{reason}\n".encode())
    write_durably(kept, data)
    return kept


def move_aside(segment: Path, rejected_directory: Path, reason: str) -> Path:
    """As ``set_aside``, for a whole segment; it is moved, not copied, so a full disk can't prevent it for long."""
    make_directory(rejected_directory)
    kept = rejected_directory / f"{segment.stem}{CLOSED_SUFFIX}"
    with contextlib.suppress(OSError):  # the reason is also logged; the data matter more than the note
        write_durably(kept.with_name(f"{kept.name}{REASON_SUFFIX}"), f"{reason}\n".encode())
    if segment.exists():
        segment.rename(kept)
    with contextlib.suppress(OSError):  # a power loss may bring it back into the queue, and it is refused again
        sync_directory(rejected_directory)
        sync_directory(segment.parent)
    return kept
