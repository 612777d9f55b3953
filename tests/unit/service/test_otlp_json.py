import json
import math
from typing import Any

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from tests.support.otlp import any_value

from otel_feedback.service.otlp_json import from_json
from otel_feedback.service.otlp_request import Findings, MalformedRequestError

TRACE_ID = "5b8aa5a2d2c872e8321cf37308d69df2"
SPAN_ID = "051581bf3cb55c13"


def span_request(**span: Any) -> bytes:
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}).encode()


def parsed_span(body: bytes) -> Any:
    request = ExportTraceServiceRequest.FromString(from_json("traces", body, Findings()))
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
    request = ExportLogsServiceRequest.FromString(from_json("logs", json.dumps(body).encode(), Findings()))
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
        (span_request(startTimeUnixNano="soon"), "not an ExportTraceServiceRequest"),
        (
            span_request(attributes=[{"key": "a", "value": {"intValue": str(2**64)}}]),
            "not an ExportTraceServiceRequest",
        ),
    ],
)
def test_bad_json_is_refused_with_a_reason(body: bytes, reason: str):
    with pytest.raises(MalformedRequestError, match=reason):
        from_json("traces", body, Findings())


def test_a_deeply_nested_value_is_refused_not_fatal():
    value: Any = {"stringValue": "x"}
    for _ in range(200):
        value = {"arrayValue": {"values": [value]}}
    with pytest.raises(MalformedRequestError):
        from_json("traces", span_request(attributes=[{"key": "a", "value": value}]), Findings())


def request_of(*spans: Any) -> bytes:
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": list(spans)}]}]}).encode()


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ({"traceId": "xyz"}, r"spans[1].traceId is not hex: 'xyz'"),
        ({"spanId": 5}, "spans[1].spanId is not hex: '5'"),
        ({"parentSpanId": "z" * 16}, "spans[1].parentSpanId is not hex"),
        ({"links": [{"spanId": "!"}]}, "spans[1].links[0].spanId is not hex"),
        ({"startTimeUnixNano": "soon"}, "spans[1]: Failed to parse startTimeUnixNano"),
        ({"attributes": [{"key": "a", "value": {"intValue": 1.5}}]}, "spans[1]: Failed to parse"),
        ({"attributes": {"a": 1}}, "spans[1]: Failed to parse attributes"),
        (7, "spans[1]: "),
    ],
)
def test_a_bad_span_is_left_out_and_its_neighbours_are_not(bad: Any, reason: str):
    findings = Findings()
    good = {"traceId": TRACE_ID, "spanId": SPAN_ID, "name": "good"}
    request = ExportTraceServiceRequest.FromString(from_json("traces", request_of(good, bad, good), findings))
    assert [span.name for span in request.resource_spans[0].scope_spans[0].spans] == ["good", "good"]
    assert findings.rejected == 1
    assert f"resourceSpans[0].scopeSpans[0].{reason}" in findings.reason


def test_a_log_record_whose_ids_are_not_hex_belongs_to_no_trace():
    body = {"resourceLogs": [{"scopeLogs": [{"logRecords": [{"traceId": "!", "spanId": SPAN_ID}]}]}]}
    findings = Findings()
    request = ExportLogsServiceRequest.FromString(from_json("logs", json.dumps(body).encode(), findings))
    record = request.resource_logs[0].scope_logs[0].log_records[0]
    assert (record.trace_id, record.span_id.hex(), findings.rejected) == (b"", SPAN_ID, 0)


@pytest.mark.parametrize(
    "body",
    [
        span_request(name="a\ud800b", attributes=[{"key": "\ude00", "value": {"stringValue": "x"}}]),
        b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"name": "a\xffb", "attributes": [{"key": "\xe2"}]}]}]}]}',
    ],
    ids=["surrogates", "bytes"],
)
def test_what_is_no_unicode_is_replaced_and_counted(body: bytes):
    findings = Findings()
    request = ExportTraceServiceRequest.FromString(from_json("traces", body, findings))
    span = request.resource_spans[0].scope_spans[0].spans[0]
    assert (span.name, span.attributes[0].key) == ("a\ufffdb", "\ufffd")
    assert findings.repaired == 2


def test_names_of_enum_values_and_snake_case_are_read_as_the_collector_reads_them():
    span = parsed_span(span_request(kind="SPAN_KIND_CLIENT", trace_id=TRACE_ID, start_time_unix_nano=7))
    assert (span.kind, span.trace_id.hex(), span.start_time_unix_nano) == (3, TRACE_ID, 7)


@pytest.mark.parametrize("number", [10**20, 1e21, -(2**63) - 1, 2**63])
def test_a_whole_number_beyond_64_bits_is_a_double_as_javascript_meant_it(number: float):
    value = {"arrayValue": {"values": [{"intValue": number}]}}
    span = parsed_span(span_request(attributes=[{"key": "a", "value": value}]))
    assert span.attributes[0].value.array_value.values[0].double_value == float(number)


def test_an_enum_value_that_this_version_does_not_know_is_kept_as_a_number():
    assert parsed_span(span_request(kind=77)).kind == 77
