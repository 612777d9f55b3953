from __future__ import annotations

import asyncio
import errno
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.support.figures import figure

from otel_feedback.service.durable_queue import files, group_commit, segment_log
from otel_feedback.service.durable_queue.busy import QueueBusyError, QueueWriteError
from otel_feedback.service.durable_queue.queue import Depth, DurableQueue
from otel_feedback.service.durable_queue.segment import Record, encode_record, scan
from otel_feedback.service.durable_queue.segment_log import Claimed, Limits, SegmentLog
from otel_feedback.service.telemetry import Telemetry

QUICK = Limits(segment_age_seconds=0.05)
PATIENT = Limits(segment_age_seconds=3600)


@pytest.fixture
def telemetry() -> Telemetry:
    return Telemetry()


@pytest.fixture
def make_queue(tmp_path: Path, telemetry: Telemetry) -> Iterator[Callable[[Limits], DurableQueue]]:
    made: list[DurableQueue] = []

    def make(limits: Limits) -> DurableQueue:
        queue = DurableQueue(
            tmp_path / "queue" / "traces", tmp_path / "rejected", signal="traces", telemetry=telemetry, limits=limits
        )
        queue.start()
        made.append(queue)
        return queue

    yield make
    for queue in made:
        queue.close(10)


def append_all(queue: DurableQueue, *bodies: bytes) -> None:
    async def append() -> None:
        await asyncio.gather(*(queue.append(body) for body in bodies))

    asyncio.run(append())


def claim(queue: DurableQueue) -> Claimed:
    claimed = queue.claim()
    assert claimed is not None
    return claimed


def bodies_of(path: Path) -> list[bytes]:
    return [found.body for found in scan(path.read_bytes()) if isinstance(found, Record)]


def test_once_append_returns_the_record_is_in_the_file(make_queue: Any, tmp_path: Path):
    queue = make_queue(PATIENT)
    append_all(queue, b"one")
    append_all(queue, b"two")
    (open_segment,) = (tmp_path / "queue" / "traces").glob("*.open")
    assert bodies_of(open_segment) == [b"one", b"two"]


def test_what_arrives_during_an_fsync_shares_the_next_one(
    make_queue: Any, telemetry: Telemetry, monkeypatch: pytest.MonkeyPatch
):
    fdatasync, everything_came = os.fdatasync, threading.Event()

    def wait_and_sync(descriptor: int) -> None:
        assert everything_came.wait(10)
        fdatasync(descriptor)

    monkeypatch.setattr(os, "fdatasync", wait_and_sync)
    queue = make_queue(PATIENT)

    async def append() -> None:
        appends = [asyncio.ensure_future(queue.append(b"%d" % number)) for number in range(100)]
        await asyncio.sleep(0)
        everything_came.set()
        await asyncio.gather(*appends)

    asyncio.run(append())
    assert figure(telemetry, "fsyncs_total") <= 2


def test_a_segment_closes_by_age_and_is_claimed_once(make_queue: Any, tmp_path: Path):
    queue = make_queue(QUICK)
    append_all(queue, b"one", b"two")
    segment = claim(queue)
    assert sorted(bodies_of(segment.path)) == [b"one", b"two"]
    assert not segment.is_in_doubt
    queue.remove(segment)
    queue.close(10)
    assert queue.claim() is None
    assert [path.name for path in (tmp_path / "queue" / "traces").iterdir()] == ["boot"]


def test_a_segment_closes_by_size(make_queue: Any):
    queue = make_queue(Limits(segment_age_seconds=3600, segment_bytes=100))
    append_all(queue, b"x" * 200)
    assert claim(queue).size_bytes > 200


def test_a_segment_that_is_worth_an_insert_closes_in_a_lull(make_queue: Any):
    queue = make_queue(Limits(segment_age_seconds=3600, lull_bytes=100, lull_seconds=0.05))
    append_all(queue, b"too little")
    append_all(queue, b"x" * 200)
    assert bodies_of(claim(queue).path) == [b"too little", b"x" * 200]
    append_all(queue, b"too little again")
    assert queue.depth().segments == 1, "what is claimed, and nothing closed after it"


def test_while_records_come_there_is_no_lull(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    seconds = 0.0
    monkeypatch.setattr(segment_log, "time", SimpleNamespace(monotonic=lambda: seconds))
    log = SegmentLog(tmp_path, Limits(segment_age_seconds=10, lull_bytes=100, lull_seconds=1), no_offer)
    log.append([b"x" * 200])
    seconds = 0.9
    log.append([b"y"])
    seconds = 1.8
    log.close_if_due()
    assert log.seconds_until_due() == pytest.approx(0.1)
    seconds = 9.8
    log.append([b"z"])
    assert log.seconds_until_due() == pytest.approx(0.2), "its age closes it all the same"


def no_offer(segment: Claimed, _: float) -> None:
    raise AssertionError(f"{segment} was closed")


def test_closing_makes_appends_under_way_durable_and_refuses_new_ones(make_queue: Any):
    queue = make_queue(PATIENT)

    async def append_and_close() -> None:
        append = asyncio.ensure_future(queue.append(b"under way"))
        await asyncio.sleep(0)
        await asyncio.to_thread(queue.close, 10)
        await append
        with pytest.raises(QueueBusyError, match="stopping"):
            await queue.append(b"too late")

    asyncio.run(append_and_close())
    assert bodies_of(claim(queue).path) == [b"under way"]
    assert queue.claim() is None


def test_segments_are_claimed_oldest_first_and_their_names_never_repeat(make_queue: Any):
    queue = make_queue(Limits(segment_bytes=1))
    for number in range(5):
        append_all(queue, b"%d" % number)
    segments = [claim(queue) for _ in range(5)]
    assert [bodies_of(segment.path) for segment in segments] == [[b"%d" % number] for number in range(5)]
    tokens = [segment.token for segment in segments]
    assert tokens == sorted(set(tokens))


def test_a_request_that_comes_again_adds_nothing(make_queue: Any, telemetry: Telemetry):
    queue = make_queue(PATIENT)
    append_all(queue, b"one", b"one")  # while the first is under way
    append_all(queue, b"one", b"two")  # and after it is durable
    assert figure(telemetry, "duplicates_dropped_total") == 2
    queue.close(10)
    assert sorted(bodies_of(claim(queue).path)) == [b"one", b"two"]


def test_a_request_that_comes_again_after_a_restart_adds_nothing(make_queue: Any, telemetry: Telemetry):
    append_all(make_queue(PATIENT), b"one")  # a process that dies with its segment open
    queue = make_queue(PATIENT)
    append_all(queue, b"one", b"two")
    assert figure(telemetry, "duplicates_dropped_total") == 1
    queue.close(10)
    assert [bodies_of(claim(queue).path) for _ in range(2)] == [[b"one"], [b"two"]]


def test_a_request_that_comes_again_after_it_was_stored_and_its_process_killed_adds_nothing(
    make_queue: Any, telemetry: Telemetry
):
    queue = make_queue(QUICK)
    append_all(queue, b"one")
    queue.remove(claim(queue))
    append_all(make_queue(PATIENT), b"one", b"two")
    assert figure(telemetry, "duplicates_dropped_total") == 1


def test_what_is_no_fault_of_the_disk_is_told_too_and_the_queue_goes_on(
    make_queue: Any, monkeypatch: pytest.MonkeyPatch
):
    queue = make_queue(PATIENT)
    append_all(queue, b"before")

    def run_out_of_memory(*_: Any) -> int:
        raise MemoryError

    for place in ((group_commit, "parts_of_record"), (segment_log.files, "write_all")):
        with monkeypatch.context() as patch:
            patch.setattr(*place, run_out_of_memory)
            with pytest.raises(QueueWriteError, match="MemoryError"):
                append_all(queue, b"lost")
    append_all(queue, b"after")
    queue.close(10)
    segments = list(iter(queue.claim, None))
    assert [body for segment in segments for body in bodies_of(segment.path)] == [b"before", b"after"]


def test_a_client_that_goes_away_takes_nothing_from_another_that_sent_the_same(make_queue: Any):
    queue = make_queue(PATIENT)

    async def append() -> None:
        leaving = asyncio.ensure_future(queue.append(b"one"))
        staying = asyncio.ensure_future(queue.append(b"one"))
        await asyncio.sleep(0)
        leaving.cancel()
        await staying

    asyncio.run(append())
    queue.close(10)
    assert bodies_of(claim(queue).path) == [b"one"]


def test_a_full_queue_is_busy_until_a_segment_is_removed(make_queue: Any):
    queue = make_queue(Limits(segment_bytes=1, total_bytes=300))
    append_all(queue, b"x" * 200)
    with pytest.raises(QueueBusyError, match=r"traces queue is full: \d+ bytes wait"):
        append_all(queue, b"y" * 200)
    queue.remove(claim(queue))
    append_all(queue, b"y" * 200)


def test_what_a_dead_process_left_is_inherited_and_counts_as_waiting(make_queue: Any, tmp_path: Path):
    directory = tmp_path / "queue" / "traces"
    directory.mkdir(parents=True)
    (directory / f"{files.new_segment_name()}.open").write_bytes(encode_record(b"left", 1) + b"\x09to")
    queue = make_queue(Limits(total_bytes=40))
    with pytest.raises(QueueBusyError):
        append_all(queue, b"x" * 30)
    segment = claim(queue)
    assert segment.is_in_doubt, "nobody knows in which boot it was left"
    assert bodies_of(segment.path) == [b"left"]


def test_a_rejected_segment_is_kept_with_its_reason(make_queue: Any, tmp_path: Path):
    queue = make_queue(QUICK)
    append_all(queue, b"bad")
    segment = claim(queue)
    kept = queue.reject(segment, "code 27: can't parse")
    assert kept.parent == tmp_path / "rejected"
    assert bodies_of(kept) == [b"bad"]
    assert kept.with_name(f"{kept.name}.reason").read_text() == "code 27: can't parse\n"
    assert not segment.path.exists()


@pytest.mark.parametrize("call", ["writev", "fdatasync"])
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EROFS])
def test_when_the_disk_refuses_nothing_is_acknowledged_and_the_queue_lives_on(
    make_queue: Any, monkeypatch: pytest.MonkeyPatch, telemetry: Telemetry, call: str, code: int
):
    queue = make_queue(PATIENT)
    append_all(queue, b"before")
    real = getattr(os, call)

    def refuse(descriptor: int, *rest: Any) -> Any:
        if call == "writev" and sum(map(len, rest[0])) > 5:
            return real(descriptor, [b"".join(rest[0])[:5]])  # the disk fills up in the middle of a record
        raise OSError(code, os.strerror(code))

    with monkeypatch.context() as patch:
        patch.setattr(files.os, call, refuse)
        with pytest.raises(QueueWriteError, match=os.strerror(code)):
            append_all(queue, b"refused " * 10)
    assert figure(telemetry, "queue_write_failures_total") == 1
    append_all(queue, b"after")
    queue.close(10)
    segments = list(iter(queue.claim, None))
    assert [bodies_of(segment.path) for segment in segments] == [[b"before"], [b"after"]]


def test_a_segment_that_can_not_be_cut_yet_is_cut_later(make_queue: Any, monkeypatch: pytest.MonkeyPatch):
    queue = make_queue(PATIENT)
    append_all(queue, b"before")

    def refuse(*_: Any) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    with monkeypatch.context() as patch:
        patch.setattr(segment_log.os, "fdatasync", refuse)
        patch.setattr(segment_log.os, "ftruncate", refuse)
        with pytest.raises(QueueWriteError):
            append_all(queue, b"refused")
    append_all(queue, b"after")
    queue.close(10)
    segments = list(iter(queue.claim, None))
    assert sorted(bodies_of(segment.path) for segment in segments) == [[b"after"], [b"before"]]


def refusing(code: int = errno.EROFS) -> Callable[..., None]:
    def refuse(*_: Any) -> None:
        raise OSError(code, os.strerror(code))

    return refuse


def test_nothing_is_taken_while_a_segment_may_hold_what_was_refused(make_queue: Any, monkeypatch: pytest.MonkeyPatch):
    """Were it taken when it comes again, and the process killed then, it would be there twice."""
    queue = make_queue(PATIENT)
    append_all(queue, b"before")
    with monkeypatch.context() as patch:
        patch.setattr(segment_log.os, "ftruncate", refusing())
        with monkeypatch.context() as disk:
            disk.setattr(segment_log.os, "fdatasync", refusing())
            with pytest.raises(QueueWriteError):
                append_all(queue, b"refused")
        with pytest.raises(QueueWriteError, match="can't be cut"):
            append_all(queue, b"refused")
    append_all(queue, b"refused")
    queue.close(10)
    segments = list(iter(queue.claim, None))
    assert [bodies_of(segment.path) for segment in segments] == [[b"before"], [b"refused"]]


def test_a_segment_that_could_not_be_closed_is_closed_later_though_nothing_comes(
    make_queue: Any, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(segment_log, "RETRY_SECONDS", 0.05)
    failed = threading.Event()

    def refuse(*_: Any) -> None:
        failed.set()
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    queue = make_queue(QUICK)
    with monkeypatch.context() as patch:
        patch.setattr(files.os, "rename", refuse)
        append_all(queue, b"one")
        assert failed.wait(10)
    assert bodies_of(claim(queue).path) == [b"one"]


def test_what_a_dead_process_had_not_fsynced_is_durable_before_it_is_known_as_taken(
    make_queue: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    directory = tmp_path / "queue" / "traces"
    directory.mkdir(parents=True)
    left = directory / f"{files.new_segment_name()}.open"
    left.write_bytes(encode_record(b"left", 1))
    synced: list[str] = []
    fsync = os.fsync

    def note_and_sync(descriptor: int) -> None:
        synced.append(Path(f"/proc/self/fd/{descriptor}").readlink().name)
        fsync(descriptor)

    monkeypatch.setattr(files.os, "fsync", note_and_sync)
    queue = make_queue(PATIENT)
    append_all(queue, b"left")
    assert left.name in synced


@pytest.mark.parametrize("call", ["fsync", "unlink"])
def test_a_rejected_segment_is_out_of_the_way_whatever_the_disk_refuses_after_the_move(
    make_queue: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
):
    queue = make_queue(QUICK)
    append_all(queue, b"bad")
    refused = queue.refuse(claim(queue), "code 27: can't parse")
    (tmp_path / "rejected").mkdir()
    with monkeypatch.context() as patch:
        patch.setattr(files.os, call, refusing(errno.EROFS))
        kept = queue.reject(refused, "code 27: can't parse")
    assert bodies_of(kept) == [b"bad"]
    depth = queue.depth()
    assert (depth.segments, depth.waiting_bytes, depth.oldest_age_seconds) == (0, 0, 0)


def test_names_sort_by_age_and_ages_are_right_while_the_clock_jumps(make_queue: Any, monkeypatch: pytest.MonkeyPatch):
    real = time.time_ns
    queue = make_queue(Limits(segment_bytes=1))
    for number, hours in enumerate((0, 10_000, -10_000, 5)):
        monkeypatch.setattr(files.time, "time_ns", lambda hours=hours: real() + hours * 3600 * 10**9)
        append_all(queue, b"%d" % number)
        assert 0 <= queue.depth().oldest_age_seconds < 60
    segments = [claim(queue) for _ in range(4)]
    assert [bodies_of(segment.path) for segment in segments] == [[b"%d" % number] for number in range(4)]
    tokens = [segment.token for segment in segments]
    assert tokens == sorted(set(tokens))


def test_segments_from_the_future_are_offered_and_new_ones_sort_behind_them(make_queue: Any, tmp_path: Path):
    directory = tmp_path / "queue" / "traces"
    directory.mkdir(parents=True)
    future = f"{time.time_ns() + 10**18:019d}-aa"
    (directory / f"{future}.segment").write_bytes(encode_record(b"future", 1))
    queue = make_queue(Limits(segment_bytes=1))
    append_all(queue, b"now")
    assert claim(queue).token == future
    assert claim(queue).token > future
    assert queue.depth().oldest_age_seconds >= 0


def test_its_depth_tells_what_waits(make_queue: Any):
    queue = make_queue(Limits(segment_bytes=1))
    append_all(queue, b"x")
    segment = claim(queue)
    depth = queue.depth()
    assert (depth.segments, depth.waiting_bytes) == (1, segment.path.stat().st_size)
    assert depth.oldest_age_seconds > 0
    assert depth.fullness == depth.waiting_bytes / depth.limit_bytes
    queue.remove(segment)
    assert queue.depth() == Depth(0, 0, depth.limit_bytes, 0.0)
