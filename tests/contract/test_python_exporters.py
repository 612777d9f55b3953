"""The official Python exporters against the receiver: what they send is in SQL, whichever way they send it."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable

import grpc
import pytest
from opentelemetry import trace
from opentelemetry._logs import SeverityNumber
from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter as GrpcLogExporter
from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter as GrpcMetricExporter
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcSpanExporter
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter as HttpLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter as HttpMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpSpanExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import LogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricExporter, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter
from tests.support.service import RunningService

SpanExporterOf = Callable[[RunningService], SpanExporter]
LogExporterOf = Callable[[RunningService], LogRecordExporter]
MetricExporterOf = Callable[[RunningService], MetricExporter]

SPAN_EXPORTERS: dict[str, SpanExporterOf] = {
    "grpc": lambda service: GrpcSpanExporter(endpoint=service.grpc, insecure=True),
    "grpc-gzip": lambda service: GrpcSpanExporter(
        endpoint=service.grpc, insecure=True, compression=grpc.Compression.Gzip
    ),
    "http": lambda service: HttpSpanExporter(f"{service.http}/v1/traces"),
    "http-gzip": lambda service: HttpSpanExporter(f"{service.http}/v1/traces", compression=Compression.Gzip),
}
LOG_EXPORTERS: dict[str, LogExporterOf] = {
    "grpc": lambda service: GrpcLogExporter(endpoint=service.grpc, insecure=True),
    "grpc-gzip": lambda service: GrpcLogExporter(
        endpoint=service.grpc, insecure=True, compression=grpc.Compression.Gzip
    ),
    "http": lambda service: HttpLogExporter(f"{service.http}/v1/logs"),
    "http-gzip": lambda service: HttpLogExporter(f"{service.http}/v1/logs", compression=Compression.Gzip),
}
METRIC_EXPORTERS: dict[str, MetricExporterOf] = {
    "grpc": lambda service: GrpcMetricExporter(endpoint=service.grpc, insecure=True),
    "http": lambda service: HttpMetricExporter(f"{service.http}/v1/metrics"),
}
SPANS = """
SELECT SpanName, SpanKind, ServiceName, ParentSpanId, ScopeName, SpanAttributes, Duration, Events.Name,
       Events.Attributes, Links.TraceId, StatusCode, StatusMessage
FROM otel_traces WHERE TraceId = {trace_id:String} ORDER BY SpanName
"""
LOGS = """
SELECT Body, SeverityText, SeverityNumber, EventName, TraceId, SpanId, LogAttributes, ServiceName
FROM otel_logs WHERE LogAttributes['test.id'] = {test_id:String} ORDER BY Body
"""


@pytest.mark.parametrize("way", SPAN_EXPORTERS)
def test_spans_are_in_sql_as_the_sdk_sent_them(service: RunningService, way: str):
    provider = TracerProvider(resource=Resource({"service.name": f"shop-{way}"}))
    provider.add_span_processor(SimpleSpanProcessor(SPAN_EXPORTERS[way](service)))
    tracer = provider.get_tracer("contract", "1.0")
    with tracer.start_as_current_span("a parent", kind=trace.SpanKind.SERVER) as parent:
        parent.set_attributes({"text": "é\n'\"", "n": -7, "x": 0.5, "yes": True, "list": ["a", "b"]})
        parent.add_event("happened", {"k": 1})
        with tracer.start_as_current_span("b child") as child:
            child.add_link(parent.get_span_context())
            child.set_status(trace.StatusCode.ERROR, "it broke")
    provider.shutdown()

    context = parent.get_span_context()
    trace_id = trace.format_trace_id(context.trace_id)
    first, second = service.wait_for_rows(SPANS, 2, trace_id=trace_id)
    assert (first["SpanName"], first["SpanKind"], first["ServiceName"]) == ("a parent", "Server", f"shop-{way}")
    assert first["SpanAttributes"] == {
        "text": "é\n'\"",
        "n": "-7",
        "x": "0.5",
        "yes": "true",
        "list": '["a","b"]',
    }
    assert (first["Events.Name"], first["Events.Attributes"]) == (["happened"], [{"k": "1"}])
    assert (first["ScopeName"], first["ParentSpanId"], first["StatusCode"]) == ("contract", "", "Unset")
    assert int(first["Duration"]) > 0
    assert second["ParentSpanId"] == trace.format_span_id(context.span_id)
    assert second["Links.TraceId"] == [trace_id]
    assert (second["StatusCode"], second["StatusMessage"]) == ("Error", "it broke")


@pytest.mark.parametrize("way", LOG_EXPORTERS)
def test_logs_are_in_sql_as_the_sdk_sent_them(service: RunningService, way: str):
    test_id = uuid.uuid4().hex
    provider = LoggerProvider(resource=Resource({"service.name": f"shop-{way}"}))
    provider.add_log_record_processor(SimpleLogRecordProcessor(LOG_EXPORTERS[way](service)))
    logger = provider.get_logger("contract")
    logger.emit(
        body="a text", severity_number=SeverityNumber.WARN, severity_text="WARN", attributes={"test.id": test_id}
    )
    logger.emit(
        body={"b": [1, {"c": None}], "a": "x"},
        event_name="an.event",
        attributes={"test.id": test_id, "nested": {"k": [1, [2]]}},
    )
    provider.shutdown()

    text, event = sorted(service.wait_for_rows(LOGS, 2, test_id=test_id), key=lambda row: str(row["EventName"]))
    assert (text["Body"], text["SeverityText"], int(text["SeverityNumber"])) == ("a text", "WARN", 13)
    assert text["ServiceName"] == f"shop-{way}"
    assert event["Body"] == '{"a":"x","b":[1,{"c":null}]}'
    assert event["EventName"] == "an.event"
    assert event["LogAttributes"]["nested"] == '{"k":[1,[2]]}'


@pytest.mark.parametrize("way", METRIC_EXPORTERS)
def test_metrics_are_taken_and_counted_so_that_clients_that_send_all_three_work(
    service: RunningService, way: str, caplog: pytest.LogCaptureFixture
):
    before = service.metric("otel_feedback_requests_total", signal="metrics", transport=way, outcome="accepted")
    reader = PeriodicExportingMetricReader(METRIC_EXPORTERS[way](service), export_interval_millis=float("inf"))
    provider = MeterProvider([reader])
    provider.get_meter("contract").create_counter("clicks").add(1)
    with caplog.at_level(logging.WARNING):
        assert provider.force_flush()
        provider.shutdown()
    assert caplog.records == []
    after = service.metric("otel_feedback_requests_total", signal="metrics", transport=way, outcome="accepted")
    assert after > before
