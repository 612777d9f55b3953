"""One process after another with a queue directory, the append thread's and the writer's work done step by step
in the thread of the test: so a failure can be replayed, and each call of the disk can be the last.
"""

from __future__ import annotations

import asyncio
import queue as stdlib_queue
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

from tests.support.faulty_disk import FaultyDisk, ProcessDied
from tests.support.model_tables import Tables

from otel_feedback.service.durable_queue import files
from otel_feedback.service.durable_queue.busy import QueueBusyError, QueueWriteError
from otel_feedback.service.durable_queue.queue import DurableQueue
from otel_feedback.service.durable_queue.segment import Record, scan
from otel_feedback.service.durable_queue.segment_log import Claimed, Limits
from otel_feedback.service.isolation import Search
from otel_feedback.service.telemetry import Telemetry
from otel_feedback.service.writer import Writer

LIMITS = Limits(
    group_bytes=60, segment_bytes=150, segment_age_seconds=1.0, lull_bytes=80, lull_seconds=0.3, total_bytes=1500
)
WAITING_SUFFIXES = {files.OPEN_SUFFIX, files.CLOSED_SUFFIX, files.DOUBTED_SUFFIX}
REFUSED_SUFFIXES = {files.REFUSED_SUFFIX, files.REFUSED_DOUBTED_SUFFIX}


class ClosedSegments(stdlib_queue.SimpleQueue[Claimed | None]):
    """For claims in this thread, where nobody could end the wait for a segment."""

    def get(self, block: bool = True, timeout: float | None = None) -> Claimed | None:  # noqa: ARG002, FBT002  # as SimpleQueue's
        return super().get(block=False)


class QueueProcess:
    """The process that has the queue now, or none.

    Attributes:
        queue: its queue; None while no process runs.
        held: the segments that its writer has claimed and not settled.
    """

    def __init__(self, data_dir: Path, disk: FaultyDisk, tables: Tables) -> None:
        self._data_dir = data_dir
        self._disk = disk
        self._tables = tables
        self.queue: DurableQueue | None = None
        self.held: list[Claimed] = []

    def start(self) -> bool:
        """Start one, unless one runs; whether one began."""
        if self.queue is not None:
            return False
        created = DurableQueue(
            self._data_dir / "queue" / "traces",
            self._data_dir / "rejected" / "traces",
            signal="traces",
            telemetry=Telemetry(),
            limits=LIMITS,
        )
        created._commit._thread = SimpleNamespace(start=lambda: None, ident=None)  # type: ignore[assignment]
        created._closed = ClosedSegments()
        created._closing.wait = lambda _: self._disk.heal()  # type: ignore[method-assign,assignment]
        try:
            created.start()
            created._inherit()
        except ProcessDied:
            self.died()
        except OSError:
            self._disk.end_process()  # it refuses to start on such a disk, and says so
        else:
            self.queue = created
        return self.queue is not None

    def stop(self) -> None:
        """As SIGTERM has it."""
        with self.may_die():
            if self.queue is not None:
                self.queue.close(0)
                self.drive()
        self.write_all()

    def died(self) -> None:
        """It is gone, with what it held in memory."""
        self.queue = None
        self.held.clear()
        self._tables.outcomes = []
        self._disk.end_process()

    @contextmanager
    def may_die(self) -> Iterator[None]:
        """Where a call of the disk in here is the process's last, the process ends."""
        try:
            yield
        except ProcessDied:
            self.died()

    def append(self, bodies: list[bytes], leaves: int | None) -> list[BaseException | None]:
        """Append them at once; what each of them was answered, None if acknowledged. ``leaves`` gives up waiting."""
        outcomes, died = asyncio.run(self._answers(bodies, leaves))
        if died:
            self.died()
        return outcomes

    async def _answers(self, bodies: list[bytes], leaves: int | None) -> tuple[list[BaseException | None], bool]:
        assert self.queue is not None
        appends = [asyncio.ensure_future(self.queue.append(body)) for body in bodies]
        await asyncio.sleep(0)
        if leaves is not None and leaves < len(appends):
            appends[leaves].cancel()
        died = False
        try:
            self.drive()
        except ProcessDied:
            died = True
        for _ in range(3):
            await asyncio.sleep(0)
        for append in appends:
            append.cancel()
        outcomes = await asyncio.gather(*appends, return_exceptions=True)
        known = (QueueBusyError, QueueWriteError, asyncio.CancelledError)
        assert all(each is None or isinstance(each, known) for each in outcomes), outcomes
        return list(outcomes), died

    def drive(self) -> None:
        """What the append thread does until it would sleep."""
        while self.queue is not None and self._has_something_to_append():
            if not self.queue._commit.append_next_group():
                return

    def _has_something_to_append(self) -> bool:
        assert self.queue is not None
        return not self.queue._commit._arriving.empty() or self.queue._log.seconds_until_due() == 0

    def claim(self) -> bool:
        """Claim a segment, if one is closed; whether there was one."""
        assert self.queue is not None
        with self.may_die():
            try:
                claimed = self.queue.claim()
            except stdlib_queue.Empty:
                return False
            if claimed is not None:
                self.held.append(claimed)
            return claimed is not None
        return False

    def write(self, segment: Claimed) -> None:
        """What a writer does with a segment, until it is settled or tried again later."""
        assert self.queue is not None
        writer = Writer("traces", self.queue, self._tables, Telemetry())
        search = Search()
        unsettled = [segment]
        with self.may_die():
            while unsettled:
                try:
                    unsettled[-1:] = reversed(writer._settle(unsettled[-1], search))
                except OSError:
                    self.held += unsettled  # the writer tries again
                    return

    def write_all(self) -> None:
        """What the writers do until they would sleep."""
        while self.queue is not None and self.claim():
            pass
        for _ in range(len(self.held)):
            if self.held:
                self.write(self.held.pop(0))

    def waiting(self) -> list[Path]:
        """The files of all segments that are not stored."""
        paths = (self._data_dir / "queue").rglob("*-*")
        return [path for path in paths if path.suffix in WAITING_SUFFIXES | REFUSED_SUFFIXES]


def sound_bodies(path: Path) -> list[bytes]:
    """The requests that can be read in a segment."""
    return [each.body for each in scan(path.read_bytes()) if isinstance(each, Record)]
