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
from otel_feedback.service.otlp_check import MOST_DAYS, check, check_usual
from otel_feedback.service.otlp_request import MalformedRequestError

DAY_NANOSECONDS = 86_400 * 10**9


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


@pytest.mark.parametrize("make", [trace_request, log_request], ids=["traces", "logs"])
def test_the_usual_request_needs_no_second_look(make: Any):
    request = make({"a": 1}, {"b": 2})
    signal: Any = "traces" if make is trace_request else "logs"
    body = request.SerializeToString()
    checked = check_usual(signal, body)
    assert checked is not None
    assert (checked.body is body, checked.items) == (True, 2)


def times_of(request: Any, days: list[int]) -> list[int]:
    spans = request.resource_spans[0].scope_spans[0].spans
    for span, day in zip(spans, days, strict=True):
        span.start_time_unix_nano = day * DAY_NANOSECONDS + 7
    return [span.start_time_unix_nano // DAY_NANOSECONDS for span in spans]


def test_records_of_more_days_than_one_insert_bears_are_refused():
    request = trace_request(*({} for _ in range(1000)))
    times_of(request, [20_000 + index % 500 for index in range(1000)])
    checked = check("traces", request.SerializeToString())
    assert (checked.items, checked.rejected) == (2 * MOST_DAYS, 1000 - 2 * MOST_DAYS)
    assert f"records of {MOST_DAYS} different days" in checked.reason
    kept = ExportTraceServiceRequest.FromString(checked.body).resource_spans[0].scope_spans[0].spans
    assert {span.start_time_unix_nano // DAY_NANOSECONDS for span in kept} == set(range(20_000, 20_000 + MOST_DAYS))


def test_log_records_of_more_days_than_one_insert_bears_are_refused_too():
    request = log_request(*range(400))
    for index, record in enumerate(request.resource_logs[0].scope_logs[0].log_records):
        record.time_unix_nano, record.observed_time_unix_nano = 0, (20_000 + index) * DAY_NANOSECONDS
    checked = check("logs", request.SerializeToString())
    assert (checked.items, checked.rejected) == (MOST_DAYS, 400 - MOST_DAYS)


def test_a_few_records_of_absurd_times_are_taken_as_they_came():
    request = trace_request(*({} for _ in range(300)))
    times_of(request, [0, 200_000, 1] + [20_000 + index % 90 for index in range(297)])
    request.resource_spans[0].scope_spans[0].spans[0].start_time_unix_nano = 0
    request.resource_spans[0].scope_spans[0].spans[1].end_time_unix_nano = 5  # long before its start
    body = request.SerializeToString()
    checked = check("traces", body)
    assert (checked.items, checked.rejected) == (300, 0)
    assert ExportTraceServiceRequest.FromString(checked.body) == request


def test_data_points_of_every_kind_of_metric_are_counted_and_dropped():
    request = ExportMetricsServiceRequest()
    metrics = request.resource_metrics.add().scope_metrics.add().metrics
    metrics.add(name="gauge").gauge.data_points.add(as_int=1)
    for _ in range(2):
        metrics.add(name="sum").sum.data_points.add(as_double=0.5)
    metrics.add(name="histogram").histogram.data_points.add(count=1)
    metrics.add(name="exponential").exponential_histogram.data_points.add(count=1)
    metrics.add(name="summary").summary.data_points.add(count=1)
    metrics.add(name="nothing")
    assert check("metrics", request.SerializeToString()) == otlp_check.Checked(b"", 6)


def test_an_id_is_refused_where_a_bad_text_is_mended():
    request = trace_request({}, {"a": "CULPRIT"}, {})
    request.resource_spans[0].scope_spans[0].spans[2].span_id = b"short"
    checked = check("traces", request.SerializeToString().replace(b"CULPRIT", b"CULPRI\xff"))
    assert (checked.items, checked.rejected, checked.repaired) == (2, 1, 1)
    assert "U+FFFD" in checked.reason
    assert "span_id has 5 bytes" in checked.reason
