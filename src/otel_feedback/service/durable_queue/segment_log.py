"""The segment that is being appended to: opened when needed, closed when due, given up when the disk fails."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from otel_feedback.service.durable_queue import files

logger = logging.getLogger(__name__)

GROUP_BYTES: Final = 1 << 20
SEGMENT_BYTES: Final = 32 << 20
SEGMENT_AGE_SECONDS: Final = 1.2
LIMIT_BYTES: Final = 4 << 30


@dataclass(frozen=True, slots=True)
class Limits:
    """When groups and segments close, and how much may wait.

    Attributes:
        group_bytes: how much one fsync makes durable at the most.
        segment_age_seconds: a click is visible in SQL this long, plus one INSERT, after its append.
        total_bytes: on disk and in memory together; beyond it appends are refused.
    """

    group_bytes: int = GROUP_BYTES
    segment_bytes: int = SEGMENT_BYTES
    segment_age_seconds: float = SEGMENT_AGE_SECONDS
    total_bytes: int = LIMIT_BYTES


DEFAULT_LIMITS: Final = Limits()


@dataclass(frozen=True, slots=True)
class Claimed:
    """A closed segment, or a refused one, that its claimer alone now has.

    Attributes:
        token: names this segment for good; its deduplication token.
        is_in_doubt: the machine was started anew since it was claimed for the first time, so ClickHouse may hold the
            segment and yet have forgotten its token (the log of tokens is not fsynced).
    """

    path: Path
    size_bytes: int
    is_in_doubt: bool = False

    @property
    def is_refused(self) -> bool:
        """Whether ClickHouse refused it for good: it is to be split or set aside, and never inserted."""
        return self.path.suffix == files.REFUSED_SUFFIX

    @property
    def token(self) -> str:
        """The deduplication token."""
        return self.path.stem


@dataclass(slots=True)
class _OpenSegment:
    path: Path
    descriptor: int
    born: float
    durable_bytes: int = 0


class SegmentLog:
    """Appends to one open segment after the other. For one thread; ``offer`` gets each segment that was closed."""

    def __init__(self, directory: Path, limits: Limits, offer: Callable[[Claimed], None]) -> None:
        self._directory = directory
        self._limits = limits
        self._offer = offer
        self._segment: _OpenSegment | None = None
        self._stranded: list[_OpenSegment] = []

    def append(self, data: bytes) -> None:
        """Append and fsync.

        Raises:
            OSError: the disk refused. None of the data will be in any segment that is offered.
        """
        try:
            segment = self._segment or self._open()
            files.write_all(segment.descriptor, data)
            os.fdatasync(segment.descriptor)
        except OSError:
            self._abandon()
            raise
        segment.durable_bytes += len(data)

    def seconds_until_due(self) -> float | None:
        """When the open segment is to be closed for its age; None while there is none."""
        if self._segment is None:
            return None
        return max(0.0, self._segment.born + self._limits.segment_age_seconds - time.monotonic())

    def close_if_due(self) -> None:
        """Close the open segment once it is large or old enough."""
        segment = self._segment
        if segment and (segment.durable_bytes >= self._limits.segment_bytes or self.seconds_until_due() == 0):
            self._close(segment)

    def end(self) -> None:
        """Close what is open, whatever its size and age."""
        if self._segment is not None:
            self._close(self._segment)
        self._retry_stranded()

    def _open(self) -> _OpenSegment:
        self._retry_stranded()
        path = self._directory / (files.new_segment_name() + files.OPEN_SUFFIX)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        self._segment = _OpenSegment(path, descriptor, time.monotonic())
        files.sync_directory(self._directory)
        return self._segment

    def _close(self, segment: _OpenSegment) -> None:
        try:
            closed = segment.path.with_suffix(files.CLOSED_SUFFIX)
            segment.path.rename(closed)
            files.sync_directory(self._directory)
        except OSError as error:
            logger.error("%s can't be closed, trying again later: %s", segment.path, error)  # noqa: TRY400  # one line
            self._abandon()
            return
        self._segment = None
        os.close(segment.descriptor)
        self._offer(Claimed(closed, segment.durable_bytes))

    def _abandon(self) -> None:
        """After a failure nobody knows what is in the file beyond the durable bytes: cut there, and start another."""
        if self._segment is None:
            return
        self._stranded.append(self._segment)
        self._segment = None
        self._retry_stranded()

    def _retry_stranded(self) -> None:
        still: list[_OpenSegment] = []
        for segment in self._stranded:
            try:
                os.ftruncate(segment.descriptor, segment.durable_bytes)
                os.fsync(segment.descriptor)
                closed = segment.path.with_suffix(files.CLOSED_SUFFIX)
                if segment.durable_bytes:
                    if segment.path.exists():
                        segment.path.rename(closed)
                    files.sync_directory(self._directory)
                else:
                    segment.path.unlink(missing_ok=True)
            except OSError:
                still.append(segment)  # the next start recovers it if no later attempt does
                continue
            os.close(segment.descriptor)
            if segment.durable_bytes:
                self._offer(Claimed(closed, segment.durable_bytes))
        self._stranded = still
