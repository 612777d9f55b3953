"""One thread that makes records durable: all that came during the last fsync are written and fsynced together."""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from otel_feedback.service.durable_queue.busy import QueueWriteError
from otel_feedback.service.durable_queue.request_log import RequestLog
from otel_feedback.service.durable_queue.segment import parts_of_record
from otel_feedback.service.durable_queue.segment_log import SegmentLog
from otel_feedback.service.telemetry import QueueMetrics

logger = logging.getLogger(__name__)

GATHER_SECONDS: Final = 0.001
SMALL_BYTES: Final = 64 << 10


@dataclass(frozen=True, slots=True)
class Waiting:
    """A record that is not durable yet, and who waits for that."""

    body: bytes
    digest: bytes
    loop: asyncio.AbstractEventLoop
    done: asyncio.Future[None]


class GroupCommit:
    """Appends to the segment log of one signal. Its thread sleeps while nothing comes.

    ``begin`` runs first in the thread; ``settled`` is told of each group how many bytes it held in memory and how many
    it takes on disk; ``ended`` runs once the last group is durable and the log is closed.
    """

    def __init__(
        self,
        log: SegmentLog,
        taken: RequestLog,
        group_bytes: int,
        *,
        directory: Path,
        signal: str,
        metrics: QueueMetrics,
        begin: Callable[[], None],
        settled: Callable[[int, int], None],
        ended: Callable[[], None],
    ) -> None:
        self._log = log
        self._taken = taken
        self._group_bytes = group_bytes
        self._directory = directory
        self._signal = signal
        self._write_failures = metrics.write_failures.labels(signal)
        self._fsyncs = metrics.fsyncs.labels(signal)
        self._fsync_seconds = metrics.fsync_seconds.labels(signal)
        self._begin = begin
        self._settled = settled
        self._ended = ended
        self._arriving: queue.SimpleQueue[Waiting | None] = queue.SimpleQueue()
        self._came_together = False
        self._thread = threading.Thread(target=self._run, name=f"append-{signal}", daemon=True)

    def start(self) -> None:
        """Append what is put from now on."""
        self._thread.start()

    def put(self, waiting: Waiting) -> None:
        """Append a record as soon as may be; its future tells when it is durable, or that the disk refused."""
        self._arriving.put(waiting)

    def end(self) -> None:
        """Nothing more is put: end after the last group."""
        self._arriving.put(None)

    def join(self, timeout_seconds: float) -> None:
        """Wait for the end, if it was ever started."""
        if self._thread.ident is not None:
            self._thread.join(timeout_seconds)

    def _run(self) -> None:
        self._begin()
        while self.append_next_group():
            pass

    def append_next_group(self) -> bool:
        """Wait for something to do and do it; whether there is more to come."""
        group, is_last = self._gather()
        if group:
            self._came_together = len(group) > 1
            self._append_group(group)
        if is_last:
            self._log.end()
            self._taken.close()
            self._ended()
        else:
            self._log.close_if_due()
        return not is_last

    def _gather(self) -> tuple[list[Waiting], bool]:
        """The next group, and whether it is the last; an empty group means that a segment may be due.

        Where small records come from several clients at once, a millisecond's wait for more of them saves a fifth of
        the CPU that each costs, and they are answered no later for it: the fsyncs are fewer.
        """
        try:
            first = self._arriving.get(timeout=self._log.seconds_until_due())
        except queue.Empty:
            return [], False
        if first is None:
            return [], True
        if self._came_together and len(first.body) < SMALL_BYTES:
            time.sleep(GATHER_SECONDS)
        group = [first]
        size_bytes = len(first.body)
        while size_bytes < self._group_bytes:
            try:
                following = self._arriving.get_nowait()
            except queue.Empty:
                break
            if following is None:
                return group, True
            group.append(following)
            size_bytes += len(following.body)
        return group, False

    def _append_group(self, group: Sequence[Waiting]) -> None:
        failure: QueueWriteError | None = None
        disk_bytes = 0
        try:
            disk_bytes = self._make_durable(group)
        except OSError as error:
            failure = QueueWriteError(f"{self._directory} can't be written: {error.strerror or error}")
            logger.error(  # noqa: TRY400  # the text says it all
                "%s. Nothing of this group was acknowledged",
                failure,
                extra={"signal": self._signal, "error_code": error.errno},
            )
        except Exception as error:  # for one, memory that ran out; were this thread to end, everyone would wait forever
            failure = QueueWriteError(f"{self._directory} can't be written: {error!r}")
            logger.exception("%s. Nothing of this group was acknowledged", failure, extra={"signal": self._signal})
        if failure:
            self._write_failures.inc()
        self._settled(sum(len(each.body) for each in group), disk_bytes)
        _answer(group, failure)

    def _make_durable(self, group: Sequence[Waiting]) -> int:
        arrival = time.time_ns()
        parts = [part for each in group for part in parts_of_record(each.body, each.digest, arrival)]
        began = time.perf_counter()
        size_bytes = self._log.append(parts)
        self._fsyncs.inc()
        self._fsync_seconds.observe(time.perf_counter() - began)
        self._taken.note([each.digest for each in group])
        return size_bytes


def _answer(group: Sequence[Waiting], failure: QueueWriteError | None) -> None:
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
