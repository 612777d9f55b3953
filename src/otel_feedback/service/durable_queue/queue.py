"""One durable queue: append (fsync, then return), claim the oldest closed segment, remove it, split it or reject it."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import logging
import queue
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from otel_feedback.service.durable_queue import files
from otel_feedback.service.durable_queue.busy import QueueBusyError
from otel_feedback.service.durable_queue.digest import digest_of
from otel_feedback.service.durable_queue.group_commit import GroupCommit, Waiting
from otel_feedback.service.durable_queue.halves import halves_of
from otel_feedback.service.durable_queue.recovery import mend, recent_digests, recover
from otel_feedback.service.durable_queue.request_log import RequestLog
from otel_feedback.service.durable_queue.request_window import RequestWindow
from otel_feedback.service.durable_queue.segment_log import DEFAULT_LIMITS, Claimed, Limits, SegmentLog
from otel_feedback.service.telemetry import Telemetry

logger = logging.getLogger(__name__)

MEND_RETRY_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True)
class Depth:
    """What waits in a queue for the database; ``segments`` are the closed ones, ``waiting_bytes`` is everything."""

    segments: int
    waiting_bytes: int
    limit_bytes: int
    oldest_age_seconds: float

    @property
    def fullness(self) -> float:
        """0: empty, 1: appends are refused."""
        return self.waiting_bytes / self.limit_bytes


class DurableQueue:
    """The queue of one signal, in one directory that this process alone uses (the service lock sees to it)."""

    def __init__(
        self,
        directory: Path,
        rejected_directory: Path,
        *,
        signal: str,
        telemetry: Telemetry,
        limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        self._directory = directory
        self._rejected_directory = rejected_directory
        self._signal = signal
        self._metrics = telemetry.queue
        self._limits = limits
        self._closed: queue.SimpleQueue[Claimed | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._waiting_bytes = 0
        self._waiting_segments: dict[str, float] = {}
        """By token: when it was opened, on the monotonic clock."""
        self._inherited: list[Claimed] = []
        self._window = RequestWindow()
        self._window_is_whole: concurrent.futures.Future[None] = concurrent.futures.Future()
        self._window_is_whole.set_running_or_notify_cancel()  # who waits for it can't cancel it
        self._taken = RequestLog(directory)
        self._log = SegmentLog(directory, limits, self._offer)
        self._closing = threading.Event()
        self._commit = GroupCommit(
            self._log,
            self._taken,
            limits.group_bytes,
            directory=directory,
            signal=signal,
            metrics=telemetry.queue,
            begin=self._inherit,  # gigabytes are not waited for by whoever starts the queue
            settled=self._count_group,
            ended=lambda: self._closed.put(None),
        )

    def start(self) -> None:
        """Recover what a former process left, then take appends; quick, however much waits.

        Raises:
            OSError: the directory can't be made, read or written.
        """
        files.make_directory(self._directory)
        recovered = recover(self._directory, self._rejected_directory)
        self._metrics.torn_bytes.labels(self._signal).inc(recovered.cut_bytes)
        self._metrics.segments_damaged.labels(self._signal).inc(recovered.set_aside)
        self._inherited = [_inherited(path) for path in recovered.segments]
        if recovered.segments:
            self._log.continue_after(recovered.segments[-1].name)
        with self._lock:
            for segment in self._inherited:
                self._waiting_bytes += segment.size_bytes
                self._waiting_segments[segment.token] = time.monotonic() - files.age_seconds(segment.path)
        if not self._inherited:
            self._inherit()
        self._commit.start()

    async def append(self, body: bytes) -> None:
        """Append one record. Once this returns, a crash of the process or the machine cannot lose it.

        The bytes of a record that was appended minutes ago are taken to be the same record, sent again because its
        answer was lost: nothing is appended.

        Raises:
            QueueBusyError: too much is waiting already, or the service is stopping; nothing was taken.
            QueueWriteError: the disk refused; the record is not durable.
        """
        if not self._window_is_whole.done():
            await asyncio.wrap_future(self._window_is_whole)
        loop = asyncio.get_running_loop()
        digest = digest_of(body)
        with self._lock:
            if digest in self._window:
                self._metrics.duplicates_dropped.labels(self._signal).inc()
                done = self._window.outcome(digest)
            else:
                done = loop.create_future()
                self._enqueue(Waiting(body, digest, loop, done))
                self._window.note(digest, done)
        if done is not None:
            await asyncio.shield(done)  # a client that goes away must not end it for another one that sent the same

    def _enqueue(self, waiting: Waiting) -> None:
        size_bytes = len(waiting.body)
        if self._closing.is_set():
            raise QueueBusyError("the service is stopping")
        if self._waiting_bytes + size_bytes > self._limits.total_bytes:
            raise QueueBusyError(
                f"the {self._signal} queue is full: {self._waiting_bytes} bytes wait for the database, "
                f"at most {self._limits.total_bytes} may (OTEL_FEEDBACK_MAX_QUEUE_BYTES)"
            )
        self._waiting_bytes += size_bytes
        self._commit.put(waiting)

    def close(self, timeout_seconds: float) -> None:
        """Refuse new appends, make those under way durable, close the segment; claims end after the last one."""
        with self._lock:
            if not self._closing.is_set():
                self._closing.set()
                self._commit.end()
        self._commit.join(timeout_seconds)

    def claim(self) -> Claimed | None:
        """The oldest closed segment, every record of it sound; blocks until there is one.

        None: closed and empty, for every claimer.
        """
        while (segment := self._closed.get()) is not None:
            if segment.is_verified or self._verify(segment):
                return segment
        self._closed.put(None)
        return None

    def trust(self, segment: Claimed) -> None:
        """Before the first INSERT of a segment that is in doubt and that ClickHouse does not have: it is no longer.

        Durable, since that INSERT may store rows in some tables only, and then a look for rows says nothing.

        Raises:
            OSError: the disk refused; the segment is as it was.
        """
        if segment.is_in_doubt:
            trusted = segment.path.with_suffix(files.CLOSED_SUFFIX)
            if segment.path.exists():
                segment.path.rename(trusted)
            files.sync_directory(self._directory)
            segment.path = trusted

    def remove(self, segment: Claimed) -> None:
        """The segment is stored for good: forget it."""
        segment.path.unlink(missing_ok=True)
        self._forget(segment)

    def refuse(self, segment: Claimed, reason: str) -> Claimed:
        """The database refuses the segment for good: after ``sync`` it is never inserted under its token again."""
        return self._replace(segment, [replace(segment, path=files.mark_refused(segment.path, reason))])[0]

    def sync(self) -> None:
        """Make renames durable.

        Raises:
            OSError: the disk refused.
        """
        files.sync_directory(self._directory)

    def reason(self, refused: Claimed) -> str:
        """Why the segment was refused."""
        try:
            return refused.path.with_suffix(files.REASON_SUFFIX).read_text(encoding="utf-8").strip()
        except OSError:
            return f"ClickHouse refused the {self._signal} segment {refused.token}; the reason could not be written"

    def split(self, refused: Claimed) -> list[Claimed]:
        """Put its two halves in the place of a refused segment of which nothing is stored; [] if it is one record.

        Both halves are durable before the whole goes. Until then they are not returned, so nobody inserts them, and a
        start after a crash writes them anew.
        """
        suffix = files.DOUBTED_SUFFIX if refused.is_in_doubt else files.CLOSED_SUFFIX
        halves = [
            (refused.path.with_name(f"{name}{suffix}"), data)
            for name, data in halves_of(refused.token, refused.path.read_bytes())
        ]
        if not halves:
            return []
        for path, data in halves:
            files.write_durably(path, data)
        refused.path.unlink(missing_ok=True)
        self._forget_reason(refused)
        return self._replace(refused, [Claimed(path, len(data)) for path, data in halves])

    def reject(self, segment: Claimed, reason: str) -> Path:
        """The database refuses the segment for good: keep it with the reason, out of the way; returns its place."""
        kept = files.move_aside(segment.path, self._rejected_directory, reason)
        self._forget_reason(segment)
        self._forget(segment)
        return kept

    def adopt_replays(self) -> int:
        """Take what a person put back from among the rejected; how many segments that was."""
        adopted = 0
        for replayed in sorted(self._directory.glob(f"*{files.REPLAY_SUFFIX}")):
            with self._lock:
                if self._closing.is_set():
                    break  # the next start takes it
                path = replayed.rename(replayed.with_suffix(files.CLOSED_SUFFIX))
                size_bytes = path.stat().st_size
                self._waiting_bytes += size_bytes
            self._offer(Claimed(path, size_bytes, is_verified=False), time.monotonic())
            adopted += 1
        return adopted

    def depth(self) -> Depth:
        """How much waits, and for how long."""
        with self._lock:
            births = list(self._waiting_segments.values())
            waiting_bytes = self._waiting_bytes
        oldest_age_seconds = time.monotonic() - min(births) if births else 0.0
        return Depth(len(births), waiting_bytes, self._limits.total_bytes, oldest_age_seconds)

    def _forget_reason(self, refused: Claimed) -> None:
        with contextlib.suppress(OSError):  # a start removes the reason, and halves are asked for first
            refused.path.with_suffix(files.REASON_SUFFIX).unlink(missing_ok=True)
            self.sync()

    def _replace(self, segment: Claimed, others: list[Claimed]) -> list[Claimed]:
        with self._lock:
            born = self._waiting_segments.pop(segment.token)
            self._waiting_segments.update({each.token: born for each in others})
        return others

    def _forget(self, segment: Claimed) -> None:
        with self._lock:
            self._waiting_segments.pop(segment.token, None)
            self._waiting_bytes -= segment.size_bytes

    def _offer(self, segment: Claimed, born: float) -> None:
        with self._lock:
            self._waiting_segments[segment.token] = born
        self._closed.put(segment)

    def _count_group(self, body_bytes: int, disk_bytes: int) -> None:
        with self._lock:
            self._waiting_bytes += disk_bytes - body_bytes

    def _verify(self, segment: Claimed) -> bool:
        """Keep what is sound of it; False if nothing is, or if the disk refuses until the queue closes."""
        while True:
            try:
                damaged = mend(segment.path, self._rejected_directory)
                size_bytes = segment.path.stat().st_size if segment.path.exists() else 0
                break
            except OSError as error:
                logger.error("%s can't be verified: %s; trying again", segment.path, error)  # noqa: TRY400  # one line
                if self._closing.wait(MEND_RETRY_SECONDS):
                    return False
        self._metrics.segments_damaged.labels(self._signal).inc(damaged)
        with self._lock:
            self._waiting_bytes += size_bytes - segment.size_bytes
        segment.size_bytes = size_bytes
        segment.is_verified = True
        if not size_bytes:
            self._forget(segment)
        return size_bytes > 0

    def _inherit(self) -> None:
        """Offer what a former process left, once the newest requests in it are known as taken; once is enough."""
        if self._window_is_whole.done():
            return
        digests = [*self._taken.read(), *recent_digests([segment.path for segment in self._inherited])]
        for digest in digests:
            self._window.note(digest)
        try:
            self._taken.begin(digests)
        except OSError as error:
            logger.warning("requests that come again after the next start may not be recognised: %s", error)
        for segment in self._inherited:
            self._closed.put(segment)
        self._inherited.clear()
        self._window_is_whole.set_result(None)


def _inherited(path: Path) -> Claimed:
    # The names of halves tell places in a refused segment, so it stays as it is; its damage is one of its parts.
    claimed = Claimed(path, path.stat().st_size)
    claimed.is_verified = claimed.is_refused
    return claimed
