"""One durable queue: append (fsync, then return), claim the oldest closed segment, remove it, split it or reject it."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import logging
import queue
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from otel_feedback.errors import OtelFeedbackError
from otel_feedback.service.durable_queue import files
from otel_feedback.service.durable_queue.halves import halves_of
from otel_feedback.service.durable_queue.recovery import mend, recent_digests, recover
from otel_feedback.service.durable_queue.request_log import RequestLog
from otel_feedback.service.durable_queue.request_window import RequestWindow, digest_of
from otel_feedback.service.durable_queue.segment import encode_record
from otel_feedback.service.durable_queue.segment_log import DEFAULT_LIMITS, Claimed, Limits, SegmentLog
from otel_feedback.service.telemetry import Telemetry

logger = logging.getLogger(__name__)

BUSY_RETRY_SECONDS: Final = 5
MEND_RETRY_SECONDS: Final = 10.0


class QueueBusyError(OtelFeedbackError):
    """The queue is full, or closing: nothing was taken; ``retry_after_seconds`` says when to come again."""

    def __init__(self, message: str, retry_after_seconds: int = BUSY_RETRY_SECONDS) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class QueueWriteError(QueueBusyError):
    """The disk refused (full, read-only, broken): the record is not durable and must not be acknowledged."""


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


@dataclass(frozen=True, slots=True)
class _Waiting:
    body: bytes
    digest: bytes
    loop: asyncio.AbstractEventLoop
    done: asyncio.Future[None]


class DurableQueue:
    """The queue of one signal, in one directory that this process alone uses (the service lock sees to it).

    One thread appends: it gathers what has arrived during the last fsync, writes it, calls fdatasync once, and then
    answers all. It sleeps while nothing comes.
    """

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
        self._fsyncs = telemetry.queue.fsyncs.labels(signal)
        self._fsync_seconds = telemetry.queue.fsync_seconds.labels(signal)
        self._limits = limits
        self._arriving: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
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
        self._thread = threading.Thread(target=self._append_groups, name=f"append-{signal}", daemon=True)

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
        self._thread.start()

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
                self._enqueue(_Waiting(body, digest, loop, done))
                self._window.note(digest, done)
        if done is not None:
            await asyncio.shield(done)  # a client that goes away must not end it for another one that sent the same

    def _enqueue(self, waiting: _Waiting) -> None:
        size_bytes = len(waiting.body)
        if self._closing.is_set():
            raise QueueBusyError("the service is stopping")
        if self._waiting_bytes + size_bytes > self._limits.total_bytes:
            raise QueueBusyError(
                f"the {self._signal} queue is full: {self._waiting_bytes} bytes wait for the database, "
                f"at most {self._limits.total_bytes} may (OTEL_FEEDBACK_MAX_QUEUE_BYTES)"
            )
        self._waiting_bytes += size_bytes
        self._arriving.put(waiting)

    def close(self, timeout_seconds: float) -> None:
        """Refuse new appends, make those under way durable, close the segment; claims end after the last one."""
        with self._lock:
            if not self._closing.is_set():
                self._closing.set()
                self._arriving.put(None)
        if self._thread.ident is not None:
            self._thread.join(timeout_seconds)

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
        """Offer what a former process left, once the newest requests in it are known as taken."""
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

    def _append_groups(self) -> None:
        if not self._window_is_whole.done():
            self._inherit()  # gigabytes are not waited for by whoever starts the queue
        while self._append_next_group():
            pass

    def _append_next_group(self) -> bool:
        """Wait for something to do and do it; whether there is more to come."""
        group, is_last = self._gather()
        if group:
            self._append_group(group)
        if is_last:
            self._log.end()
            self._taken.close()
            self._closed.put(None)
        else:
            self._log.close_if_due()
        return not is_last

    def _gather(self) -> tuple[list[_Waiting], bool]:
        """The next group, and whether the queue is closing; an empty group means that a segment may be due."""
        try:
            first = self._arriving.get(timeout=self._log.seconds_until_due())
        except queue.Empty:
            return [], False
        if first is None:
            return [], True
        group = [first]
        size_bytes = len(first.body)
        while size_bytes < self._limits.group_bytes:
            try:
                following = self._arriving.get_nowait()
            except queue.Empty:
                break
            if following is None:
                return group, True
            group.append(following)
            size_bytes += len(following.body)
        return group, False

    def _append_group(self, group: Sequence[_Waiting]) -> None:
        arrival = time.time_ns()
        data = b"".join(encode_record(each.body, arrival) for each in group)
        body_bytes = sum(len(each.body) for each in group)
        failure: QueueWriteError | None = None
        try:
            began = time.perf_counter()
            self._log.append(data)
        except OSError as error:
            failure = QueueWriteError(f"{self._directory} can't be written: {error.strerror or error}")
            self._metrics.write_failures.labels(self._signal).inc()
            logger.error(  # noqa: TRY400  # the text says it all
                "%s. Nothing of this group was acknowledged",
                failure,
                extra={"signal": self._signal, "error_code": error.errno},
            )
        else:
            self._fsyncs.inc()
            self._fsync_seconds.observe(time.perf_counter() - began)
            self._taken.note([each.digest for each in group])
        with self._lock:
            self._waiting_bytes += (0 if failure else len(data)) - body_bytes
        _answer(group, failure)


def _answer(group: Sequence[_Waiting], failure: QueueWriteError | None) -> None:
    by_loop: dict[asyncio.AbstractEventLoop, list[asyncio.Future[None]]] = {}
    for each in group:
        by_loop.setdefault(each.loop, []).append(each.done)
    for loop, futures in by_loop.items():
        try:
            loop.call_soon_threadsafe(_resolve, futures, failure)
        except RuntimeError:
            logger.debug("the event loop ended before %d appends were answered", len(futures))


def _resolve(futures: Sequence[asyncio.Future[None]], failure: QueueWriteError | None) -> None:
    for future in futures:
        if future.done():
            continue  # the client went away
        if failure is None:
            future.set_result(None)
        else:
            future.set_exception(failure)
            future.exception()  # seen: if its only client went away, nobody else would look at it


def _inherited(path: Path) -> Claimed:
    # The names of halves tell places in a refused segment, so it stays as it is; its damage is one of its parts.
    claimed = Claimed(path, path.stat().st_size)
    claimed.is_verified = claimed.is_refused
    return claimed
