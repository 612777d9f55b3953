"""A queue's appends, claims, removals and rejections."""

from __future__ import annotations

import asyncio
import os
import threading
from pathlib import Path
from typing import Any

import pytest
from tests.support.figures import figure
from tests.support.queues import PATIENT, QUICK, append_all, bodies_of, claim

from otel_feedback.service.durable_queue import files
from otel_feedback.service.durable_queue.busy import QueueBusyError
from otel_feedback.service.durable_queue.queue import Depth
from otel_feedback.service.durable_queue.segment import encode_record
from otel_feedback.service.durable_queue.segment_log import Limits
from otel_feedback.service.telemetry import Telemetry


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
