"""When segments close, and how their names tell their age."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest
from tests.support.clocks import Clocks
from tests.support.queues import PATIENT, QUICK, append_all, bodies_of, claim

from otel_feedback.service.durable_queue import files, segment_log
from otel_feedback.service.durable_queue.busy import QueueBusyError
from otel_feedback.service.durable_queue.segment import encode_record
from otel_feedback.service.durable_queue.segment_log import Claimed, Limits, SegmentLog


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
    clocks = Clocks()
    monkeypatch.setattr(segment_log, "time", clocks)
    log = SegmentLog(tmp_path, Limits(segment_age_seconds=10, lull_bytes=100, lull_seconds=1), no_offer)
    log.append([b"x" * 200])
    clocks.now += 0.9
    log.append([b"y"])
    clocks.now += 0.9
    log.close_if_due()
    assert log.seconds_until_due() == pytest.approx(0.1)
    clocks.now += 8
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
