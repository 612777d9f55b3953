"""``/healthz``, ``/readyz`` and ``/metrics``, read by the official parsers."""

from __future__ import annotations

import gzip
import os
import time

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text
from tests.support.otlp import trace_request
from tests.support.service import VISIBLE_SECONDS, RunningService, wait_until

BOMB = gzip.compress(bytes(65 << 20), 1)
OPENMETRICS = "application/openmetrics-text; version=1.0.0"


def scrape(service: RunningService, accept: str = "") -> httpx.Response:
    return httpx.get(f"{service.http}/metrics", headers={"Accept": accept}, timeout=30)


def send(service: RunningService, request: ExportTraceServiceRequest) -> None:
    answer = httpx.post(
        f"{service.http}/v1/traces",
        content=request.SerializeToString(),
        headers={"Content-Type": "application/x-protobuf"},
        timeout=30,
    )
    assert answer.status_code == 200, answer.text


def samples(families: list[Metric], name: str, **labels: str) -> list[float]:
    return [
        sample.value
        for family in families
        for sample in family.samples
        if sample.name == f"otel_feedback_{name}" and labels.items() <= sample.labels.items()
    ]


def test_health_and_readiness_are_told(service: RunningService):
    assert httpx.get(f"{service.http}/healthz").json() == {"status": "ok"}
    ready = httpx.get(f"{service.http}/readyz", timeout=30).json()
    assert (ready["ready"], ready["database"]) == (True, "ok")
    assert ready["queue_fullness"].keys() == {"traces", "logs"}
    assert all(0 <= fullness < 0.01 for fullness in ready["queue_fullness"].values())


@pytest.mark.parametrize("accept", ["", "text/plain", "*/*", "application/openmetrics-text; version=one"])
def test_prometheus_text_is_what_everyone_gets_who_asks_for_nothing_else(service: RunningService, accept: str):
    answer = scrape(service, accept)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
    families = list(parse_text(answer.text))
    assert {"otel_feedback_build_info", "otel_feedback_queue_bytes", "process_resident_memory_bytes"} <= {
        family.name for family in families
    }
    assert all(family.documentation for family in families)


def test_openmetrics_is_what_those_get_who_prefer_it(service: RunningService):
    answer = scrape(service, OPENMETRICS)
    assert answer.headers["content-type"].startswith(OPENMETRICS)
    kinds = {family.name: family.type for family in parse_openmetrics(answer.text)}
    assert kinds["otel_feedback_requests"] == "counter"
    assert kinds["otel_feedback_freshness_seconds"] == "histogram"


def test_a_request_is_followed_from_its_coming_to_its_being_visible(service: RunningService):
    trace_id = os.urandom(16)
    request = trace_request({}, service="observed")
    request.resource_spans[0].scope_spans[0].spans[0].trace_id = trace_id
    before = list(parse_openmetrics(scrape(service, OPENMETRICS).text))
    written = service.metric("otel_feedback_segments_written_total", signal="traces")
    began = time.monotonic()
    send(service, request)
    send(service, request)
    service.wait_for_rows("SELECT 1 FROM otel_traces WHERE TraceId = {id:String}", id=trace_id.hex())
    wait_until(  # rows are there before the INSERT has filled every table
        lambda: service.metric("otel_feedback_segments_written_total", signal="traces") > written or None,
        VISIBLE_SECONDS,
        "the INSERT did not end",
    )
    took_seconds = time.monotonic() - began
    after = list(parse_openmetrics(scrape(service, OPENMETRICS).text))

    def added(name: str, **labels: str) -> float:
        return sum(samples(after, name, **labels)) - sum(samples(before, name, **labels))

    way = {"signal": "traces", "transport": "http"}
    assert added("requests_total", **way, outcome="accepted") == added("request_duration_seconds_count", **way) == 2
    assert 0 < added("request_duration_seconds_sum", **way) < took_seconds
    assert added("request_bytes_total", signal="traces") == 2 * request.ByteSize()
    assert added("duplicates_dropped_total", signal="traces") == 1
    assert added("fsyncs_total", signal="traces") == added("fsync_duration_seconds_count", signal="traces") == 1
    assert added("segments_written_total", signal="traces") == 1
    assert added("segment_size_bytes_sum", signal="traces") > request.ByteSize()
    insert_seconds = added("insert_duration_seconds_sum", signal="traces")
    assert 0 < insert_seconds < added("freshness_seconds_sum", signal="traces") < took_seconds + 1


@pytest.mark.parametrize(
    ("outcome", "headers", "body"),
    [
        ("malformed", {"Content-Type": "application/x-protobuf"}, b"not OTLP"),
        ("unsupported", {"Content-Type": "text/plain"}, b""),
        ("too_large", {"Content-Type": "application/x-protobuf", "Content-Encoding": "gzip"}, BOMB),
    ],
)
def test_refused_requests_are_counted_by_their_reason(
    service: RunningService, outcome: str, headers: dict[str, str], body: bytes
):
    labels = {"signal": "logs", "transport": "http", "outcome": outcome}
    before = service.metric("otel_feedback_requests_total", **labels)
    assert httpx.post(f"{service.http}/v1/logs", content=body, headers=headers, timeout=30).is_client_error
    assert service.metric("otel_feedback_requests_total", **labels) == before + 1


def test_every_series_that_may_fail_is_there_before_its_first_failure(service: RunningService):
    families = list(parse_text(scrape(service).text))
    for signal in ("traces", "logs"):
        for name in ("segments_rejected_total", "insert_failures_total", "queue_write_failures_total"):
            assert samples(families, name, signal=signal) == [0], (name, signal)
        assert samples(families, "requests_total", signal=signal, transport="grpc", outcome="busy") == [0]
