"""Spans and log records as ClickHouse decodes them of a segment: the rows that the Collector's exporter would write."""

from __future__ import annotations

import base64
import math
from collections.abc import Iterable
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from tests.support.otlp import any_value, attributes, log_request, trace_request
from tests.support.segments import ARRIVAL_UNIX_NANO, segment_bytes, store, store_bytes

from otel_feedback.clickhouse.database import Database
from otel_feedback.service.value_text import json_number, nested_text

SECOND: Final = 1_000_000_000
DAY: Final = 86_400 * SECOND
NOON: Final = 1_790_000_000 * SECOND
LARGEST_TIME: Final = 2**63 - 1

# The text of each kind is written out here as Go's pcommon.Value.AsString has it; random values are compared below.
KINDS: Final[dict[str, tuple[Any, str]]] = {
    "text": ("plain", "plain"),
    "empty text": ("", ""),
    "quotes": ("'\"`\\", "'\"`\\"),
    "control characters": ("a\0b\tc\nd\x1f", "a\0b\tc\nd\x1f"),
    "unicode": ("é 日本 🙂 \u2028 \ufeff", "é 日本 🙂 \u2028 \ufeff"),
    "looks like a value": ("NaN", "NaN"),
    "true": (True, "true"),
    "false": (False, "false"),
    "zero": (0, "0"),
    "largest integer": (2**63 - 1, "9223372036854775807"),
    "smallest integer": (-(2**63), "-9223372036854775808"),
    "whole double": (3.0, "3"),
    "fraction": (-0.1, "-0.1"),
    "1e20": (1e20, "100000000000000000000"),
    "1e21": (1e21, "1e+21"),
    "1e-6": (1e-6, "0.000001"),
    "1e-7": (1e-7, "1e-7"),
    "1.5e-10": (1.5e-10, "1.5e-10"),
    "1.5e300": (-1.5e300, "-1.5e+300"),
    "smallest double": (5e-324, "5e-324"),
    "negative zero": (-0.0, "-0"),
    "NaN": (math.nan, "NaN"),
    "infinity": (math.inf, "Infinity"),
    "negative infinity": (-math.inf, "-Infinity"),
    "bytes": (b"\x00\xff\xfe", "AP/+"),
    "no bytes": (b"", ""),
    "nothing": (None, ""),
    "no elements": ([], "[]"),
    "texts": (["a", "", 'q"\\\0\n/<&>\u2028é'], '["a","","q\\"\\\\\\u0000\\n/<&>\\u2028é"]'),
    "escapes in an array": (["\x1f\\u001F", "\\\x0b"], '["\\u001f\\\\u001F","\\\\\\u000b"]'),
    "integers": ([1, -(2**63)], "[1,-9223372036854775808]"),
    "doubles": ([1.0, 1e21, 1e-7, -0.0], "[1,1e+21,1e-7,-0]"),
    "NaN in an array": ([1.0, math.nan], ""),
    "infinity in an array": ([-math.inf], ""),
    "booleans": ([True, False], "[true,false]"),
    "bytes in an array": ([b"\x00", b""], '["AA==",null]'),
    "nothing in an array": ([None], "[null]"),
    "a mixed array": ([1, "1", True, 1.5, None, b"1"], '[1,"1",true,1.5,null,"MQ=="]'),
    "a map": ({"b": [{"c": None}], "a": 1}, '{"a":1,"b":[{"c":null}]}'),
    "an array of arrays": ([["x"], []], '[["x"],[]]'),
    "an empty map": ({}, "{}"),
    "NaN deep in a map": ({"a": {"b": math.nan}}, ""),
}
EVERY_KIND: Final = {key: value for key, (value, _) in KINDS.items()}
EVERY_TEXT: Final = {key: text for key, (_, text) in KINDS.items()}


def span_request(count: int = 1) -> tuple[ExportTraceServiceRequest, list[Span]]:
    """A request with this many equal spans, and the spans."""
    request = trace_request(*[{}] * count)
    spans = list(request.resource_spans[0].scope_spans[0].spans)
    for span in spans:
        span.start_time_unix_nano, span.end_time_unix_nano = NOON, NOON + 5
    return request, spans


def record_request() -> tuple[ExportLogsServiceRequest, LogRecord]:
    """A request with one log record, and the record."""
    request = log_request("body")
    return request, request.resource_logs[0].scope_logs[0].log_records[0]


def only_row(database: Database, query: str, **parameters: str) -> dict[str, Any]:
    (row,) = database.query(query, parameters)
    return dict(row)


def expected_text(value: Any) -> str:  # noqa: PLR0911  # one return a kind of value
    """A flat value's text by the rules of pcommon.Value.AsString."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case float() if math.isnan(value):
            return "NaN"
        case float() if math.isinf(value):
            return "Infinity" if value > 0 else "-Infinity"
        case float():
            return json_number(value)
        case bytes():
            return base64.b64encode(value).decode()
        case list():
            return nested_text(any_value(value))
    return str(value)


def test_every_kind_of_value_is_text_wherever_a_span_holds_attributes(database: Database):
    request, (span,) = span_request()
    event, link = span.events.add(name="e", time_unix_nano=NOON), span.links.add(trace_id=b"t" * 16, span_id=b"s" * 8)
    for holder in (request.resource_spans[0].resource, span, event, link):
        holder.attributes.extend(attributes(EVERY_KIND))
    store(database, request)
    row = only_row(
        database,
        "SELECT ResourceAttributes, SpanAttributes, Events.Attributes AS E, Links.Attributes AS L FROM otel_traces",
    )
    assert row["SpanAttributes"] == EVERY_TEXT
    assert row["ResourceAttributes"] == {**EVERY_TEXT, "service.name": "shop"}
    assert row["E"] == [EVERY_TEXT]
    assert row["L"] == [EVERY_TEXT]


def test_every_kind_of_value_is_text_wherever_a_log_record_holds_attributes(database: Database):
    request, record = record_request()
    group = request.resource_logs[0]
    for holder in (group.resource, group.scope_logs[0].scope, record):
        holder.attributes.extend(attributes(EVERY_KIND))
    store(database, request)
    row = only_row(database, "SELECT ResourceAttributes, ScopeAttributes, LogAttributes FROM otel_logs")
    assert row["LogAttributes"] == EVERY_TEXT
    assert row["ScopeAttributes"] == EVERY_TEXT
    assert row["ResourceAttributes"] == {**EVERY_TEXT, "service.name": "shop"}


def test_every_kind_of_value_is_text_as_the_body_of_a_log_record(database: Database):
    request = log_request(*EVERY_KIND.values())
    for record, key in zip(request.resource_logs[0].scope_logs[0].log_records, EVERY_KIND, strict=True):
        record.event_name = key
    store(database, request)
    rows = database.query("SELECT EventName, Body FROM otel_logs ORDER BY EventName")
    assert {row["EventName"]: row["Body"] for row in rows} == EVERY_TEXT


def test_strings_of_spans_keep_every_character(database: Database):
    text = "'\"`\\ \0\n\t é 日本 🙂"
    request, (span,) = span_request()
    group = request.resource_spans[0]
    group.scope_spans[0].scope.name = group.scope_spans[0].scope.version = text
    group.resource.attributes[0].value.string_value = text
    span.name = span.trace_state = span.status.message = text
    span.attributes.extend(attributes({text: text}))
    span.events.add(name=text)
    span.links.add(trace_id=b"t" * 16, span_id=b"s" * 8, trace_state=text)
    store(database, request)
    row = only_row(
        database,
        "SELECT SpanName, TraceState, StatusMessage, ScopeName, ScopeVersion, ServiceName, SpanAttributes,"
        " Events.Name AS E, Links.TraceState AS L FROM otel_traces",
    )
    assert row.pop("SpanAttributes") == {text: text}
    assert (row.pop("E"), row.pop("L")) == ([text], [text])
    assert set(row.values()) == {text}


def test_keys_are_sorted_and_equal_keys_stay_in_their_order(database: Database):
    request, (span,) = span_request()
    pairs = [("twice", "first"), ("b", "1"), ("a", "2"), ("twice", "second"), ("É", "3"), ("", "4")]
    pairs += [(f"many-{number % 3}", str(number)) for number in range(60)]
    span.attributes.extend(KeyValue(key=key, value=any_value(value)) for key, value in pairs)
    store(database, request)
    row = only_row(
        database,
        "SELECT mapKeys(SpanAttributes) AS Keys, mapValues(SpanAttributes) AS Values, SpanAttributes['twice'] AS Twice"
        " FROM otel_traces",
    )
    in_order = sorted(pairs, key=lambda pair: pair[0].encode())
    assert list(zip(row["Keys"], row["Values"], strict=True)) == in_order
    assert row["Twice"] == "first"


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
    assert database.query("SELECT * FROM trace_parts") == []
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


def test_a_value_of_sixty_megabytes_is_stored_whole(database: Database):
    request, (span,) = span_request()
    span.attributes.extend(attributes({"long": "xyzé" * 12_000_000, "short": "s"}))
    store(database, request)
    row = only_row(
        database,
        "SELECT length(SpanAttributes['long']) AS Bytes, right(SpanAttributes['long'], 5) AS End,"
        " SpanAttributes['short'] AS Short FROM otel_traces",
    )
    assert row == {"Bytes": 60_000_000, "End": "xyzé", "Short": "s"}


def test_a_span_of_a_hundred_thousand_attributes_events_and_links_is_stored_whole(database: Database):
    request, (span,) = span_request()
    span.attributes.extend(attributes({f"key {index}": index for index in range(100_000)}))
    for index in range(100_000):
        span.events.add(name=f"event {index}", time_unix_nano=NOON + index)
        span.links.add(trace_id=b"t" * 16, span_id=index.to_bytes(8, "big"))
    store(database, request)
    row = only_row(
        database,
        "SELECT length(SpanAttributes) AS A, SpanAttributes['key 99999'] AS Last, length(Events.Name) AS E,"
        " Events.Name[-1] AS LastEvent, length(Links.SpanId) AS L FROM otel_traces",
    )
    assert row == {"A": 100_000, "Last": "99999", "E": 100_000, "LastEvent": "event 99999", "L": 100_000}


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


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(),
    st.floats(1e-8, 1e-5),
    st.floats(1e20, 1e22),
    st.text(),
    st.binary(max_size=8),
)
FLAT_VALUES = st.one_of(SCALARS, st.lists(SCALARS, max_size=4))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=st.lists(FLAT_VALUES, min_size=20, max_size=60))
def test_any_flat_value_is_the_text_that_the_collector_writes(database: Database, values: list[Any]):
    request, (span,) = span_request()
    keys = [f"{number:03}" for number in range(len(values))]
    span.attributes.extend(attributes(dict(zip(keys, values, strict=True))))
    token = store(database, request)
    row = only_row(database, "SELECT SpanAttributes FROM otel_traces WHERE Segment = {token:String}", token=token)
    assert list(row["SpanAttributes"].values()) == list(map(expected_text, values))


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


ONCE: Final = {
    "otel_traces": 2,
    "otel_logs": 2,
    "otel_traces_trace_id_ts": 1,
    "llm_call_spans": 1,
    "llm_call_messages": 1,
    "rating_deliveries": 2,
    "trace_parts": 1,
}


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
        ("trace_parts_mv", "trace_parts"),
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
