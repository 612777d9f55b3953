"""Requests that a real ClickHouse refuses, in each of the ways it has, among others that it takes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from tests.integration.clickhouse.conftest import change
from tests.support.figures import figure
from tests.support.otlp import attributes, trace_request
from tests.support.written import NAME, put_segment, rejected_bodies, write_everything

from otel_feedback import semconv
from otel_feedback.clickhouse.database import Database
from otel_feedback.clickhouse.segments import Signal
from otel_feedback.service import writer as writer_module
from otel_feedback.service.otlp_check import check

POISON: Final = 6
COUNT: Final = 10
SPANS_PER_REQUEST: Final = 3
IS_POISON: Final = "SpanAttributes['test.key'] = 'poison'"
# What refuses the poison, and what mends it; as somebody could have it in their own database.
FAILING_VIEW: Final = (
    "CREATE MATERIALIZED VIEW {} TO otel_traces_trace_id_ts AS SELECT TraceId FROM otel_traces WHERE throwIf({})"
)
CAUSES: Final = {
    "the table": (
        f"ALTER TABLE otel_traces ADD CONSTRAINT no_poison CHECK NOT ({IS_POISON})",
        "ALTER TABLE otel_traces DROP CONSTRAINT no_poison",
    ),
    "the first view": (FAILING_VIEW.format("aa_mv", IS_POISON), "DROP VIEW aa_mv"),
    "the last view": (FAILING_VIEW.format("zz_mv", IS_POISON), "DROP VIEW zz_mv"),
    "a view's table": (
        "ALTER TABLE llm_call_spans ADD CONSTRAINT no_poison CHECK UserId != 'poison'",
        "ALTER TABLE llm_call_spans DROP CONSTRAINT no_poison",
    ),
}


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer_module, "FIRST_PAUSE_SECONDS", 0.0)


@pytest.fixture(params=CAUSES)
def mending(request: pytest.FixtureRequest, database: Database) -> Iterator[str]:
    """The database refuses poison; the statement that mends it."""
    breaking, mending = CAUSES[request.param]
    change(database, breaking)
    yield mending
    if request.param.endswith("view"):
        change(database, mending.replace("VIEW", "VIEW IF EXISTS"))
    else:
        change(database, mending.replace("CONSTRAINT", "CONSTRAINT IF EXISTS"))


def requests() -> list[bytes]:
    """LLM calls with a rating each, told by their key; one of them is poison."""
    bodies = []
    for number in range(COUNT):
        key = "poison" if number == POISON else f"good {number}"
        call = {"test.key": key, "user.id": key, "gen_ai.operation.name": "chat", "session.id": key}
        request = trace_request(*[call] * SPANS_PER_REQUEST)
        event = request.resource_spans[0].scope_spans[0].spans[0].events.add(name=semconv.EVALUATION_EVENT)
        event.attributes.extend(attributes({semconv.EVALUATION_NAME: "thumbs", semconv.FEEDBACK_ID: key}))
        bodies.append(request.SerializeToString())
    return bodies


def told(database: Database, table: str, key: str) -> dict[str, int]:
    rows = database.query(f"SELECT {key} AS Key, count() AS Rows FROM {table} GROUP BY Key")  # noqa: S608  # our names
    return {row["Key"]: int(row["Rows"]) for row in rows}


def check_rows(database: Database, keys: set[str]) -> None:
    """Every request with one of these keys once, in every table, and nothing else."""
    assert told(database, "otel_traces", "SpanAttributes['test.key']") == dict.fromkeys(keys, SPANS_PER_REQUEST)
    assert told(database, "llm_call_spans FINAL", "UserId") == dict.fromkeys(keys, SPANS_PER_REQUEST)
    assert told(database, "llm_calls", "UserId") == dict.fromkeys(keys, SPANS_PER_REQUEST)
    assert told(database, "feedback_events", "EventId") == dict.fromkeys(keys, 1)
    assert told(database, "rating_deliveries FINAL", "EventId") == dict.fromkeys(keys, 1)
    assert keys <= set(told(database, "traces", "SessionId"))


def test_one_request_is_refused_its_neighbours_are_stored_and_later_it_is_too(
    database: Database, mending: str, tmp_path: Path
):
    bodies = requests()
    put_segment(tmp_path, bodies)
    telemetry = write_everything(tmp_path, database)
    good = {f"good {number}" for number in range(COUNT) if number != POISON}
    check_rows(database, good)
    assert rejected_bodies(tmp_path) == {f"{NAME}.{POISON}-{POISON + 1}": [bodies[POISON]]}
    assert figure(telemetry, "segments_rejected_total") == 1
    assert figure(telemetry, "segments_split_total") > 1

    change(database, mending)
    (kept,) = (tmp_path / "rejected").glob("*.segment")
    kept.rename(tmp_path / "queue" / "1764031558000000000-deadbeef.replay")
    write_everything(tmp_path, database)
    check_rows(database, {*good, "poison"})


def test_a_database_that_refuses_everything_keeps_everything(database: Database, tmp_path: Path):
    change(
        database,
        "CREATE MATERIALIZED VIEW zz_mv TO otel_traces_trace_id_ts AS SELECT TraceId FROM otel_traces WHERE throwIf(1)",
    )
    bodies = requests()
    put_segment(tmp_path, bodies)
    try:
        write_everything(tmp_path, database)
    finally:
        change(database, "DROP VIEW zz_mv")
    assert sorted(record for each in rejected_bodies(tmp_path).values() for record in each) == sorted(bodies)
    check_rows(database, set())


def test_times_of_thousands_of_days_make_no_thousands_of_parts(database: Database, tmp_path: Path):
    """A request of one day is stored beside one that would be a part a day, which no table could merge."""
    wild, tame = trace_request(*[{}] * 1001), trace_request({})
    for day, span in enumerate(wild.resource_spans[0].scope_spans[0].spans):
        span.start_time_unix_nano = day * 86_400_000_000_000
        span.trace_id = b"a" * 16  # of a cluster all on one shard, each of which has its own bound
    put_segment(tmp_path, [each.SerializeToString() for each in (wild, tame)])
    write_everything(tmp_path, database)
    assert database.query("SELECT uniqExact(_partition_id) AS Days, count() AS Spans FROM otel_traces") == [
        {"Days": 1, "Spans": 1}
    ]
    assert rejected_bodies(tmp_path) == {f"{NAME}.0-1": [wild.SerializeToString()]}


# Attribute values, and whole fields of a span or log record, that protobuf allows and ClickHouse's reader does not.
ODD_VALUES: Final = {
    "a oneof that is set twice": (b"\x18\x07\x0a\x01x", "x"),
    "a bool of two": (b"\x10\x02", "true"),
    "a number of a longer varint than it needs": (b"\x18\x87\x80\x80\x00", "7"),
    "a text in a number's wire type": (b"\x08\x07", ""),
    "a group that nobody knows": (b"\xa3\x06\xa4\x06\x0a\x01x", "x"),
}
ODD_NUMBERS: Final = {"traces": b"\x30", "logs": b"\x10"}
"""The tags of Span.kind and LogRecord.severity_number, which are 32 bits wide."""
WIDE: Final = b"\x83\x80\x80\x80\x80\x01"
"""2^35 + 3: to protobuf a 3 in a field of 32 bits."""


def field(number: int, content: bytes) -> bytes:
    assert len(content) < 128
    return bytes([number << 3 | 2, len(content)]) + content


def odd_request(signal: Signal, value: bytes, number: bytes) -> bytes:
    attribute = field(1, b"odd") + field(2, value)
    if signal == "traces":
        item = field(1, b"t" * 16) + field(2, b"s" * 8) + field(9, attribute) + number
    else:
        item = field(6, attribute) + number
    return field(1, field(2, field(2, item)))


@pytest.mark.parametrize("signal", ["traces", "logs"])
@pytest.mark.parametrize("oddity", ODD_VALUES)
def test_what_protobuf_allows_and_clickhouses_reader_does_not_is_stored_as_protobuf_says(
    database: Database, tmp_path: Path, signal: Signal, oddity: str
):
    value, text = ODD_VALUES[oddity]
    body = odd_request(signal, value, ODD_NUMBERS[signal] + WIDE)
    assert check(signal, body).body == body, "the receiver takes it"
    put_segment(tmp_path, [body])
    write_everything(tmp_path, database, signal)
    assert not (tmp_path / "rejected").exists()
    question = {
        "traces": "SELECT SpanAttributes['odd'] AS Odd, SpanKind AS Number FROM otel_traces",
        "logs": "SELECT LogAttributes['odd'] AS Odd, toString(SeverityNumber) AS Number FROM otel_logs",
    }
    assert database.query(question[signal]) == [{"Odd": text, "Number": {"traces": "Client", "logs": "3"}[signal]}]
