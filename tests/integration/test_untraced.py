"""``opentelemetry-instrument otel-feedback serve`` that exports to itself: nothing goes round in circles."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from tests.support.clickhouse_server import free_ports, running_clickhouse
from tests.support.otlp import trace_request
from tests.support.service import SIGNING_KEY, RunningService, running_service

from otel_feedback.rating import Scope, Target
from otel_feedback.tokens import Grant, Keyring

INSTRUMENT = Path(sys.executable).with_name("opentelemetry-instrument")
ITSELF = "the service itself"
ROUNDS = 4


@pytest.fixture(scope="module", params=["http/protobuf", "grpc"])
def service(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    """It exports at once, so that a circle would turn several times a second; over HTTP it writes to a server."""
    folder = tmp_path_factory.mktemp("untraced")
    grpc_port, http_port = free_ports(2)
    port = grpc_port if request.param == "grpc" else http_port
    environment = {
        "OTEL_FEEDBACK_GRPC_ADDRESS": f"127.0.0.1:{grpc_port}",
        "OTEL_FEEDBACK_HTTP_ADDRESS": f"127.0.0.1:{http_port}",
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{port}",
        "OTEL_EXPORTER_OTLP_PROTOCOL": request.param,
        "OTEL_SERVICE_NAME": ITSELF,
        "OTEL_BSP_SCHEDULE_DELAY": "50",
        "OTEL_BLRP_SCHEDULE_DELAY": "50",
        "OTEL_PYTHON_LOGGING_AUTO_INSTRUMENTATION_ENABLED": "true",
    }
    with running_clickhouse(folder) as clickhouse:
        if request.param == "http/protobuf":
            environment["OTEL_FEEDBACK_DATABASE_URL"] = clickhouse.url
        with running_service(folder / "data", environment, launcher=[str(INSTRUMENT)]) as running:
            yield running


def send_a_span(service: RunningService) -> None:
    trace_id = os.urandom(16)
    request = trace_request({}, service="an app")
    request.resource_spans[0].scope_spans[0].spans[0].trace_id = trace_id
    body, headers = request.SerializeToString(), {"Content-Type": "application/x-protobuf"}
    answer = httpx.post(f"{service.http}/v1/traces", content=body, headers=headers, timeout=30)
    assert answer.status_code == 200, answer.text
    service.wait_for_rows("SELECT 1 FROM otel_traces WHERE TraceId = {id:String}", id=trace_id.hex())


def test_only_what_others_sent_is_stored_however_long_it_runs(service: RunningService):
    for _ in range(ROUNDS):
        send_a_span(service)
        assert httpx.get(service.dashboard, follow_redirects=True, timeout=30).status_code in {200, 401}
    spans = service.sql("SELECT ServiceName, count() AS Spans FROM otel_traces GROUP BY ServiceName")
    assert spans == [{"ServiceName": "an app", "Spans": ROUNDS}]
    assert service.sql("SELECT Body FROM otel_logs WHERE ServiceName = {itself:String}", itself=ITSELF) == []


def test_ratings_go_to_the_service_and_not_to_the_sdk_within_it(service: RunningService):
    target = Target(Scope.SPAN, trace_id=os.urandom(16).hex(), span_id=os.urandom(8).hex())
    token = Keyring((SIGNING_KEY,)).mint(Grant(target, "rater"))
    answer = httpx.post(f"{service.http}/v1/feedback", json={"token": token, "name": "thumbs", "value": True})
    assert answer.status_code == 202, answer.text
    assert "otel-feedback-token" not in answer.headers
    rows = service.wait_for_rows("SELECT Via FROM feedback WHERE TraceId = {id:String}", id=target.trace_id)
    assert rows == [{"Via": "http"}]
    assert service.sql("SELECT DISTINCT Carrier FROM rating_deliveries") == [{"Carrier": "log"}]


def test_it_says_what_it_undid(service: RunningService):
    log = service.log.read_text()
    assert "the service makes no OpenTelemetry of its own" in log
    for name in ("otel_feedback", "starlette", "grpc_aio_server", "urllib3"):
        assert name in log
