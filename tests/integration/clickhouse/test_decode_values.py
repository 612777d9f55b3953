"""Attribute values as ClickHouse decodes them of a segment: the text that the Collector's exporter would write."""

from __future__ import annotations

import base64
import math
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from tests.support.otlp import (
    NOON,
    any_value,
    attributes,
    log_request,
    record_request,
    span_request,
)
from tests.support.segments import only_row, store
from tests.support.value_kinds import EVERY_KIND, EVERY_TEXT

from otel_feedback.clickhouse.database import Database
from otel_feedback.service.value_text import json_number, nested_text


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
