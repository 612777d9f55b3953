"""A segment with values that ClickHouse does not decode becomes one with their text, and keeps everything else."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf.internal.encoder import _VarintBytes
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from tests.support.otlp import any_value, log_request, trace_request

from otel_feedback.clickhouse.segments import Signal
from otel_feedback.service.durable_queue.segment import Record, encode_record, scan
from otel_feedback.service.flat_segment import flat_segment, plain_segment
from otel_feedback.service.otlp_check import check
from otel_feedback.service.otlp_request import MalformedRequestError

ARRIVAL = 17


def flatten(signal: Signal, body: bytes) -> bytes:
    """The one request of a segment, flattened."""
    flat = flat_segment(signal, encode_record(body, ARRIVAL))
    assert flat is not None
    (record,) = scan(flat)
    assert isinstance(record, Record)
    assert record.arrival_unix_nano == ARRIVAL
    return record.body


def values_of(body: bytes) -> dict[str, Any]:
    """The first span's attributes as messages."""
    span = ExportTraceServiceRequest.FromString(body).resource_spans[0].scope_spans[0].spans[0]
    return {attribute.key: attribute.value for attribute in span.attributes}


@pytest.mark.parametrize(
    ("nested", "text"),
    [
        ({"a": 1}, '{"a":1}'),
        ([["deep"]], '[["deep"]]'),
        ([{"k": [1]}, "x"], '[{"k":[1]},"x"]'),
        ({}, "{}"),
        ([1.0, float("nan")], ""),
        (["\x0b"], '["\\u000b"]'),
    ],
)
def test_nested_values_become_json_text_and_flat_ones_stay(nested: Any, text: str):
    body = trace_request({"nested": nested, "list": [1, 2], "flat": "x"}).SerializeToString()
    values = values_of(flatten("traces", body))
    assert values["nested"] == any_value(text)
    assert values["list"] == any_value([1, 2])
    assert values["flat"] == any_value("x")


def test_nested_values_are_found_wherever_attributes_are():
    request = trace_request({})
    group = request.resource_spans[0]
    span = group.scope_spans[0].spans[0]
    event, link = span.events.add(name="e"), span.links.add(trace_id=b"t" * 16, span_id=b"s" * 8)
    holders = [group.resource, group.scope_spans[0].scope, span, event, link]
    for holder in holders:
        holder.attributes.add(key="nested", value=any_value({"a": 1}))
        body = request.SerializeToString()
        for each in holders:
            for attribute in each.attributes:
                if attribute.key == "nested":
                    attribute.value.CopyFrom(any_value('{"a":1}'))
        assert ExportTraceServiceRequest.FromString(flatten("traces", body)) == request


def test_nested_log_bodies_and_attributes_become_json_text():
    body = flatten("logs", log_request({"b": 1, "a": [2]}, ["flat"], nested=[[1]]).SerializeToString())
    records = ExportLogsServiceRequest.FromString(body).resource_logs[0].scope_logs[0].log_records
    assert records[0].body == any_value('{"a":[2],"b":1}')
    assert records[1].body == any_value(["flat"])
    assert [record.attributes[0].value for record in records] == [any_value("[[1]]")] * 2


def test_values_nest_deeply_but_not_without_end():
    def field(number: int, content: bytes) -> bytes:
        return bytes([number << 3 | 2]) + _VarintBytes(len(content)) + content

    def nested(levels: int) -> bytes:
        value = field(1, b"x")
        for _ in range(levels):
            value = field(5, field(1, value))  # AnyValue.array_value.values
        span = field(1, b"t" * 16) + field(2, b"s" * 8) + field(9, field(2, value))
        return field(1, field(2, field(2, span)))

    assert values_of(flatten("traces", nested(40)))[""].string_value == "[" * 40 + '"x"' + "]" * 40
    with pytest.raises(MalformedRequestError, match="100 levels"):
        check("traces", nested(60))


def test_requests_without_such_values_stay_as_they_came():
    flat, nested = trace_request({"a": [1, "x"]}).SerializeToString(), trace_request({"a": {}}).SerializeToString()
    segment = encode_record(flat, 1) + encode_record(nested, 2) + encode_record(flat, 3)
    records = list(scan(flat_segment("traces", segment) or b""))
    assert [each.body for each in records if isinstance(each, Record)][::2] == [flat, flat]
    assert flat_segment("traces", encode_record(flat, 1) * 2) is None


def test_encoded_anew_a_request_means_the_same_and_has_each_field_once():
    request = trace_request({"a": {"b": 1}, "c": "x"})
    body = request.SerializeToString()
    group_of_field_100 = b"\xa3\x06\xa4\x06"
    other = trace_request({}).SerializeToString()
    plain = list(
        scan(plain_segment("traces", encode_record(body + group_of_field_100, 1) + encode_record(other, 2)) or b"")
    )
    request.resource_spans[0].scope_spans[0].spans[0].attributes[0].value.string_value = '{"b":1}'
    assert [each.body for each in plain if isinstance(each, Record)] == [request.SerializeToString(), other]
    assert [each.arrival_unix_nano for each in plain if isinstance(each, Record)] == [1, 2]


def test_what_is_encoded_plainly_already_or_is_no_request_stays_as_it_is():
    usual = encode_record(trace_request({"a": [1, "x"]}).SerializeToString(), 1)
    assert plain_segment("traces", usual) is None
    assert plain_segment("traces", usual + encode_record(b"no request", 1)) is None
    assert plain_segment("traces", usual + b"damage") is None
