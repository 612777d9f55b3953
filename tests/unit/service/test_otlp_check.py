from typing import Any

import pytest
from google.protobuf.internal.encoder import _VarintBytes
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from tests.support.otlp import any_value, log_request, trace_request

from otel_feedback.service import otlp_check
from otel_feedback.service.otlp_check import MalformedRequestError, check


@pytest.fixture
def no_walk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail the test if a request takes the slow path."""

    def refuse(*_: Any) -> None:
        raise AssertionError("the request was walked in Python")

    monkeypatch.setattr(otlp_check, "_parse_fully", refuse)


def values_of(body: bytes) -> dict[str, Any]:
    """The first span's attributes as messages."""
    span = ExportTraceServiceRequest.FromString(body).resource_spans[0].scope_spans[0].spans[0]
    return {attribute.key: attribute.value for attribute in span.attributes}


@pytest.mark.usefixtures("no_walk")
def test_what_the_sdk_sends_passes_unchanged_and_without_a_walk():
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = provider.get_tracer("tests", "1.0", attributes={"scope": True})
    with tracer.start_as_current_span("parent") as parent:
        parent.set_attributes({"text": "é", "n": -1, "x": 1e300, "yes": True, "list": ["a", "b"]})
        parent.add_event("event", {"numbers": [1, 2]})
        with tracer.start_as_current_span("child", links=[]) as child:
            child.add_link(parent.get_span_context(), {"why": "test"})
    body = encode_spans(exporter.get_finished_spans()).SerializeToString()
    checked = check("traces", body)
    assert checked.body is body
    assert (checked.items, checked.rejected) == (2, 0)


@pytest.mark.usefixtures("no_walk")
def test_logs_with_flat_bodies_pass_unchanged():
    body = log_request("text", 7, ["a", 1.5], None, key="value").SerializeToString()
    assert check("logs", body).body is body
    assert check("logs", body).items == 4


@pytest.mark.parametrize(
    ("nested", "text"),
    [
        ({"a": 1}, '{"a":1}'),
        ([["deep"]], '[["deep"]]'),
        ([{"k": [1]}, "x"], '[{"k":[1]},"x"]'),
        ({}, "{}"),
    ],
)
def test_nested_values_become_json_text_and_flat_ones_stay(nested: Any, text: str):
    checked = check("traces", trace_request({"nested": nested, "list": [1, 2], "flat": "x"}).SerializeToString())
    values = values_of(checked.body)
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
        assert ExportTraceServiceRequest.FromString(check("traces", body).body) == request


def test_nested_log_bodies_and_attributes_become_json_text():
    checked = check("logs", log_request({"b": 1, "a": [2]}, ["flat"], nested=[[1]]).SerializeToString())
    records = ExportLogsServiceRequest.FromString(checked.body).resource_logs[0].scope_logs[0].log_records
    assert records[0].body == any_value('{"a":[2],"b":1}')
    assert records[1].body == any_value(["flat"])
    assert [record.attributes[0].value for record in records] == [any_value("[[1]]")] * 2


def test_fields_that_this_version_does_not_know_are_kept():
    request = trace_request({"a": 1}).SerializeToString()
    newer = request + b"\xca\x3e\x03new"  # field 1001, a string
    checked = check("traces", newer)
    assert checked.items == 1
    assert checked.body.endswith(b"\xca\x3e\x03new")


def test_an_unusual_encoding_keeps_its_meaning():
    first, second = trace_request({"a": 1}), trace_request({"b": 2})
    both = first.SerializeToString() + second.SerializeToString()
    checked = check("traces", both)
    expected = ExportTraceServiceRequest()
    expected.MergeFrom(first)
    expected.MergeFrom(second)
    assert ExportTraceServiceRequest.FromString(checked.body) == expected
    long_varint = b"\x0a\x80\x00" + first.SerializeToString()
    assert ExportTraceServiceRequest.FromString(check("traces", long_varint).body).resource_spans[1:] == list(
        first.resource_spans
    )


@pytest.mark.parametrize(
    ("trace_id", "span_id", "reason"),
    [
        (b"", b"s" * 8, "trace_id has 0 bytes, not 16"),
        (b"t" * 15, b"s" * 8, "trace_id has 15 bytes, not 16"),
        (b"t" * 16, b"s" * 9, "span_id has 9 bytes, not 8"),
        (bytes(16), b"s" * 8, "trace_id is all zero"),
        (b"t" * 16, bytes(8), "span_id is all zero"),
    ],
)
def test_a_span_without_identity_is_refused_and_its_neighbours_are_not(trace_id: bytes, span_id: bytes, reason: str):
    request = trace_request({}, {}, {})
    spans = request.resource_spans[0].scope_spans[0].spans
    spans[1].trace_id, spans[1].span_id = trace_id, span_id
    checked = check("traces", request.SerializeToString())
    assert (checked.items, checked.rejected) == (2, 1)
    assert reason in checked.reason
    assert "resource_spans[0].scope_spans[0].spans[1] 'span 1'" in checked.reason
    del spans[1]
    assert ExportTraceServiceRequest.FromString(checked.body) == request


def test_a_request_of_refused_spans_alone_leaves_nothing_to_append():
    request = trace_request({})
    request.resource_spans[0].scope_spans[0].spans[0].trace_id = b""
    checked = check("traces", request.SerializeToString())
    assert (checked.body, checked.items, checked.rejected) == (b"", 0, 1)


@pytest.mark.parametrize("signal", ["traces", "logs", "metrics"])
def test_an_empty_request_is_fine(signal: Any):
    checked = check(signal, b"")
    assert (checked.body, checked.items, checked.rejected) == (b"", 0, 0)


@pytest.mark.parametrize("signal", ["traces", "logs", "metrics"])
@pytest.mark.parametrize("body", [b"hello", b"\x0a\xff", b"\x00", b"<html>"])
def test_what_is_not_otlp_is_refused_by_name(signal: Any, body: bytes):
    with pytest.raises(MalformedRequestError, match=r"not a protobuf Export(Trace|Logs|Metrics)ServiceRequest"):
        check(signal, body)


def test_text_that_is_not_utf8_is_refused_with_its_place():
    body = trace_request({}, {"key": "CULPRIT"}).SerializeToString().replace(b"CULPRIT", b"\xff\xfeLPRIT")
    place = r"resource_spans\[0\].scope_spans\[0\].spans\[1\].attributes\[0\].value.string_value is not UTF-8"
    with pytest.raises(MalformedRequestError, match=place):
        check("traces", body)


def test_text_that_is_not_utf8_inside_a_nested_value_is_refused():
    body = trace_request({"a": {"k": "CULPRIT"}}).SerializeToString().replace(b"CULPRIT", b"\xff\xfeLPRIT")
    with pytest.raises(MalformedRequestError, match="not UTF-8"):
        check("traces", body)


def test_values_nest_deeply_but_not_without_end():
    def field(number: int, content: bytes) -> bytes:
        return bytes([number << 3 | 2]) + _VarintBytes(len(content)) + content

    def nested(levels: int) -> bytes:
        value = field(1, b"x")
        for _ in range(levels):
            value = field(5, field(1, value))  # AnyValue.array_value.values
        span = field(1, b"t" * 16) + field(2, b"s" * 8) + field(9, field(2, value))
        return field(1, field(2, field(2, span)))

    deep = check("traces", nested(40))
    assert values_of(deep.body)[""].string_value == "[" * 40 + '"x"' + "]" * 40
    with pytest.raises(MalformedRequestError, match="100 levels"):
        check("traces", nested(60))


def test_metrics_are_checked_and_dropped():
    request = ExportMetricsServiceRequest()
    request.resource_metrics.add().scope_metrics.add().metrics.add(name="m").gauge.data_points.add(as_int=1)
    assert check("metrics", request.SerializeToString()).body == b""
