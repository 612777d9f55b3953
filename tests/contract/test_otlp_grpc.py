"""OTLP/gRPC beyond what the official exporters do: errors, limits, tokens and health."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from tests.support.otlp import trace_request
from tests.support.service import RunningService, running_service

METHODS = {
    "traces": "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
    "logs": "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
    "metrics": "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
}


@pytest.fixture
def channel(service: RunningService) -> Iterator[Any]:
    with grpc.insecure_channel(service.grpc) as channel:
        yield channel


def export(channel: Any, signal: str, body: bytes, **metadata: str) -> bytes:
    answer: bytes = channel.unary_unary(METHODS[signal])(body, timeout=30, metadata=tuple(metadata.items()))
    return answer


def refused(channel: Any, signal: str, body: bytes, **metadata: str) -> Any:
    with pytest.raises(grpc.RpcError) as caught:
        export(channel, signal, body, **metadata)
    return caught.value


@pytest.mark.parametrize("signal", METHODS)
def test_a_malformed_request_is_invalid_argument_with_the_reason(channel: Any, signal: str):
    error = refused(channel, signal, b"no protobuf")
    assert error.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert "not a protobuf Export" in error.details()


@pytest.mark.parametrize("signal", METHODS)
def test_an_empty_request_is_fine(channel: Any, signal: str):
    assert export(channel, signal, b"") == b""


def test_a_good_request_beside_malformed_ones_is_unharmed(service: RunningService, channel: Any):
    request = trace_request({"nested": {"deep": [[1]]}})
    refused(channel, "traces", b"bad")
    assert export(channel, "traces", request.SerializeToString()) == b""
    refused(channel, "traces", b"\xff\xff")
    trace_id = request.resource_spans[0].scope_spans[0].spans[0].trace_id.hex()
    rows = service.wait_for_rows(
        "SELECT SpanAttributes FROM otel_traces WHERE TraceId = {trace_id:String}", trace_id=trace_id
    )
    assert rows == [{"SpanAttributes": {"nested": '{"deep":[[1]]}'}}]


def test_refused_spans_are_a_partial_success(channel: Any):
    request = trace_request({}, {})
    request.resource_spans[0].scope_spans[0].spans[0].trace_id = bytes(16)
    partial = ExportTraceServiceResponse.FromString(
        export(channel, "traces", request.SerializeToString())
    ).partial_success
    assert partial.rejected_spans == 1
    assert "trace_id is all zero" in partial.error_message


@pytest.mark.parametrize("name", ["", "opentelemetry.proto.collector.trace.v1.TraceService"])
def test_health_is_serving(channel: Any, name: str):
    answer = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(service=name), timeout=30)
    assert answer.status == health_pb2.HealthCheckResponse.SERVING


@pytest.fixture(scope="module")
def guarded_channel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    environment = {"OTEL_FEEDBACK_INGEST_TOKENS": "secret", "OTEL_FEEDBACK_MAX_REQUEST_BYTES": "10000"}
    with (
        running_service(tmp_path_factory.mktemp("guarded") / "data", environment) as service,
        grpc.insecure_channel(service.grpc) as channel,
    ):
        yield channel


def test_a_token_is_asked_for(guarded_channel: Any):
    for metadata in ({}, {"authorization": "Bearer wrong"}):
        assert refused(guarded_channel, "traces", b"", **metadata).code() == grpc.StatusCode.UNAUTHENTICATED
    assert export(guarded_channel, "traces", b"", authorization="Bearer secret") == b""


@pytest.mark.parametrize("compression", [grpc.Compression.NoCompression, grpc.Compression.Gzip])
def test_too_large_a_request_is_resource_exhausted(guarded_channel: Any, compression: grpc.Compression):
    body = trace_request({"filler": "x" * 20_000}).SerializeToString()
    with pytest.raises(grpc.RpcError) as caught:
        guarded_channel.unary_unary(METHODS["traces"])(
            body, timeout=30, metadata=(("authorization", "Bearer secret"),), compression=compression
        )
    assert caught.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert not any(key == "grpc-status-details-bin" for key, _ in caught.value.trailing_metadata() or ())
