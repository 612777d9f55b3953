"""What a dead process left in a queue's directory: verify it, cut torn tails, set damage aside, close it."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from otel_feedback.service.durable_queue.files import (
    CLOSED_SUFFIX,
    OPEN_SUFFIX,
    REASON_SUFFIX,
    REFUSED_SUFFIX,
    REPLAY_SUFFIX,
    UNFINISHED_SUFFIX,
    set_aside,
    sync_directory,
    write_durably,
)
from otel_feedback.service.durable_queue.halves import halves_of
from otel_feedback.service.durable_queue.request_window import WINDOW_SECONDS, digest_of
from otel_feedback.service.durable_queue.segment import Damage, Record, scan

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Recovered:
    """What was found.

    Attributes:
        segments: closed segments, oldest first, and refused ones that are to be split or set aside.
        cut_bytes: bytes cut off torn tails.
        set_aside: damaged stretches that were kept elsewhere.
        digests: of the requests that arrived in the last minutes, whose clients may not have seen an answer.
    """

    segments: tuple[Path, ...]
    cut_bytes: int
    set_aside: int
    digests: tuple[bytes, ...]


def recover(directory: Path, rejected_directory: Path) -> Recovered:
    """Bring the directory into order; afterwards it holds sound, closed segments and refused ones only.

    A tail that the file ends in the middle of was never acknowledged (its fsync can't have returned), so it is cut.
    Any other damage was acknowledged: it goes to ``rejected_directory`` with its reason, and what is sound around it
    stays. Can be interrupted and run again.
    """
    cut_bytes = 0
    damaged = 0
    digests: list[bytes] = []
    for unfinished in directory.glob(f"*{UNFINISHED_SUFFIX}"):
        unfinished.unlink()
    for replayed in directory.glob(f"*{REPLAY_SUFFIX}"):
        replayed.rename(replayed.with_suffix(CLOSED_SUFFIX))
    for refused in directory.glob(f"*{REFUSED_SUFFIX}"):
        digests += _recover_refused(refused)
    for reason in directory.glob(f"*{REASON_SUFFIX}"):
        if not reason.with_suffix(REFUSED_SUFFIX).exists():
            reason.unlink()
    for path in sorted(directory.glob(f"*{OPEN_SUFFIX}")) + sorted(directory.glob(f"*{CLOSED_SUFFIX}")):
        cut, aside, recent = _recover_segment(path, rejected_directory)
        cut_bytes += cut
        damaged += aside
        digests += recent
    sync_directory(directory)
    segments = tuple(sorted([*directory.glob(f"*{CLOSED_SUFFIX}"), *directory.glob(f"*{REFUSED_SUFFIX}")]))
    return Recovered(segments, cut_bytes, damaged, tuple(digests))


def _recover_refused(path: Path) -> list[bytes]:
    """Halves beside the segment that they are of were never inserted: they are removed, to be written anew."""
    data = path.read_bytes()
    for name, _ in halves_of(path.stem, data):
        (path.parent / f"{name}{CLOSED_SUFFIX}").unlink(missing_ok=True)
    return _recent_digests(each for each in scan(data) if isinstance(each, Record))


def _recover_segment(path: Path, rejected_directory: Path) -> tuple[int, int, list[bytes]]:
    data = path.read_bytes()
    was_open = path.suffix == OPEN_SUFFIX
    sound: list[Record] = []
    cut_bytes = 0
    damaged = 0
    for found in scan(data):
        if isinstance(found, Record):
            sound.append(found)
        elif found.is_torn and was_open:
            cut_bytes += found.end - found.start
            logger.info("%s: cut %d bytes of a record that was never acknowledged", path, found.end - found.start)
        else:
            damaged += 1
            _set_damage_aside(path, data, found, rejected_directory)
    closed = path.with_suffix(CLOSED_SUFFIX)
    if not sound:
        path.unlink()
    elif cut_bytes or damaged:
        write_durably(closed, b"".join(data[record.start : record.end] for record in sound))
        if was_open:
            path.unlink()
    elif was_open:
        path.rename(closed)
    return cut_bytes, damaged, _recent_digests(sound)


def _recent_digests(records: Iterable[Record]) -> list[bytes]:
    window_began = time.time_ns() - int(WINDOW_SECONDS * 1e9)
    return [digest_of(each.body) for each in records if each.arrival_unix_nano >= window_began]


def _set_damage_aside(path: Path, data: bytes, damage: Damage, rejected_directory: Path) -> None:
    kept = set_aside(data[damage.start : damage.end], rejected_directory, f"{path.stem}.{damage.start}", damage.reason)
    logger.error("%s is damaged: %s. %d bytes are kept in %s", path, damage.reason, damage.end - damage.start, kept)
