"""A durable queue, its writer and a database as Hypothesis plays them: every call of the disk may fail or be the last,
the power may go, bytes may flip, clocks may jump. At the end each acknowledged request must be stored just once.
"""

from __future__ import annotations

import errno
import logging
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from tests.support.clocks import Clocks
from tests.support.faulty_disk import CALLS, FaultyDisk
from tests.support.model_tables import Tables
from tests.support.queue_process import WAITING_SUFFIXES, QueueProcess, sound_bodies

from otel_feedback.service import writer as writer_module
from otel_feedback.service.durable_queue import boot, files, queue, request_window, segment_log
from otel_feedback.service.durable_queue.busy import QueueBusyError

STEPS = 40
YEAR_SECONDS = 365 * 86400


def play(examples: int) -> None:
    """So many lives of a queue; fails with the shortest one that loses or doubles a request."""
    run_state_machine_as_test(
        QueueMachine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            database=None,
        ),
    )


class QueueMachine(RuleBasedStateMachine):
    """One queue directory through the lives of many processes."""

    def __init__(self) -> None:
        super().__init__()
        logging.disable(logging.CRITICAL)
        self.patch = pytest.MonkeyPatch()
        self.folder = Path(tempfile.mkdtemp(prefix="queue-machine-"))
        self.data_dir = self.folder / "data"
        self.data_dir.mkdir()
        self.disk = FaultyDisk(self.data_dir, self.patch)
        self.clocks = Clocks()
        for module in (files, queue, segment_log, request_window):
            self.patch.setattr(module, "time", self.clocks)
        self.patch.setattr(writer_module, "FIRST_PAUSE_SECONDS", 0)
        self.patch.setattr(writer_module, "plain_segment", lambda *_: None)  # these requests are no OTLP
        self.boot = 0
        self.patch.setattr(boot, "_boot_id", lambda _: b"boot %d" % self.boot)
        self.tables = Tables(self.disk)
        self.numbers = iter(range(10**6))
        self.process = QueueProcess(self.data_dir, self.disk, self.tables)
        self.acknowledged: set[bytes] = set()
        self.unsure: set[bytes] = set()
        """Not acknowledged, but perhaps appended."""
        self.comes_again: set[bytes] = set()
        """What a client may send again, and the queue then knows."""
        self.noted: set[bytes] = set()
        """What a process that is only killed leaves known as taken, also when its segment is gone."""
        self.damaged: set[bytes] = set()
        self.flipped: dict[Path, set[bytes]] = {}
        self.untellable: set[bytes] = set()
        """With its length and its trailer wrong, an open segment's last record looks as if it was written in part."""
        self.half: set[bytes] = set()
        """What a power loss caught in the middle of an INSERT: the view's table may lack it for good (ADR 6)."""

    @initialize()
    def begins(self) -> None:
        self._start()

    @rule(
        sizes=st.lists(st.integers(1, 80), min_size=1, max_size=4),
        twice=st.booleans(),
        leaves=st.sampled_from([None, None, 0, 1]),
    )
    @precondition(lambda self: self.process.queue is not None)
    def append(self, sizes: list[int], leaves: int | None, *, twice: bool) -> None:
        bodies = [b"%d:" % next(self.numbers) + b"x" * size for size in sizes]
        self._append([*bodies, *bodies[: 1 if twice else 0]], leaves)

    @rule(batches=st.integers(1, 6), size=st.integers(1, 80), again=st.booleans(), claims=st.integers(0, 2))
    def goes_on(self, batches: int, size: int, claims: int, *, again: bool) -> None:
        """A while of its ordinary life, with whatever is to fail in it; clients send again what was not answered."""
        for number in range(batches):
            if self.process.queue is not None:
                bodies = [b"%d:" % next(self.numbers) + b"x" * (size + number)]
                resent = sorted(self.comes_again - self.acknowledged)[:2] if again else []
                self._append([*bodies, *resent], None)
            self.time_passes(0.6)
        for _ in range(claims):
            if self.process.queue is not None:
                self.process.claim()

    @rule(data=st.data())
    @precondition(lambda self: self.process.queue is not None and self.comes_again)
    def append_again(self, data: st.DataObject) -> None:
        self._append([data.draw(st.sampled_from(sorted(self.comes_again)))], None)

    @rule(seconds=st.sampled_from([0.1, 1.0, 3.0]))
    def time_passes(self, seconds: float) -> None:
        self.clocks.now += seconds
        self.clocks.wall += seconds
        with self.process.may_die():
            self.process.drive()

    @rule()
    @precondition(lambda self: self.process.queue is not None)
    def claim(self) -> None:
        self.process.claim()

    @rule(
        outcomes=st.lists(st.sampled_from(["away", "half", "lost"]), max_size=2),
        last=st.sampled_from(["stored", "stored", "poisoned", "dies before", "dies half", "dies after"]),
    )
    @precondition(lambda self: self.process.queue is not None)
    def write(self, outcomes: list[str], last: str) -> None:
        if not self.process.held:
            self.process.claim()
        if self.process.held:
            segment = self.process.held.pop()
            if last == "poisoned" and not self.tables.segment_is_stored("traces", segment.token):
                self.tables.poison.update(sound_bodies(segment.path)[:1])
            self.tables.outcomes = [*outcomes, "stored" if last == "poisoned" else last]
            self.process.write(segment)
            self.tables.outcomes = []

    @rule(
        calls=st.sets(st.sampled_from(CALLS), min_size=1),
        code=st.sampled_from([errno.ENOSPC, errno.EIO, errno.EROFS]),
        after=st.integers(0, 3),
    )
    def disk_breaks(self, calls: set[str], code: int, after: int) -> None:
        self.disk.refuse(calls, code, after)

    @rule()
    def disk_is_mended(self) -> None:
        self.disk.heal()
        if self.process.queue is None:
            self._start()

    @rule(years=st.sampled_from([-3, -1e-4, 1e-4, 5]))
    def the_clock_is_set(self, years: float) -> None:
        self.clocks.wall = max(0.0, self.clocks.wall + years * YEAR_SECONDS)

    @rule(calls=st.integers(0, 12), before=st.booleans())
    def will_die(self, calls: int, *, before: bool) -> None:
        self.disk.end_process_at(calls, before=before)

    @rule(end=st.sampled_from(["killed", "stopped", "power lost"]), flips=st.integers(0, 2), data=st.data())
    def starts_again(self, end: str, flips: int, data: st.DataObject) -> None:
        if end == "stopped":
            self.process.stop()
        self.process.died()
        if end == "power lost":
            self.boot += 1
            self.noted.clear()  # the end of the log may be gone
            self.disk.lose_power(lambda most: data.draw(st.integers(0, most)))
            self.half |= self.tables.half_done()
            if data.draw(st.booleans()):
                self.tables.lose_tokens()
        for _ in range(flips):
            self._flip_byte(data)
        self._start()

    @invariant()
    def nothing_is_doubled(self) -> None:
        for rows in self.tables.rows():
            doubled = {body: count for body, count in rows.items() if count > 1}
            assert not doubled, f"stored more than once: {doubled}"

    def teardown(self) -> None:
        try:
            self.disk.heal()
            if self.process.queue is not None:
                self._settle()
            self.process.died()
            self._start()
            self._settle()
            self._check()
        finally:
            self.process.died()
            self.patch.undo()
            logging.disable(logging.NOTSET)
            shutil.rmtree(self.folder)

    def _settle(self) -> None:
        """Time enough for everything, on a sound disk and with a database that stores."""
        for _ in range(3):
            self.time_passes(3.0)
            if self.process.queue is None:
                self._start()
            self.process.write_all()
            if self.process.queue is None:
                self._start()
        assert self.process.queue is not None
        depth = self.process.queue.depth()
        assert (depth.segments, depth.waiting_bytes, depth.oldest_age_seconds) == (0, 0, 0), self.process.waiting()
        assert not self.process.waiting()

    def _check(self) -> None:
        self.nothing_is_doubled()
        rejected_dir = self.data_dir / "rejected" / "traces"
        rejected = b"".join(each.read_bytes() for each in rejected_dir.glob("*.segment"))
        for table, rows in enumerate(self.tables.rows()):
            assert rows.keys() <= self.acknowledged | self.unsure, "stored, and yet it was refused"
            lost = {body for body in self.acknowledged - rows.keys() if body not in rejected}
            lost -= self.damaged
            if table == 1:
                lost -= self.half
            assert not lost, f"acknowledged and lost: {lost}"
        missing = self.acknowledged - self.tables.rows()[0].keys()
        kept = {path.name for path in rejected_dir.glob("*")}
        others = (files.CLOSED_SUFFIX, files.REASON_SUFFIX)
        damaged = [name for name in kept if not name.endswith(others)]
        assert not missing & self.damaged - self.untellable or damaged, "damaged and gone"
        assert all(f"{name}.reason" in kept for name in damaged), "damage is kept with its reason"

    def _flip_byte(self, data: st.DataObject) -> None:
        paths = self.process.waiting()
        waiting = sorted(each for each in paths if each.stat().st_size and each.suffix in WAITING_SUFFIXES)
        if not waiting:
            return
        path = data.draw(st.sampled_from(waiting))
        content = bytearray(path.read_bytes())
        sound = set(sound_bodies(path))
        if path.suffix == files.OPEN_SUFFIX:
            self.untellable |= self.flipped.get(path, set())
            self.flipped[path] = self.flipped.get(path, set()) | sound
        self.damaged |= sound
        content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
        path.write_bytes(content)
        self.disk.content_changed(path)

    def _start(self) -> None:
        queued = {body for path in self.process.waiting() for body in sound_bodies(path)}
        if self.process.start():
            not_stored = self.unsure - self.tables.rows()[0].keys()
            self.comes_again = (self.unsure | self.acknowledged) & queued | not_stored | self.unsure & self.noted

    def _append(self, bodies: list[bytes], leaves: int | None) -> None:
        self.unsure |= {body for body in bodies if body not in self.acknowledged}
        if not self.disk.is_broken:
            self.noted |= set(bodies)
        outcomes = self.process.append(bodies, leaves)
        for body in set(bodies):
            of_body = [outcome for each, outcome in zip(bodies, outcomes, strict=True) if each == body]
            if None in of_body:
                self.acknowledged.add(body)
                self.unsure.discard(body)
            elif all(type(each) is QueueBusyError for each in of_body) and body not in self.comes_again:
                self.unsure.discard(body)
            else:
                self.comes_again.add(body)
            if body in self.acknowledged:
                self.comes_again.add(body)
