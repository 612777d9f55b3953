"""What a dead process left in a queue's directory: close it, cut torn tails, set damage aside, doubt old tokens.

A start must not wait for gigabytes: only open segments are read then, of which there is one as a rule. Closed ones
are verified when they are claimed.
"""

from __future__ import annotations

import itertools
import logging
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from otel_feedback.service.durable_queue import boot
from otel_feedback.service.durable_queue.digest import digest_of
from otel_feedback.service.durable_queue.files import (
    CLOSED_SUFFIX,
    DOUBTED_SUFFIX,
    OPEN_SUFFIX,
    REASON_SUFFIX,
    REFUSED_DOUBTED_SUFFIX,
    REFUSED_SUFFIX,
    REPLAY_SUFFIX,
    UNFINISHED_SUFFIX,
    born_of,
    set_aside,
    sync_directory,
    sync_file,
    write_durably,
)
from otel_feedback.service.durable_queue.halves import halves_of
from otel_feedback.service.durable_queue.request_window import MOST_REQUESTS, WINDOW_SECONDS
from otel_feedback.service.durable_queue.segment import Damage, Record, scan, unchecked_bodies

logger = logging.getLogger(__name__)

_DOUBTED: Final = {CLOSED_SUFFIX: DOUBTED_SUFFIX, REFUSED_SUFFIX: REFUSED_DOUBTED_SUFFIX}
_LONGEST_GAP_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class Recovered:
    """What was found.

    Attributes:
        segments: closed and doubted segments, and refused ones that are to be split or set aside; oldest first.
        cut_bytes: bytes cut off torn tails.
        set_aside: damaged stretches that were kept elsewhere.
    """

    segments: tuple[Path, ...]
    cut_bytes: int = 0
    set_aside: int = 0


def recover(directory: Path, rejected_directory: Path) -> Recovered:
    """Close what is open; afterwards the directory holds closed, doubted and refused segments only.

    A tail that an open file ends in the middle of was never acknowledged (its fsync can't have returned), so it is
    cut. Any other damage was acknowledged: it goes to ``rejected_directory`` with its reason, and what is sound around
    it stays. Can be interrupted and run again.
    """
    cut_bytes = 0
    damaged = 0
    for unfinished in (*directory.glob(f"*{UNFINISHED_SUFFIX}"), *rejected_directory.glob(f"*{UNFINISHED_SUFFIX}")):
        unfinished.unlink()
    _recover_refused(directory)
    for path in sorted(directory.glob(f"*{OPEN_SUFFIX}")):
        cut, aside = _close(path, rejected_directory)
        cut_bytes += cut
        damaged += aside
    for replayed in directory.glob(f"*{REPLAY_SUFFIX}"):
        replayed.rename(replayed.with_suffix(CLOSED_SUFFIX))
    sync_directory(directory)
    if boot.is_another_boot(directory):
        for suffix, doubted in _DOUBTED.items():
            for path in directory.glob(f"*{suffix}"):
                path.rename(path.with_suffix(doubted))
        sync_directory(directory)
        boot.note_boot(directory)
    segments = [each for suffix in (*_DOUBTED, *_DOUBTED.values()) for each in directory.glob(f"*{suffix}")]
    return Recovered(tuple(sorted(segments)), cut_bytes, damaged)


def mend(path: Path, rejected_directory: Path) -> int:
    """Verify a closed segment: set what is damaged aside, keep what is sound; the number of damaged stretches.

    Where nothing is sound the file is gone afterwards. Can be interrupted and run again.
    """
    data = path.read_bytes()
    sound, damage = _sorted_out(data)
    if damage or not sound:
        _keep_damage(path, data, damage, rejected_directory)
        _replace(path, data, sound)
    return len(damage)


def recent_digests(segments: Iterable[Path]) -> tuple[bytes, ...]:
    """The digests of the newest requests in these segments, oldest first; their clients may not have seen an answer.

    As many as a RequestWindow holds, from segments that were opened in the ten minutes before the newest of them was.
    """
    newest = list(itertools.islice(_digests_newest_first(segments), MOST_REQUESTS))
    return tuple(reversed(newest))


def _recent(segments: Iterable[Path]) -> Iterator[Path]:
    """The newest first. A gap counts for a minute at the most: the clock may have been set forward in it."""
    age_seconds = 0.0
    later = 0
    for path in sorted(segments, reverse=True):
        born = born_of(path.name)
        age_seconds += min((later - born) / 1e9, _LONGEST_GAP_SECONDS) if later else 0.0
        if age_seconds > WINDOW_SECONDS:
            return
        yield path
        later = born


def _digests_newest_first(segments: Iterable[Path]) -> Iterator[bytes]:
    for path in _recent(segments):
        try:
            data = path.read_bytes()
        except OSError as error:
            logger.warning("%s can't be read, requests in it that come again are not recognised: %s", path, error)
            continue
        for body in reversed(list(unchecked_bodies(data))):
            yield digest_of(body)


def _recover_refused(directory: Path) -> None:
    """Halves beside the segment that they are of are removed, to be written anew; reasons without one are void."""
    for refused in (*directory.glob(f"*{REFUSED_SUFFIX}"), *directory.glob(f"*{REFUSED_DOUBTED_SUFFIX}")):
        for name, _ in halves_of(refused.stem, refused.read_bytes()):
            for suffix in (CLOSED_SUFFIX, DOUBTED_SUFFIX):
                (directory / f"{name}{suffix}").unlink(missing_ok=True)
    for reason in directory.glob(f"*{REASON_SUFFIX}"):
        if not any(reason.with_suffix(suffix).exists() for suffix in (REFUSED_SUFFIX, REFUSED_DOUBTED_SUFFIX)):
            reason.unlink()


def _close(path: Path, rejected_directory: Path) -> tuple[int, int]:
    """Close an open segment; the bytes that were cut, and the number of damaged stretches."""
    data = path.read_bytes()
    sound, damage = _sorted_out(data)
    cut_bytes = sum(each.end - each.start for each in damage if each.is_torn)
    damage = [each for each in damage if not each.is_torn]
    if cut_bytes:
        logger.info("%s: cut %d bytes of a record that was never acknowledged", path, cut_bytes)
    _keep_damage(path, data, damage, rejected_directory)
    if sound and not cut_bytes and not damage:
        sync_file(path)  # its process may have died before the last fsync, and clients are told that they come again
        path.rename(path.with_suffix(CLOSED_SUFFIX))
    else:
        _replace(path.with_suffix(CLOSED_SUFFIX), data, sound)
        path.unlink()
    return cut_bytes, len(damage)


def _sorted_out(data: bytes) -> tuple[list[Record], list[Damage]]:
    sound: list[Record] = []
    damage: list[Damage] = []
    for found in scan(data):
        if isinstance(found, Record):
            sound.append(found)
        else:
            damage.append(found)
    return sound, damage


def _keep_damage(path: Path, data: bytes, damage: Iterable[Damage], rejected_directory: Path) -> None:
    for each in damage:
        damaged = data[each.start : each.end]
        # The checksum tells it from other damage that may be found at the same place once this is cut out.
        name = f"{path.stem}.{each.start}.{zlib.crc32(damaged):08x}"
        kept = set_aside(damaged, rejected_directory, name, each.reason)
        logger.error("%s is damaged: %s. %d bytes are kept in %s", path, each.reason, each.end - each.start, kept)


def _replace(path: Path, data: bytes, sound: Iterable[Record]) -> None:
    content = b"".join(data[record.start : record.end] for record in sound)
    if content:
        write_durably(path, content)
    else:
        path.unlink(missing_ok=True)
