"""A request that ClickHouse refuses is found among its neighbours, whenever the process is killed in between."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from tests.support.figures import figure
from tests.support.segments import segment_bytes
from tests.support.written import NAME, bodies_of, put_segment, rejected_bodies, write_everything

from otel_feedback.clickhouse.segments import Signal
from otel_feedback.errors import DatabaseError, DatabaseUnavailableError
from otel_feedback.service import isolation
from otel_feedback.service import writer as writer_module
from otel_feedback.service.durable_queue import files
from otel_feedback.service.durable_queue.queue import DurableQueue
from otel_feedback.service.durable_queue.segment import Record, scan
from otel_feedback.service.telemetry import Telemetry
from otel_feedback.service.writer import ATTEMPTS_BEFORE_REJECTING, Writer


class Killed(BaseException):
    """The process ends here."""


class Store:
    """As ClickHouse: remembers tokens for good, and a view that fails leaves the rows in the source table.

    It refuses segments that hold one of ``poison``.
    """

    def __init__(self, *poison: bytes, leaves_rows: bool = False, code: int = 469) -> None:
        self.poison = set(poison)
        self.code = code
        self.leaves_rows = leaves_rows
        self.tokens: set[str] = set()
        self.rows: list[tuple[str, bytes]] = []
        self.inserts = 0

    def insert_segment(self, signal: Signal, path: Path, token: str) -> None:
        assert signal == "traces"
        self.inserts += 1
        bodies = bodies_of(path)
        is_refused = not self.poison.isdisjoint(bodies)
        if token not in self.tokens and (self.leaves_rows or not is_refused):
            self.tokens.add(token)
            self.rows += [(token, each) for each in bodies]
        if is_refused:
            raise DatabaseError("refused", code=self.code)

    def forget_segment(self, signal: Signal, token: str) -> None:
        assert signal == "traces"
        self.rows = [row for row in self.rows if row[0] != token]

    def segment_is_stored(self, signal: Signal, token: str) -> bool:
        raise AssertionError((signal, token, "the boot is the same"))


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer_module, "FIRST_PAUSE_SECONDS", 0.0)
    monkeypatch.setattr(writer_module, "LONGEST_PAUSE_SECONDS", 0.0)


def bodies(count: int) -> list[bytes]:
    return [body(number) for number in range(count)]


def body(number: int) -> bytes:
    """A request, which sorts as its number does."""
    request = ExportTraceServiceRequest()
    request.resource_spans.add().scope_spans.add().spans.add(name=f"{number:04}")
    return request.SerializeToString()


@pytest.mark.parametrize("leaves_rows", [False, True])
@pytest.mark.parametrize("place", [0, 1, 499, 500, 777, 999])
def test_one_of_a_thousand_is_found(tmp_path: Path, place: int, *, leaves_rows: bool):
    records = bodies(1000)
    store = Store(records[place], leaves_rows=leaves_rows)
    put_segment(tmp_path, records)
    telemetry = write_everything(tmp_path, store)
    assert sorted(each for _, each in store.rows) == [each for each in records if each != records[place]]
    assert rejected_bodies(tmp_path) == {f"{NAME}.{place}-{place + 1}": [records[place]]}
    assert figure(telemetry, "segments_rejected_total") == 1
    assert store.inserts <= ATTEMPTS_BEFORE_REJECTING + 2 * 10, "two a halving"


def test_the_reason_names_the_code_and_what_clickhouse_said(tmp_path: Path):
    store = Store(body(1))
    put_segment(tmp_path, bodies(3))
    write_everything(tmp_path, store)
    (reason,) = (tmp_path / "rejected").glob("*.reason")
    assert "code 469" in reason.read_text()
    assert "refused" in reason.read_text()
    assert f"{NAME}.1-2" in reason.read_text()


def test_some_of_many_are_found(tmp_path: Path):
    records = bodies(300)
    poison = records[5:300:60]
    store = Store(*poison)
    put_segment(tmp_path, records)
    write_everything(tmp_path, store)
    assert sorted(each for _, each in store.rows) == sorted(set(records) - set(poison))
    assert sorted(rejected_bodies(tmp_path).values()) == [[each] for each in poison]


def test_where_everything_is_refused_the_search_ends_early_and_nothing_is_lost(tmp_path: Path):
    records = bodies(5000)
    store = Store(*records)
    put_segment(tmp_path, records)
    write_everything(tmp_path, store)
    assert store.rows == []
    assert store.inserts < ATTEMPTS_BEFORE_REJECTING + isolation.FUTILE_REFUSALS + 20
    kept = rejected_bodies(tmp_path)
    assert sorted(record for each in kept.values() for record in each) == records
    largest = max(kept, key=lambda name: len(kept[name]))
    assert "may hold good requests" in (tmp_path / "rejected" / f"{largest}.segment.reason").read_text()


def test_a_search_that_is_over_still_stores_what_can_be(tmp_path: Path):
    records = bodies(4096)
    store = Store(*records[:400])
    put_segment(tmp_path, records)
    write_everything(tmp_path, store)
    stored = {each for _, each in store.rows}
    kept = [record for each in rejected_bodies(tmp_path).values() for record in each]
    assert sorted([*stored, *kept]) == records
    assert stored >= set(records[512:])


@pytest.mark.parametrize("code", [469, 0])
def test_a_database_that_goes_away_in_between_refuses_nothing(tmp_path: Path, code: int):
    """Not even where the code of the refusal is not known either."""
    records = bodies(64)
    store = Store(records[40], leaves_rows=True, code=code)
    insert, forget, failures = store.insert_segment, store.forget_segment, iter(range(1000))

    def away_every_other_time(call: Callable[..., None]) -> Callable[..., None]:
        def attempt(*arguments: Any) -> None:
            if next(failures) % 2:
                raise DatabaseUnavailableError("away")
            call(*arguments)

        return attempt

    store.insert_segment = away_every_other_time(insert)  # type: ignore[method-assign]
    store.forget_segment = away_every_other_time(forget)  # type: ignore[method-assign]
    put_segment(tmp_path, records)
    write_everything(tmp_path, store)
    assert Counter(each for _, each in store.rows) == Counter(set(records) - {records[40]})
    assert rejected_bodies(tmp_path) == {f"{NAME}.40-41": [records[40]]}


@pytest.fixture
def kill_at(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int | None], None]]:
    """Sets the writer's step with disk or database, counted from now, before or after which the process is killed."""
    steps_left: list[int | None] = [None]

    def step() -> None:
        if steps_left[0] is not None and threading.current_thread() is threading.main_thread():
            steps_left[0] -= 1
            if steps_left[0] < 0:
                raise Killed

    def breakable(owner: Any, name: str) -> None:
        original = getattr(owner, name)

        def attempt(*arguments: Any, **named: Any) -> Any:
            step()
            result = original(*arguments, **named)
            step()
            return result

        monkeypatch.setattr(owner, name, attempt)

    for name in ("write_all", "sync_directory"):
        breakable(files, name)
    for name in ("rename", "unlink"):
        breakable(Path, name)
    for name in ("insert_segment", "forget_segment"):
        breakable(Store, name)
    yield lambda steps: steps_left.__setitem__(0, steps)
    steps_left[0] = None


@pytest.mark.parametrize("leaves_rows", [False, True])
def test_killed_between_any_two_steps_nothing_is_lost_and_nothing_stored_twice(
    tmp_path: Path, kill_at: Callable[[int | None], None], *, leaves_rows: bool
):
    records = bodies(6)
    steps, is_killed = 0, True
    while is_killed:
        store = Store(records[2], leaves_rows=leaves_rows)
        put_segment(tmp_path, records)
        kill_at(steps)
        try:
            write_everything(tmp_path, store)
            kill_at(None)
            is_killed = False
        except Killed:
            kill_at(None)
            write_everything(tmp_path, store)
        assert Counter(each for _, each in store.rows) == Counter(set(records) - {records[2]}), steps
        assert rejected_bodies(tmp_path) == {f"{NAME}.2-3": [records[2]]}, steps
        for path in (tmp_path / "rejected").iterdir():
            path.unlink()
        steps += 1
    assert steps > 100, "the writer took fewer steps than a bisection of six has"


def test_damage_is_no_reason_to_reject_what_stands_beside_it(tmp_path: Path):
    """A byte that flips after the claim: ClickHouse can't decode the segment, and the rest of it is stored."""
    records = bodies(4)
    store = Store()
    path = put_segment(tmp_path, records)
    content = bytearray(segment_bytes(records))
    start, end = len(content) // 4, len(content) // 2
    content[start + 5] ^= 1

    def refuse_damage(signal: Signal, segment: Path, token: str) -> None:
        if segment == path:
            path.write_bytes(content)
        if any(not isinstance(each, Record) for each in scan(segment.read_bytes())):
            raise DatabaseError("corrupted", code=444)
        Store.insert_segment(store, signal, segment, token)

    store.insert_segment = refuse_damage  # type: ignore[method-assign]
    queue = DurableQueue(tmp_path / "queue", tmp_path / "rejected", signal="traces", telemetry=Telemetry())
    queue.start()
    queue.close(10)
    Writer("traces", queue, store, Telemetry())._write_segments()
    assert [each for _, each in store.rows] == [records[0], records[2], records[3]]
    assert (tmp_path / "rejected" / f"{NAME}.1-2.segment").read_bytes() == content[start:end]
