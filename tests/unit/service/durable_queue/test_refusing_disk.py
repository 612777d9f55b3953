"""What a queue does while the disk refuses, and after it."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.support.figures import figure
from tests.support.queues import PATIENT, QUICK, append_all, bodies_of, claim

from otel_feedback.service.durable_queue import files, group_commit, segment_log
from otel_feedback.service.durable_queue.busy import QueueWriteError
from otel_feedback.service.durable_queue.segment import encode_record
from otel_feedback.service.telemetry import Telemetry


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
