from typing import Any

import pytest
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from tests.support.otlp import log_request, trace_request

from otel_feedback.service import otlp_check
from otel_feedback.service.otlp_check import MalformedRequestError, check


def test_what_the_sdk_sends_passes_unchanged():
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


def test_logs_with_flat_bodies_pass_unchanged():
    body = log_request("text", 7, ["a", 1.5], None, key="value").SerializeToString()
    assert check("logs", body).body is body
    assert check("logs", body).items == 4


def test_nested_values_pass_unchanged_and_are_flattened_later():
    traces = trace_request({"nested": {"a": [1]}}).SerializeToString()
    logs = log_request({"b": 1}).SerializeToString()
    assert check("traces", traces).body is traces
    assert check("logs", logs).body is logs


def test_fields_that_this_version_does_not_know_are_kept():
    request = trace_request({"a": 1}).SerializeToString()
    newer = request + b"\xca\x3e\x03new"  # field 1001, a string
    checked = check("traces", newer)
    assert checked.items == 1
    assert checked.body.endswith(b"\xca\x3e\x03new")


def test_an_unusual_encoding_passes_as_it_came():
    first, second = trace_request({"a": 1}), trace_request({"b": 2})
    both = first.SerializeToString() + second.SerializeToString()
    assert check("traces", both) == otlp_check.Checked(both, 2)
    long_varint = b"\x0a\x80\x00" + first.SerializeToString()
    assert check("traces", long_varint).body is long_varint


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


def test_metrics_are_checked_and_dropped():
    request = ExportMetricsServiceRequest()
    request.resource_metrics.add().scope_metrics.add().metrics.add(name="m").gauge.data_points.add(as_int=1)
    assert check("metrics", request.SerializeToString()).body == b""
