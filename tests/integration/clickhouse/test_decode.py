"""Spans and log records as ClickHouse decodes them of a segment: the rows that the Collector's exporter would write."""

from __future__ import annotations

from typing import Final

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from tests.support.otlp import (
    NOON,
    SECOND,
    record_request,
    span_request,
)
from tests.support.segments import ARRIVAL_UNIX_NANO, only_row, segment_bytes, store, store_bytes

from otel_feedback.clickhouse.database import Database

DAY: Final = 86_400 * SECOND

LARGEST_TIME: Final = 2**63 - 1


@pytest.mark.parametrize("zeros", [b"", bytes(16)])
def test_absent_and_zero_ids_are_empty(database: Database, zeros: bytes):
    request, (span,) = span_request()
    span.parent_span_id = zeros[:8]
    span.links.add(trace_id=zeros, span_id=zeros[:8])
    logs, record = record_request()
    record.trace_id, record.span_id = zeros, zeros[:8]
    store(database, request)
    store(database, logs)
    row = only_row(database, "SELECT ParentSpanId, Links.TraceId AS T, Links.SpanId AS S FROM otel_traces")
    assert row == {"ParentSpanId": "", "T": [""], "S": [""]}
    assert only_row(database, "SELECT TraceId, SpanId FROM otel_logs") == {"TraceId": "", "SpanId": ""}


def test_ids_are_lower_case_hexadecimal_digits(database: Database):
    request, (span,) = span_request()
    span.trace_id, span.span_id = b"\x00" * 15 + b"\xab", b"\xff" * 8
    span.parent_span_id = b"\x01" + bytes(7)
    store(database, request)
    row = only_row(database, "SELECT TraceId, SpanId, ParentSpanId FROM otel_traces")
    assert row == {"TraceId": "0" * 30 + "ab", "SpanId": "f" * 16, "ParentSpanId": "01" + "0" * 14}


def test_a_span_without_ids_from_a_segment_of_someone_elses_is_kept(database: Database):
    request, (span,) = span_request()
    span.trace_id, span.span_id = b"", bytes(8)
    store(database, request, checked=False)
    assert only_row(database, "SELECT TraceId, SpanId FROM otel_traces") == {"TraceId": "", "SpanId": ""}
    assert database.query("SELECT * FROM otel_traces_trace_id_ts") == []
    assert database.query("SELECT * FROM otel_traces_trace_id_ts") == []


@pytest.mark.parametrize(
    ("kind", "text"),
    list(enumerate(["Unspecified", "Internal", "Server", "Client", "Producer", "Consumer", "", ""])),
)
def test_span_kinds_have_the_exporters_names_and_unknown_ones_none(database: Database, kind: int, text: str):
    request, (span,) = span_request()
    span.kind = kind  # type: ignore[assignment]
    store(database, request)
    assert only_row(database, "SELECT SpanKind FROM otel_traces") == {"SpanKind": text}


@pytest.mark.parametrize(("code", "text"), [(0, "Unset"), (1, "Ok"), (2, "Error"), (3, ""), (-1, ""), (2**31 - 1, "")])
def test_status_codes_have_the_exporters_names_and_unknown_ones_none(database: Database, code: int, text: str):
    request, (span,) = span_request()
    span.status.code = code  # type: ignore[assignment]
    store(database, request)
    assert only_row(database, "SELECT StatusCode FROM otel_traces") == {"StatusCode": text}


@pytest.mark.parametrize(("severity", "stored"), [(0, 0), (1, 1), (24, 24), (25, 25), (-1, 255), (2**31 - 1, 255)])
def test_unknown_severities_are_cut_to_a_byte(database: Database, severity: int, stored: int):
    request, record = record_request()
    record.severity_number = severity  # type: ignore[assignment]
    record.severity_text = "Whatever"
    store(database, request)
    row = only_row(database, "SELECT SeverityNumber, SeverityText FROM otel_logs")
    assert row == {"SeverityNumber": stored, "SeverityText": "Whatever"}


def test_of_a_log_records_flags_the_w3c_byte_is_kept(database: Database):
    request, record = record_request()
    record.flags = 0x301
    store(database, request)
    assert only_row(database, "SELECT TraceFlags FROM otel_logs") == {"TraceFlags": 1}


@pytest.mark.parametrize("moment", [1, NOON, NOON + 123456789, 4_300_000_000 * SECOND, LARGEST_TIME])
def test_times_are_kept_to_the_nanosecond(database: Database, moment: int):
    request, (span,) = span_request()
    span.start_time_unix_nano = span.end_time_unix_nano = moment
    span.events.add(time_unix_nano=moment)
    store(database, request)
    row = only_row(
        database,
        "SELECT toUnixTimestamp64Nano(Timestamp) AS T, toUnixTimestamp64Nano(Events.Timestamp[1]) AS E"
        " FROM otel_traces",
    )
    assert row == {"T": moment, "E": moment}


def test_a_time_beyond_the_year_2262_wraps_and_its_neighbours_are_stored(database: Database):
    request, (strange, usual) = span_request(2)
    strange.start_time_unix_nano = strange.end_time_unix_nano = 2**64 - 1
    store(database, request)
    moments = [row["T"] for row in database.query("SELECT toUnixTimestamp64Nano(Timestamp) AS T FROM otel_traces")]
    assert sorted(moments) == [-1, usual.start_time_unix_nano]


@pytest.mark.parametrize(
    ("start", "end", "duration"),
    [
        (NOON, NOON + 5, 5),
        (NOON, NOON, 0),
        (NOON, NOON - 1, 0),
        (NOON, 0, 0),
        (1, 2**64 - 1, 2**64 - 2),
        (0, NOON, 0),
        (2**64 - 1, 0, 0),
    ],
)
def test_a_span_that_ends_before_it_starts_took_no_time(database: Database, start: int, end: int, duration: int):
    request, (span,) = span_request()
    span.start_time_unix_nano, span.end_time_unix_nano = start, end
    store(database, request)
    assert only_row(database, "SELECT Duration FROM otel_traces") == {"Duration": duration}


@pytest.mark.parametrize(("end", "stored"), [(NOON, NOON), (0, ARRIVAL_UNIX_NANO)])
def test_a_span_without_a_start_begins_at_its_end_or_when_it_came(database: Database, end: int, stored: int):
    request, (span,) = span_request()
    span.start_time_unix_nano, span.end_time_unix_nano = 0, end
    store(database, request)
    row = only_row(database, "SELECT toUnixTimestamp64Nano(Timestamp) AS T, Duration FROM otel_traces")
    assert row == {"T": stored, "Duration": 0}


@pytest.mark.parametrize(("trace_id", "span_id"), [(b"t" * 15, b"s" * 9), (b"t" * 17, b"s"), (b"t", b"")])
def test_a_log_record_with_ids_of_another_length_belongs_to_no_trace(
    database: Database, trace_id: bytes, span_id: bytes
):
    request, record = record_request()
    record.trace_id, record.span_id = trace_id, span_id
    store(database, request)
    assert only_row(database, "SELECT TraceId, SpanId FROM otel_logs") == {"TraceId": "", "SpanId": ""}


def test_a_parent_and_links_with_ids_of_another_length_are_kept_as_they_came(database: Database):
    request, (span,) = span_request()
    span.parent_span_id = b"\x01\x02"
    span.links.add(trace_id=b"\xab", span_id=b"\xcd" * 9)
    store(database, request)
    row = only_row(database, "SELECT ParentSpanId AS P, Links.TraceId AS T, Links.SpanId AS S FROM otel_traces")
    assert row == {"P": "0102", "T": ["ab"], "S": ["cd" * 9]}


@pytest.mark.parametrize(("time", "observed", "stored"), [(5, 7, 5), (0, 7, 7), (0, 0, ARRIVAL_UNIX_NANO)])
def test_a_log_record_without_a_time_has_the_time_it_was_observed_at_or_came_at(
    database: Database, time: int, observed: int, stored: int
):
    request, record = record_request()
    record.time_unix_nano, record.observed_time_unix_nano = time, observed
    store(database, request)
    assert only_row(database, "SELECT toUnixTimestamp64Nano(Timestamp) AS T FROM otel_logs") == {"T": stored}


def test_everything_else_of_a_span_has_its_column(database: Database):
    request, (span,) = span_request()
    scope = request.resource_spans[0].scope_spans[0].scope
    scope.name, scope.version = "a.library", "1.2"
    span.trace_state, span.name, span.kind = "vendor=1", "GET /", Span.SPAN_KIND_SERVER
    span.status.code, span.status.message = 2, "why"
    span.events.add(name="one", time_unix_nano=NOON + 1)
    span.events.add(name="two", time_unix_nano=NOON + 2)
    span.links.add(trace_id=b"\x0a" * 16, span_id=b"\x0b" * 8, trace_state="x=y")
    token = store(database, request)
    row = only_row(
        database,
        "SELECT TraceState, SpanName, SpanKind, ServiceName, ScopeName, ScopeVersion, Duration, StatusCode,"
        " StatusMessage,"
        " Events.Name AS Events, arrayMap(t -> toUnixTimestamp64Nano(t), Events.Timestamp) AS Times,"
        " Links.TraceId AS LinkedTraces, Links.SpanId AS LinkedSpans, Links.TraceState AS States, Segment"
        " FROM otel_traces",
    )
    assert row == {
        "TraceState": "vendor=1",
        "SpanName": "GET /",
        "SpanKind": "Server",
        "ServiceName": "shop",
        "ScopeName": "a.library",
        "ScopeVersion": "1.2",
        "Duration": 5,
        "StatusCode": "Error",
        "StatusMessage": "why",
        "Events": ["one", "two"],
        "Times": [NOON + 1, NOON + 2],
        "LinkedTraces": ["0a" * 16],
        "LinkedSpans": ["0b" * 8],
        "States": ["x=y"],
        "Segment": token,
    }


def test_everything_else_of_a_log_record_has_its_column(database: Database):
    request, record = record_request()
    group = request.resource_logs[0]
    group.schema_url, group.scope_logs[0].schema_url = "https://resource", "https://scope"
    group.scope_logs[0].scope.name, group.scope_logs[0].scope.version = "a.library", "1.2"
    record.trace_id, record.span_id, record.flags = b"\x0a" * 16, b"\x0b" * 8, 1
    record.severity_number, record.severity_text = 9, "INFO"  # type: ignore[assignment]
    record.event_name = "an.event"
    token = store(database, request)
    row = only_row(database, "SELECT * EXCEPT (Timestamp, ResourceAttributes) FROM otel_logs")
    assert row == {
        "TraceId": "0a" * 16,
        "SpanId": "0b" * 8,
        "TraceFlags": 1,
        "SeverityText": "INFO",
        "SeverityNumber": 9,
        "ServiceName": "shop",
        "Body": "body",
        "ResourceSchemaUrl": "https://resource",
        "ScopeSchemaUrl": "https://scope",
        "ScopeName": "a.library",
        "ScopeVersion": "1.2",
        "ScopeAttributes": {},
        "LogAttributes": {},
        "EventName": "an.event",
        "Segment": token,
    }


def test_empty_groups_and_fields_of_a_newer_protocol_cost_nothing(database: Database):
    request, _ = span_request()
    request.resource_spans.add()
    request.resource_spans.add().scope_spans.add()
    newer = request.SerializeToString() + b"\xca\x3e\x03new"  # field 1001, a string
    store_bytes(database, "traces", segment_bytes([b"", newer, ExportTraceServiceRequest().SerializeToString(), newer]))
    assert only_row(database, "SELECT count() AS Spans FROM otel_traces") == {"Spans": 2}


def test_a_resource_without_a_service_name_has_an_empty_one(database: Database):
    request, _ = span_request()
    request.resource_spans[0].ClearField("resource")
    store(database, request)
    row = only_row(database, "SELECT ServiceName, ResourceAttributes FROM otel_traces")
    assert row == {"ServiceName": "", "ResourceAttributes": {}}
