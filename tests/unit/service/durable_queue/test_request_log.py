import os
from pathlib import Path

import pytest

from otel_feedback.service.durable_queue import files, request_log
from otel_feedback.service.durable_queue.digest import digest_of
from otel_feedback.service.durable_queue.request_log import RequestLog

DIGESTS = [digest_of(b"%d" % number) for number in range(10)]


def test_what_was_noted_is_read_by_the_next_process(tmp_path: Path):
    log = RequestLog(tmp_path / "traces")
    assert log.read() == []
    log.begin(DIGESTS[:2])
    log.note(DIGESTS[2:4])
    log.note(DIGESTS[4:5])
    assert RequestLog(tmp_path / "traces").read() == DIGESTS[:5], "it was killed"
    log.close()


def test_only_the_newest_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(request_log, "MOST_REQUESTS", 3)
    log = RequestLog(tmp_path / "traces")
    log.begin(DIGESTS[:5])
    assert log.read() == DIGESTS[2:5]
    for digest in DIGESTS:
        log.note([digest])
    assert log.read() == DIGESTS[6:]
    log.close()


def test_a_digest_that_was_written_in_part_is_left_out(tmp_path: Path):
    log = RequestLog(tmp_path / "traces")
    log.begin([])
    log.note(DIGESTS[:2])
    log.close()
    path = tmp_path / "traces-requests"
    path.write_bytes(path.read_bytes()[:-1])
    assert log.read() == DIGESTS[:1]


def test_a_disk_that_refuses_costs_what_comes_then_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    log = RequestLog(tmp_path / "traces")
    log.begin([])
    log.note(DIGESTS[:1])
    writev = os.writev

    def fill_up(descriptor: int, parts: list[memoryview]) -> int:
        if len(parts[0]) <= 20:
            raise OSError(28, "No space left on device")
        return writev(descriptor, [parts[0][:20]])

    with monkeypatch.context() as patch:
        patch.setattr(files.os, "writev", fill_up)
        log.note(DIGESTS[1:2])
    log.note(DIGESTS[2:3])
    assert log.read() == [DIGESTS[0], DIGESTS[2]]
    log.close()


def test_without_a_place_to_begin_nothing_is_noted_and_nothing_breaks(tmp_path: Path):
    log = RequestLog(tmp_path / "missing" / "traces")
    with pytest.raises(FileNotFoundError):
        log.begin(DIGESTS)
    log.note(DIGESTS)
    assert log.read() == []
