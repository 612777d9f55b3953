import json
import math
from typing import Any

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from tests.support.otlp import any_value

from otel_feedback.service.otlp_check import MalformedRequestError
from otel_feedback.service.otlp_json import from_json

TRACE_ID = "5b8aa5a2d2c872e8321cf37308d69df2"
SPAN_ID = "051581bf3cb55c13"


def span_request(**span: Any) -> bytes:
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}).encode()


def parsed_span(body: bytes) -> Any:
    request = ExportTraceServiceRequest.FromString(from_json("traces", body))
    return request.resource_spans[0].scope_spans[0].spans[0]


@pytest.mark.parametrize("case", [str.lower, str.upper, str.title])
def test_ids_are_hex_in_any_case(case: Any):
    link = {"traceId": case(TRACE_ID), "spanId": case(SPAN_ID)}
    span = parsed_span(span_request(traceId=case(TRACE_ID), spanId=case(SPAN_ID), parentSpanId="", links=[link]))
    assert (span.trace_id.hex(), span.span_id.hex(), span.parent_span_id) == (TRACE_ID, SPAN_ID, b"")
    assert (span.links[0].trace_id.hex(), span.links[0].span_id.hex()) == (TRACE_ID, SPAN_ID)


@pytest.mark.parametrize("time_unix_nano", ["1544712660000000001", 1544712660000000001])
def test_large_integers_are_strings_or_numbers(time_unix_nano: str | int):
    span = parsed_span(span_request(startTimeUnixNano=time_unix_nano))
    assert span.start_time_unix_nano == 1544712660000000001


def test_enums_are_numbers_and_unknown_fields_are_ignored():
    span = parsed_span(span_request(kind=3, status={"code": 2, "newer": 1}, newer={"x": []}))
    assert (span.kind, span.status.code) == (3, 2)


def test_every_kind_of_attribute_value():
    values = {
        "s": {"stringValue": "é"},
        "i": {"intValue": "-5"},
        "j": {"intValue": 6},
        "d": {"doubleValue": 1.5},
        "n": {"doubleValue": "NaN"},
        "b": {"boolValue": False},
        "y": {"bytesValue": "AP8="},
        "a": {"arrayValue": {"values": [{"stringValue": "x"}]}},
        "m": {"kvlistValue": {"values": [{"key": "k", "value": {"intValue": 1}}]}},
        "e": {},
    }
    span = parsed_span(span_request(attributes=[{"key": key, "value": value} for key, value in values.items()]))
    parsed = {attribute.key: attribute.value for attribute in span.attributes}
    assert math.isnan(parsed.pop("n").double_value)
    expected = {"s": "é", "i": -5, "j": 6, "d": 1.5, "b": False, "y": b"\x00\xff", "a": ["x"], "m": {"k": 1}, "e": None}
    assert parsed == {key: any_value(value) for key, value in expected.items()}


def test_logs():
    body = {
        "resourceLogs": [
            {"scopeLogs": [{"logRecords": [{"traceId": TRACE_ID, "spanId": SPAN_ID, "body": {"stringValue": "hi"}}]}]}
        ]
    }
    request = ExportLogsServiceRequest.FromString(from_json("logs", json.dumps(body).encode()))
    record = request.resource_logs[0].scope_logs[0].log_records[0]
    assert (record.trace_id.hex(), record.span_id.hex(), record.body.string_value) == (TRACE_ID, SPAN_ID, "hi")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"[]", "must be a JSON object"),
        (b'"text"', "must be a JSON object"),
        (b"\xff\xfe", "not JSON"),
        (b'{"resourceSpans": NaN}', "NaN is not JSON"),
        (b"[" * 100_000, "nests too deeply"),
        (b'{"resourceSpans": 7}', "not an ExportTraceServiceRequest"),
        (b'{"resourceSpans": [7]}', "not an ExportTraceServiceRequest"),
        (span_request(traceId="xyz"), r"resourceSpans\[0\].scopeSpans\[0\].spans\[0\].traceId is not hex: 'xyz'"),
        (span_request(links=[{"spanId": 5}]), r"links\[0\].spanId is not hex"),
        (span_request(startTimeUnixNano="soon"), "not an ExportTraceServiceRequest"),
        (span_request(name="\ud800"), "not an ExportTraceServiceRequest"),
        (span_request(attributes=[{"key": "a", "value": {"intValue": 2**64}}]), "not an ExportTraceServiceRequest"),
    ],
)
def test_bad_json_is_refused_with_a_reason(body: bytes, reason: str):
    with pytest.raises(MalformedRequestError, match=reason):
        from_json("traces", body)


def test_a_deeply_nested_value_is_refused_not_fatal():
    value: Any = {"stringValue": "x"}
    for _ in range(200):
        value = {"arrayValue": {"values": [value]}}
    with pytest.raises(MalformedRequestError):
        from_json("traces", span_request(attributes=[{"key": "a", "value": value}]))
