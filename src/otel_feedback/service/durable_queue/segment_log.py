"""The segment that is being appended to: opened when needed, closed when due, given up when the disk fails."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from otel_feedback.service.durable_queue import files

logger = logging.getLogger(__name__)

GROUP_BYTES: Final = 1 << 20
SEGMENT_BYTES: Final = 32 << 20
SEGMENT_AGE_SECONDS: Final = 1.2
LULL_BYTES: Final = 8 << 20
LULL_SECONDS: Final = 0.05
LIMIT_BYTES: Final = 4 << 30
RETRY_SECONDS: Final = 1.0
RESERVE_BYTES: Final = 128 << 20
RESERVE_SHARE: Final = 0.1


@dataclass(frozen=True, slots=True)
class Limits:
    """When groups and segments close, and how much may wait.

    Attributes:
        group_bytes: how much one fsync makes durable at the most.
        segment_age_seconds: a click is visible in SQL this long, plus one INSERT, after its append.
        lull_bytes: a segment of this size is worth an INSERT of its own; it closes when nothing came for
            ``lull_seconds``, since then nothing is won by waiting for more.
        total_bytes: on disk and in memory together; beyond it appends are refused (OTEL_FEEDBACK_MAX_QUEUE_BYTES).
    """

    group_bytes: int = GROUP_BYTES
    segment_bytes: int = SEGMENT_BYTES
    segment_age_seconds: float = SEGMENT_AGE_SECONDS
    lull_bytes: int = LULL_BYTES
    lull_seconds: float = LULL_SECONDS
    total_bytes: int = LIMIT_BYTES


DEFAULT_LIMITS: Final = Limits()


@dataclass(slots=True)
class Claimed:
    """A closed segment, or a refused one. Whoever has claimed it is the only one to use it.

    Attributes:
        token: names this segment for good; its deduplication token.
        is_verified: this process wrote it, or has read it and found every record sound.
    """

    path: Path
    size_bytes: int
    is_verified: bool = True

    @property
    def is_refused(self) -> bool:
        """Whether ClickHouse refused it for good: it is to be split or set aside, and never inserted."""
        return self.path.suffix in {files.REFUSED_SUFFIX, files.REFUSED_DOUBTED_SUFFIX}

    @property
    def token(self) -> str:
        """The deduplication token."""
        return self.path.stem

    @property
    def is_in_doubt(self) -> bool:
        """Whether ClickHouse may hold the segment and yet have forgotten its token (its log is not fsynced).

        The machine was started anew since the segment was closed, and no INSERT of it was begun since then. Of a
        refused segment that is said of its halves.
        """
        return self.path.suffix in {files.DOUBTED_SUFFIX, files.REFUSED_DOUBTED_SUFFIX}


@dataclass(slots=True)
class _OpenSegment:
    path: Path
    descriptor: int
    born: float
    appended: float
    durable_bytes: int = 0
    is_uncut: bool = False


class SegmentLog:
    """Appends to one open segment after the other. For one thread.

    ``offer`` gets each segment that was closed, and when it was opened on the monotonic clock.
    """

    def __init__(self, directory: Path, limits: Limits, offer: Callable[[Claimed, float], None]) -> None:
        self._directory = directory
        self._limits = limits
        self._offer = offer
        self._segment: _OpenSegment | None = None
        self._stranded: list[_OpenSegment] = []
        self._retry_at = 0.0
        self._why_stranded = OSError(errno.EIO, os.strerror(errno.EIO))
        self._last_name = ""

    def continue_after(self, name: str) -> None:
        """Name segments so that they sort behind this one."""
        self._last_name = name

    def append(self, parts: Sequence[bytes]) -> int:
        """Append the parts and fsync; how many bytes that were.

        Some of the disk is left free, since the embedded database takes room for what is written to it: without it a
        full queue could never shrink.

        Raises:
            OSError: the disk refused, or is full. None of the data will be in any segment that is offered.
        """
        size_bytes = sum(map(len, parts))
        self._check_room(size_bytes)
        try:
            segment = self._segment or self._open()
            files.write_all(segment.descriptor, *parts)
            os.fdatasync(segment.descriptor)
        except Exception:
            self._abandon()
            raise
        segment.durable_bytes += size_bytes
        segment.appended = time.monotonic()
        return size_bytes

    def _check_room(self, size_bytes: int) -> None:
        disk = os.statvfs(self._directory)
        reserve_bytes = min(RESERVE_BYTES, int(disk.f_blocks * disk.f_frsize * RESERVE_SHARE))
        if disk.f_bavail * disk.f_frsize < reserve_bytes + size_bytes:
            raise OSError(errno.ENOSPC, f"the disk is full, but for {reserve_bytes >> 20} MiB that writing takes")

    def seconds_until_due(self) -> float | None:
        """When the open segment is to be closed for its age, or stranded ones tried again; None: there are none."""
        due = []
        if self._segment is not None:
            due.append(self._due_of(self._segment))
        if self._stranded:
            due.append(self._retry_at)
        return max(0.0, min(due) - time.monotonic()) if due else None

    def close_if_due(self) -> None:
        """Close the open segment once it is due or full; try again what could not be closed before."""
        now = time.monotonic()
        if self._stranded and now >= self._retry_at:
            self._retry_stranded()
        segment = self._segment
        if segment is None:
            return
        if now >= self._due_of(segment) or segment.durable_bytes >= self._limits.segment_bytes:
            self._close(segment)

    def _due_of(self, segment: _OpenSegment) -> float:
        """When it is to be closed if nothing more comes, on the monotonic clock."""
        due = segment.born + self._limits.segment_age_seconds
        is_large = segment.durable_bytes >= self._limits.lull_bytes
        return min(due, segment.appended + self._limits.lull_seconds) if is_large else due

    def end(self) -> None:
        """Close what is open, whatever its size and age."""
        if self._segment is not None:
            self._close(self._segment)
        self._retry_stranded()

    def _open(self) -> _OpenSegment:
        self._retry_stranded()
        if any(segment.is_uncut for segment in self._stranded):
            # It may hold what was refused. Taking that now, when it comes again, could store it twice.
            cause = self._why_stranded
            text = f"a segment that failed before can't be cut to what was acknowledged: {cause.strerror}"
            raise OSError(cause.errno, text)
        name = files.new_segment_name(self._last_name)
        path = self._directory / (name + files.OPEN_SUFFIX)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        self._last_name = name
        now = time.monotonic()
        self._segment = _OpenSegment(path, descriptor, born=now, appended=now)
        files.sync_directory(self._directory)
        return self._segment

    def _close(self, segment: _OpenSegment) -> None:
        try:
            closed = segment.path.with_suffix(files.CLOSED_SUFFIX)
            segment.path.rename(closed)
            files.sync_directory(self._directory)
        except OSError as error:
            logger.error("%s can't be closed, trying again later: %s", segment.path, error)  # noqa: TRY400  # one line
            self._strand(segment)
            return
        self._segment = None
        self._hand_over(segment)

    def _abandon(self) -> None:
        """After a failure nobody knows what is in the file beyond the durable bytes: cut there, and start another."""
        if self._segment is not None:
            self._segment.is_uncut = True
            self._strand(self._segment)
            self._retry_stranded()

    def _strand(self, segment: _OpenSegment) -> None:
        self._segment = None
        self._stranded.append(segment)
        self._retry_at = time.monotonic() + RETRY_SECONDS

    def _retry_stranded(self) -> None:
        """Cut and close each; the next start recovers it if no attempt does."""
        still: list[_OpenSegment] = []
        for segment in self._stranded:
            try:
                self._cut_and_close(segment)
            except OSError as error:
                self._why_stranded = error
                still.append(segment)
            else:
                self._hand_over(segment)
        self._stranded = still
        self._retry_at = time.monotonic() + RETRY_SECONDS

    def _cut_and_close(self, segment: _OpenSegment) -> None:
        if segment.is_uncut:
            os.ftruncate(segment.descriptor, segment.durable_bytes)
            os.fsync(segment.descriptor)
            segment.is_uncut = False
        if not segment.durable_bytes:
            segment.path.unlink(missing_ok=True)
            return
        if segment.path.exists():
            segment.path.rename(segment.path.with_suffix(files.CLOSED_SUFFIX))
        files.sync_directory(self._directory)

    def _hand_over(self, segment: _OpenSegment) -> None:
        with contextlib.suppress(OSError):  # what is in it was fsynced before
            os.close(segment.descriptor)
        if segment.durable_bytes:
            self._offer(Claimed(segment.path.with_suffix(files.CLOSED_SUFFIX), segment.durable_bytes), segment.born)
