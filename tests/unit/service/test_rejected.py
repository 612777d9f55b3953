"""What lies in rejected/: listed, decoded, put back once whoever is killed, or removed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.support.otlp import log_request, trace_request

from otel_feedback.service.durable_queue.files import set_aside
from otel_feedback.service.durable_queue.queue import DurableQueue
from otel_feedback.service.durable_queue.segment import Record, encode_record, scan
from otel_feedback.service.rejected import RejectedFileError, decoded, drop, find, put_back, rejected_files
from otel_feedback.service.telemetry import Telemetry

TRACES = trace_request({"a": 1}).SerializeToString()
LOGS = log_request("text").SerializeToString()


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """One rejected request of each signal, and a damaged stretch."""
    rejected = tmp_path / "rejected"
    set_aside(encode_record(TRACES, 1), rejected / "traces", "1-aa.2-3.segment", "refused (code 469): no")
    set_aside(encode_record(LOGS, 1) * 2, rejected / "logs", "2-bb.segment", "refused (code 27): no")
    set_aside(b"damage", rejected / "traces", "3-cc.17", "a wrong checksum")
    return tmp_path


def test_they_are_listed_with_what_is_in_them_and_why(data_dir: Path):
    told = [(each.name, each.signal, each.requests, each.damaged, each.code) for each in rejected_files(data_dir)]
    assert told == [
        ("1-aa.2-3.segment", "traces", 1, 0, 469),
        ("3-cc.17", "traces", 0, 1, 0),
        ("2-bb.segment", "logs", 2, 0, 27),
    ]
    assert rejected_files(data_dir)[0].reason == "refused (code 469): no"
    assert rejected_files(data_dir / "nowhere") == []


@pytest.mark.parametrize("name", ["1-aa.2-3.segment", "1-aa.2-3"])
def test_a_file_is_found_by_its_name(data_dir: Path, name: str):
    assert find(data_dir, name).name == "1-aa.2-3.segment"


@pytest.mark.parametrize("name", ["9-zz", "", "..", "../traces/1-aa.2-3.segment", "1-aa.2-3.segment.reason"])
def test_what_is_not_there_is_told(data_dir: Path, name: str):
    with pytest.raises(RejectedFileError, match="doctor rejected"):
        find(data_dir, name)


def test_requests_are_shown_as_otlp_json(data_dir: Path):
    (shown,) = decoded(find(data_dir, "1-aa.2-3"))
    span = shown["resourceSpans"][0]["scopeSpans"][0]["spans"][0]
    assert bytes.fromhex(span["traceId"])[-1] == 1
    assert span["kind"] == 1
    assert len(list(decoded(find(data_dir, "2-bb")))) == 2


def test_what_is_no_request_is_shown_in_hex(data_dir: Path):
    (shown,) = decoded(find(data_dir, "3-cc.17"))
    assert bytes.fromhex(shown["hex"]) == b"damage"
    set_aside(encode_record(b"\xff\xff", 1), data_dir / "rejected" / "traces", "4-dd.segment", "no request")
    (shown,) = decoded(find(data_dir, "4-dd"))
    assert (shown["hex"], "no OTLP request" in shown["damage"]) == ("ffff", True)


def queue_of(data_dir: Path) -> Any:
    return DurableQueue(data_dir / "queue" / "traces", data_dir / "rejected", signal="traces", telemetry=Telemetry())


def test_what_is_put_back_is_taken_by_the_next_start(data_dir: Path):
    name = put_back(data_dir, find(data_dir, "1-aa.2-3"))
    queue = queue_of(data_dir)
    queue.start()
    segment = queue.claim()
    queue.close(10)
    assert segment.token == name != "1-aa.2-3", "its old token may stand in ClickHouse's log of tokens"
    (record,) = scan(segment.path.read_bytes())
    assert isinstance(record, Record)
    assert record.body == TRACES
    assert not list((data_dir / "rejected" / "traces").glob("1-aa*"))


def test_what_is_put_back_is_taken_by_a_running_service_once(data_dir: Path):
    queue = queue_of(data_dir)
    queue.start()
    name = put_back(data_dir, find(data_dir, "1-aa.2-3"))
    assert (queue.adopt_replays(), queue.adopt_replays()) == (1, 0)
    segment = queue.claim()
    assert segment.token == name
    queue.remove(segment)
    assert (queue.depth().segments, queue.depth().waiting_bytes) == (0, 0)
    queue.close(10)


def test_a_stopping_service_leaves_it_for_the_next_start(data_dir: Path):
    queue = queue_of(data_dir)
    queue.start()
    queue.close(10)
    put_back(data_dir, find(data_dir, "1-aa.2-3"))
    assert queue.adopt_replays() == 0
    assert len(list((data_dir / "queue" / "traces").glob("*.replay"))) == 1


def test_put_back_twice_it_is_there_once(data_dir: Path):
    file = find(data_dir, "1-aa.2-3")
    put_back(data_dir, file)
    with pytest.raises(RejectedFileError, match="gone"):
        put_back(data_dir, file)
    assert len(list((data_dir / "queue" / "traces").iterdir())) == 1


def test_killed_after_the_move_it_is_there_once_and_no_longer_listed(data_dir: Path, monkeypatch: pytest.MonkeyPatch):
    def killed(_path: Path, **_: Any) -> None:
        raise KeyboardInterrupt

    file = find(data_dir, "1-aa.2-3")
    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", killed)
        with pytest.raises(KeyboardInterrupt):
            put_back(data_dir, file)
    assert len(list((data_dir / "queue" / "traces").glob("*.replay"))) == 1
    assert [each.name for each in rejected_files(data_dir)] == ["3-cc.17", "2-bb.segment"]


def test_damage_can_not_be_put_back(data_dir: Path):
    with pytest.raises(RejectedFileError, match=r"rejected show 3-cc\.17"):
        put_back(data_dir, find(data_dir, "3-cc.17"))
    assert find(data_dir, "3-cc.17").damaged == 1


def test_what_is_dropped_is_gone_with_its_reason(data_dir: Path):
    drop(find(data_dir, "1-aa.2-3"))
    assert sorted(path.name for path in (data_dir / "rejected" / "traces").iterdir()) == ["3-cc.17", "3-cc.17.reason"]
