"""What the writer does when the database answers in ways that a real one can't be made to on demand."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from tests.support.figures import figure
from tests.support.otlp import trace_request

from otel_feedback.clickhouse.segments import Signal
from otel_feedback.errors import DatabaseError, DatabaseUnavailableError, NotFlatError
from otel_feedback.service import writer as writer_module
from otel_feedback.service.durable_queue import boot, files
from otel_feedback.service.durable_queue.queue import DurableQueue
from otel_feedback.service.durable_queue.segment import Record, encode_record, scan
from otel_feedback.service.durable_queue.segment_log import Limits
from otel_feedback.service.telemetry import Telemetry
from otel_feedback.service.writer import ATTEMPTS_BEFORE_REJECTING, Writer


class ScriptedStore:
    """Fails with each of ``failures`` in turn, then stores."""

    def __init__(self, *failures: DatabaseError, stored: set[str] | None = None) -> None:
        self.failures = list(failures)
        self.stored = stored or set()
        self.inserted: list[str] = []
        self.asked: list[str] = []
        self.bodies: list[bytes] = []

    def insert_segment(self, signal: Signal, path: Path, token: str) -> None:
        assert signal == "traces"
        assert path.stat().st_size > 0
        if self.failures:
            raise self.failures.pop(0)
        self.inserted.append(token)
        self.bodies += [each.body for each in scan(path.read_bytes()) if isinstance(each, Record)]

    def forget_segment(self, signal: Signal, token: str) -> None:
        assert signal == "traces"
        assert token not in self.inserted

    def segment_is_stored(self, signal: Signal, token: str) -> bool:
        assert signal == "traces"
        self.asked.append(token)
        return token in self.stored


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer_module, "FIRST_PAUSE_SECONDS", 0.001)
    monkeypatch.setattr(writer_module, "LONGEST_PAUSE_SECONDS", 0.002)


@pytest.fixture
def telemetry() -> Telemetry:
    return Telemetry()


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    directory = tmp_path / "queue" / "traces"
    directory.mkdir(parents=True)
    return directory


@pytest.fixture
def queue(directory: Path, tmp_path: Path, telemetry: Telemetry) -> Iterator[DurableQueue]:
    queue = DurableQueue(
        directory, tmp_path / "rejected", signal="traces", telemetry=telemetry, limits=Limits(segment_bytes=1)
    )
    yield queue
    queue.close(10)


def waiting_files(directory: Path) -> list[Path]:
    return [path for path in directory.iterdir() if path.name != "boot"]


def write_everything(queue: DurableQueue, store: ScriptedStore, telemetry: Telemetry, *bodies: bytes) -> None:
    queue.start()
    writer = Writer("traces", queue, store, telemetry)
    writer.start()
    for body in bodies:
        asyncio.run(queue.append(body))
    queue.close(10)
    assert writer.stop(10)


def test_segments_are_written_in_order_and_removed(queue: DurableQueue, directory: Path, telemetry: Telemetry):
    store = ScriptedStore()
    write_everything(queue, store, telemetry, b"one", b"two", b"three")
    assert len(store.inserted) == 3
    assert store.inserted == sorted(store.inserted)
    assert store.asked == []
    assert waiting_files(directory) == []


def test_an_unavailable_database_is_tried_for_as_long_as_it_takes(
    queue: DurableQueue, directory: Path, tmp_path: Path, telemetry: Telemetry
):
    failures = [DatabaseUnavailableError("down")] * 20 + [DatabaseError("too many parts", code=252)] * 20
    store = ScriptedStore(*failures)
    write_everything(queue, store, telemetry, b"one")
    assert len(store.inserted) == 1
    assert store.asked == [], "rows may be in one table and not in another: only the same INSERT completes them"
    assert figure(telemetry, "insert_failures_total") == 40
    assert waiting_files(directory) == []
    assert not (tmp_path / "rejected").exists()


def test_a_segment_that_the_database_refuses_is_set_aside_and_the_next_one_written(
    queue: DurableQueue, tmp_path: Path, telemetry: Telemetry
):
    store = ScriptedStore(*[DatabaseError("can't parse", code=27)] * ATTEMPTS_BEFORE_REJECTING)
    write_everything(queue, store, telemetry, b"bad", b"good")
    assert len(store.inserted) == 1
    (kept,) = (tmp_path / "rejected").glob("*.segment")
    reason = kept.with_name(f"{kept.name}.reason").read_text()
    assert "code 27" in reason
    assert "can't parse" in reason
    assert figure(telemetry, "segments_rejected_total") == 1


def test_a_segment_of_a_former_process_is_written_under_its_own_token(
    queue: DurableQueue, directory: Path, telemetry: Telemetry
):
    name = files.new_segment_name()
    boot.note_boot(directory)
    (directory / f"{name}.segment").write_bytes(encode_record(b"left", 1))
    store = ScriptedStore(stored={name})
    write_everything(queue, store, telemetry)
    assert store.asked == []
    assert store.inserted == [name]


def test_a_segment_of_a_former_boot_is_asked_for_before_it_is_written(
    queue: DurableQueue, directory: Path, telemetry: Telemetry
):
    stored, missing = files.new_segment_name(), files.new_segment_name()
    for name in (stored, missing):
        (directory / f"{name}.segment").write_bytes(encode_record(b"left", 1))
    (directory / "boot").write_text("another boot")
    store = ScriptedStore(stored={stored})
    write_everything(queue, store, telemetry)
    assert store.asked == [stored, missing]
    assert store.inserted == [missing]
    assert figure(telemetry, "segments_already_stored_total") == 1
    assert waiting_files(directory) == []


def test_a_segment_of_a_former_boot_is_in_doubt_until_an_insert_of_it_begins(
    directory: Path, tmp_path: Path, telemetry: Telemetry
):
    """Also for a process that finds it in a boot which another one had noted, and died."""
    name = files.new_segment_name()
    (directory / f"{name}.segment").write_bytes(encode_record(b"left", 1))
    (directory / "boot").write_text("another boot")

    def start() -> DurableQueue:
        queue = DurableQueue(directory, tmp_path / "rejected", signal="traces", telemetry=telemetry)
        queue.start()
        return queue

    start().close(10)
    queue = start()
    segment = queue.claim()
    assert segment is not None
    assert segment.is_in_doubt
    queue.trust(segment)
    assert not segment.is_in_doubt
    queue.close(10)
    queue = start()
    segment = queue.claim()
    assert segment is not None
    assert not segment.is_in_doubt
    queue.close(10)


def test_a_segment_of_a_former_boot_is_not_asked_for_again_once_an_insert_of_it_has_failed(
    queue: DurableQueue, directory: Path, telemetry: Telemetry
):
    name = files.new_segment_name()
    (directory / f"{name}.segment").write_bytes(encode_record(b"left", 1))
    (directory / "boot").write_text("another boot")
    store = ScriptedStore(DatabaseError("a view failed, its source table has the rows", code=241))
    write_everything(queue, store, telemetry)
    assert store.asked == [name], "the failed INSERT may have left rows in one table and not in another"
    assert store.inserted == [name]


def test_values_that_clickhouse_does_not_decode_are_flattened_and_what_follows_is_looked_at_first(
    queue: DurableQueue, directory: Path, telemetry: Telemetry
):
    nested = [trace_request({"a": {"b": number}}) for number in range(2)]
    flat = [trace_request({"a": number}) for number in range(2)]
    store = ScriptedStore(NotFlatError("nested", code=395))
    write_everything(queue, store, telemetry, *(each.SerializeToString() for each in (*nested, *flat)))
    for number, request in enumerate(nested):
        request.resource_spans[0].scope_spans[0].spans[0].attributes[0].value.string_value = f'{{"b":{number}}}'
    assert [ExportTraceServiceRequest.FromString(body) for body in store.bodies] == [*nested, *flat]
    assert figure(telemetry, "insert_failures_total") == 0
    assert waiting_files(directory) == []


def test_what_an_absent_database_did_not_take_stays_for_the_next_start(
    queue: DurableQueue, directory: Path, telemetry: Telemetry
):
    store = ScriptedStore(*[DatabaseUnavailableError("down")] * 100_000)
    queue.start()
    writer = Writer("traces", queue, store, telemetry)
    writer.start()
    asyncio.run(queue.append(b"one"))
    queue.close(10)
    assert not writer.stop(0.05)
    assert [path.suffix for path in waiting_files(directory)] == [".segment"]
