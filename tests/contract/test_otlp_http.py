"""OTLP/HTTP beyond what the official exporters do: JSON, errors and limits (opentelemetry-proto, "OTLP/HTTP")."""

from __future__ import annotations

import gzip
import json
import os
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from tests.support.otlp import trace_request
from tests.support.service import RunningService, running_service

PROTOBUF = "application/x-protobuf"
JSON = "application/json"
SPAN_NAMES = "SELECT SpanName FROM otel_traces WHERE TraceId = {trace_id:String}"


def post(service: RunningService, path: str, body: bytes, content_type: str, **headers: str) -> httpx.Response:
    return httpx.post(
        f"{service.http}{path}", content=body, headers={"Content-Type": content_type, **headers}, timeout=30
    )


def trace_id_of(request: ExportTraceServiceRequest) -> str:
    return request.resource_spans[0].scope_spans[0].spans[0].trace_id.hex()


def json_request(trace_id: str, name: str = "from json") -> dict[str, Any]:
    now = time.time_ns()
    span = {
        "traceId": trace_id,
        "spanId": os.urandom(8).hex(),
        "name": name,
        "kind": 3,
        "startTimeUnixNano": str(now),
        "endTimeUnixNano": now + 1000,
        "attributes": [{"key": "n", "value": {"intValue": "7"}}],
        "newerField": {"ignored": True},
    }
    return {"resourceSpans": [{"resource": {}, "scopeSpans": [{"scope": {}, "spans": [span]}]}]}


@pytest.mark.parametrize("compressed", [False, True])
def test_json_is_stored_with_hex_ids_in_upper_case(service: RunningService, compressed: bool):
    trace_id = os.urandom(16).hex()
    body = json.dumps(json_request(trace_id.upper())).encode()
    headers = {"Content-Encoding": "gzip"} if compressed else {}
    answer = post(
        service, "/v1/traces", gzip.compress(body) if compressed else body, f"{JSON}; charset=utf-8", **headers
    )
    assert (answer.status_code, answer.headers["content-type"], answer.json()) == (200, JSON, {})
    (row,) = service.wait_for_rows(
        "SELECT SpanName, SpanKind, SpanAttributes FROM otel_traces WHERE TraceId = {trace_id:String}",
        trace_id=trace_id,
    )
    assert row == {"SpanName": "from json", "SpanKind": "Client", "SpanAttributes": {"n": "7"}}


@pytest.mark.parametrize("path", ["/v1/traces", "/v1/logs", "/v1/metrics"])
@pytest.mark.parametrize(("content_type", "body"), [(PROTOBUF, b""), (JSON, b"{}")])
def test_an_empty_request_is_fine(service: RunningService, path: str, content_type: str, body: bytes):
    answer = post(service, path, body, content_type)
    assert (answer.status_code, answer.content) == (200, body)


@pytest.mark.parametrize("path", ["/v1/traces", "/v1/logs", "/v1/metrics"])
def test_malformed_protobuf_is_400_with_a_status_in_protobuf(service: RunningService, path: str):
    answer = post(service, path, b"no protobuf", PROTOBUF)
    assert (answer.status_code, answer.headers["content-type"]) == (400, PROTOBUF)
    status = Status.FromString(answer.content)
    assert status.code == 3
    assert "not a protobuf Export" in status.message


@pytest.mark.parametrize("path", ["/v1/traces", "/v1/logs", "/v1/metrics"])
def test_malformed_json_is_400_with_a_status_in_json(service: RunningService, path: str):
    answer = post(service, path, b"{no json", JSON)
    assert (answer.status_code, answer.headers["content-type"]) == (400, JSON)
    assert answer.json()["code"] == 3
    assert "not JSON" in answer.json()["message"]


def test_a_good_request_beside_malformed_ones_is_unharmed(service: RunningService):
    request = trace_request({"n": 1})
    with httpx.Client(base_url=service.http, headers={"Content-Type": PROTOBUF}) as client:
        codes = [
            client.post("/v1/traces", content=body).status_code
            for body in (b"bad", request.SerializeToString(), b"\xff" * 100)
        ]
    assert codes == [400, 200, 400]
    assert service.wait_for_rows(SPAN_NAMES, trace_id=trace_id_of(request)) == [{"SpanName": "span 0"}]


@pytest.mark.parametrize("content_type", [PROTOBUF, JSON])
def test_refused_spans_are_a_partial_success(service: RunningService, content_type: str):
    if content_type == PROTOBUF:
        request = trace_request({}, {})
        request.resource_spans[0].scope_spans[0].spans[1].span_id = b"short"
        trace_id = trace_id_of(request)
        answer = post(service, "/v1/traces", request.SerializeToString(), PROTOBUF)
        partial = ExportTraceServiceResponse.FromString(answer.content).partial_success
        rejected, message = partial.rejected_spans, partial.error_message
    else:
        trace_id = os.urandom(16).hex()
        content = json_request(trace_id, "span 0")
        bad = json_request(trace_id)["resourceSpans"]
        bad[0]["scopeSpans"][0]["spans"][0]["spanId"] = "aabb"
        content["resourceSpans"] += bad
        answer = post(service, "/v1/traces", json.dumps(content).encode(), JSON)
        partial = answer.json()["partialSuccess"]
        rejected, message = int(partial["rejectedSpans"]), partial["errorMessage"]
    assert answer.status_code == 200
    assert rejected == 1
    assert "span_id has" in message
    assert service.wait_for_rows(SPAN_NAMES, trace_id=trace_id) == [{"SpanName": "span 0"}]


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/protobuf"])
def test_another_content_type_is_415(service: RunningService, content_type: str):
    answer = post(service, "/v1/traces", b"", content_type)
    assert answer.status_code == 415
    assert PROTOBUF in answer.json()["message"]


def test_an_unknown_encoding_is_415_and_broken_gzip_is_400(service: RunningService):
    assert post(service, "/v1/traces", b"", PROTOBUF, **{"Content-Encoding": "br"}).status_code == 415
    answer = post(service, "/v1/traces", b"no gzip", PROTOBUF, **{"Content-Encoding": "gzip"})
    assert answer.status_code == 400
    assert "not gzip" in Status.FromString(answer.content).message


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    """A service that asks for tokens and takes small requests only."""
    environment = {"OTEL_FEEDBACK_INGEST_TOKENS": "first,second", "OTEL_FEEDBACK_MAX_REQUEST_BYTES": "10000"}
    with running_service(tmp_path_factory.mktemp("guarded") / "data", environment) as service:
        yield service


@pytest.mark.parametrize("packed", [False, True])
def test_too_large_a_request_is_413_also_when_only_unpacking_shows_it(guarded: RunningService, packed: bool):
    body = trace_request({"filler": "x" * 20_000}).SerializeToString()
    headers = {"Authorization": "Bearer first"}
    if packed:
        body = gzip.compress(body)
        headers["Content-Encoding"] = "gzip"
        assert len(body) < 10_000
    answer = post(guarded, "/v1/traces", body, PROTOBUF, **headers)
    assert answer.status_code == 413
    status = Status.FromString(answer.content)
    assert status.code == 8
    assert "OTEL_FEEDBACK_MAX_REQUEST_BYTES" in status.message


@pytest.mark.parametrize("authorization", ["", "Bearer wrong", "Bearer", "Basic first", "first"])
def test_without_a_known_bearer_token_it_is_401(guarded: RunningService, authorization: str):
    refused = {"signal": "traces", "transport": "http", "outcome": "unauthenticated"}
    before = guarded.metric("otel_feedback_requests_total", **refused)
    answer = post(guarded, "/v1/traces", b"", PROTOBUF, Authorization=authorization)
    assert guarded.metric("otel_feedback_requests_total", **refused) == before + 1
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert Status.FromString(answer.content).code == 16


@pytest.mark.parametrize("token", ["first", "second"])
def test_each_token_opens_the_door(guarded: RunningService, token: str):
    assert post(guarded, "/v1/traces", b"", PROTOBUF, Authorization=f"Bearer {token}").status_code == 200
