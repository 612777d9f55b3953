"""A segment is one block under one token: stored once in every table, however often it is inserted."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import pytest
from tests.support.otlp import (
    NOON,
    SECOND,
    attributes,
    log_request,
    record_request,
    span_request,
)
from tests.support.segments import only_row, segment_bytes, store, store_bytes

from otel_feedback.clickhouse.database import Database

DAY: Final = 86_400 * SECOND

ONCE: Final = {
    "otel_traces": 2,
    "otel_logs": 2,
    "otel_traces_trace_id_ts": 1,
    "llm_call_spans": 1,
    "llm_call_messages": 1,
    "rating_deliveries": 2,
}


def test_a_segment_is_one_block_however_many_requests_it_holds(unmerged: Database):
    request, _ = span_request()
    logs, record = record_request()
    record.time_unix_nano = NOON
    store_bytes(unmerged, "traces", segment_bytes([request.SerializeToString()] * 70_000))
    store_bytes(unmerged, "logs", segment_bytes([logs.SerializeToString()] * 70_000))
    for table in ("otel_traces", "otel_logs"):
        assert only_row(unmerged, "SELECT count() AS Rows FROM {table:Identifier}", table=table) == {"Rows": 70_000}
        assert active_parts(unmerged, table) == 1


def test_a_large_segment_is_one_block(unmerged: Database):
    requests = []
    for _ in range(24):
        request, spans = span_request(3)
        for span in spans:
            span.attributes.extend(attributes({"prompt": "x" * 1_000_000}))
        requests.append(request)
    store(unmerged, *requests)
    assert only_row(unmerged, "SELECT count() AS Spans FROM otel_traces") == {"Spans": 72}
    assert active_parts(unmerged, "otel_traces") == 1


def test_a_segment_over_many_days_is_one_part_a_day(unmerged: Database):
    days = 150  # more than ClickHouse takes by default, and than the receiver takes of one request
    traces, logs = [], []
    for first in (0, days // 2):
        request, spans = span_request(days // 2)
        for number, span in enumerate(spans, first):
            span.start_time_unix_nano = NOON - number * DAY
            span.end_time_unix_nano = span.start_time_unix_nano + 1
            span.attributes.extend(attributes({"gen_ai.operation.name": "chat"}))
        traces.append(request)
        logs.append(log_request(*range(days // 2)))
        for number, record in enumerate(logs[-1].resource_logs[0].scope_logs[0].log_records, first):
            record.time_unix_nano = NOON - number * DAY
    store(unmerged, *traces)
    store(unmerged, *logs)
    for table in ("otel_traces", "otel_logs"):
        assert active_parts(unmerged, table) == days
    assert only_row(unmerged, "SELECT count() AS Calls FROM llm_call_spans") == {"Calls": days}


def active_parts(database: Database, table: str) -> int:
    query = (
        "SELECT count() AS Parts FROM system.parts"
        " WHERE database = currentDatabase() AND table = {table:String} AND active AND rows > 0"
    )
    return int(only_row(database, query, table=table)["Parts"])


def deliver_everything(database: Database, token: str) -> None:
    """Two segments, one of spans and one of logs, with rows for every table."""
    call = {"gen_ai.operation.name": "chat", "session.id": "s"}
    request, (span, carrier) = span_request(2)
    for index, each in enumerate((span, carrier)):
        each.trace_id, each.span_id = b"t" * 16, bytes([index + 1]) * 8
    span.attributes.extend(attributes(call))
    carrier.name = "user_feedback thumbs"
    carrier.links.add(trace_id=span.trace_id, span_id=span.span_id)
    rating = {"gen_ai.evaluation.name": "thumbs", "gen_ai.evaluation.score.value": 1.0, "otel_feedback.id": "one"}
    carrier.events.add(name="gen_ai.evaluation.result", time_unix_nano=NOON).attributes.extend(attributes(rating))
    store(database, request, token=token)
    logs = log_request(None, None)
    messages, mirror = logs.resource_logs[0].scope_logs[0].log_records
    for record in (messages, mirror):
        record.trace_id, record.span_id, record.time_unix_nano = span.trace_id, span.span_id, NOON
    messages.event_name = "gen_ai.client.inference.operation.details"
    mirror.event_name = "gen_ai.evaluation.result"
    mirror.attributes.extend(attributes(rating))
    store(database, logs, token=token)


def stored_rows(database: Database) -> dict[str, int]:
    """How many rows were inserted into each table and are not merged with others: every INSERT shows."""
    count = "SELECT count() AS Rows FROM {table:Identifier}"
    return {table: int(only_row(database, count, table=table)["Rows"]) for table in ONCE}


@pytest.fixture
def unmerged(database: Database) -> Iterable[Database]:
    """The database while nothing merges, so that a row that was added twice is seen twice."""
    for table in ONCE:
        database.command(f"SYSTEM STOP MERGES {table}")
    yield database
    for table in ONCE:
        database.command(f"SYSTEM START MERGES {table}")


def test_the_same_token_again_adds_nothing_to_any_table(unmerged: Database):
    deliver_everything(unmerged, "a-token")
    assert stored_rows(unmerged) == ONCE
    deliver_everything(unmerged, "a-token")
    deliver_everything(unmerged, "a-token")
    assert stored_rows(unmerged) == ONCE


def test_another_token_adds_its_rows_to_every_table(unmerged: Database):
    deliver_everything(unmerged, "one-token")
    deliver_everything(unmerged, "another-token")
    assert stored_rows(unmerged) == {table: 2 * rows for table, rows in ONCE.items()}


@pytest.mark.parametrize(
    ("view", "table"),
    [
        ("otel_traces_trace_id_ts_mv", "otel_traces_trace_id_ts"),
        ("llm_call_spans_genai_mv", "llm_call_spans"),
        ("llm_call_messages_genai_mv", "llm_call_messages"),
        ("rating_deliveries_from_spans_mv", "rating_deliveries"),
        ("rating_deliveries_from_logs_mv", "rating_deliveries"),
    ],
)
def test_the_same_insert_completes_a_table_that_the_first_one_did_not_reach(unmerged: Database, view: str, table: str):
    unmerged.command(f"DETACH TABLE {view}")
    try:
        deliver_everything(unmerged, f"without-{view}")
    finally:
        unmerged.command(f"ATTACH TABLE {view}")
    assert stored_rows(unmerged)[table] < ONCE[table]
    deliver_everything(unmerged, f"without-{view}")
    assert stored_rows(unmerged) == ONCE


def test_whether_a_segment_is_stored_can_be_asked(database: Database):
    request, _ = span_request()
    logs, _ = record_request()
    store(database, request, token="spans")
    store(database, logs, token="records")
    assert database.segment_is_stored("traces", "spans")
    assert database.segment_is_stored("logs", "records")
    assert not database.segment_is_stored("traces", "records")
    assert not database.segment_is_stored("logs", "it's")
