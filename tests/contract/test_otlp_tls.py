"""OTLP over TLS, and over mTLS: only clients with a certificate of the authority that was named may send."""

from __future__ import annotations

import os
import ssl
import sys
from collections.abc import Iterator
from pathlib import Path

import grpc
import httpx
import pytest
from google.rpc.status_pb2 import Status
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcSpanExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter
from tests.support.certificates import Certificates, Pair, make_certificates
from tests.support.otlp import trace_request
from tests.support.service import RunningService, running_service

EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
PROTOBUF = {"Content-Type": "application/x-protobuf"}
SPAN_NAMES = "SELECT SpanName FROM otel_traces WHERE TraceId = {trace_id:String}"


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def mutual(tmp_path_factory: pytest.TempPathFactory, certificates: Certificates) -> Iterator[RunningService]:
    """A service that asks its clients for certificates."""
    environment = {
        "OTEL_FEEDBACK_TLS_CERT": str(certificates.server.certificate),
        "OTEL_FEEDBACK_TLS_KEY": str(certificates.server.key),
        "OTEL_FEEDBACK_TLS_CLIENT_CA": str(certificates.authority.certificate),
    }
    folder = tmp_path_factory.mktemp("mutual")
    with running_service(folder / "data", environment, trust=verifying(certificates)) as service:
        yield service


def verifying(certificates: Certificates, client: Pair | None = None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(certificates.authority.certificate))
    if client:
        context.load_cert_chain(client.certificate, client.key)
    return context


def channel_credentials(certificates: Certificates, client: Pair | None = None) -> grpc.ChannelCredentials:
    return grpc.ssl_channel_credentials(
        certificates.authority.certificate.read_bytes(),
        client.key.read_bytes() if client else None,
        client.certificate.read_bytes() if client else None,
    )


def exporter(way: str, service: RunningService, certificates: Certificates) -> SpanExporter:
    authority, client = certificates.authority, certificates.client
    if way == "grpc":
        return GrpcSpanExporter(
            endpoint=f"https://{service.grpc}", credentials=channel_credentials(certificates, certificates.client)
        )
    return HttpSpanExporter(
        f"{service.http}/v1/traces",
        certificate_file=str(authority.certificate),
        client_certificate_file=str(client.certificate),
        client_key_file=str(client.key),
    )


@pytest.mark.parametrize("way", ["grpc", "http"])
def test_an_exporter_with_a_client_certificate_is_served(
    mutual: RunningService, certificates: Certificates, way: str, monkeypatch: pytest.MonkeyPatch
):
    for variable in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):  # requests prefers them to what the exporter is told
        monkeypatch.delenv(variable, raising=False)
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter(way, mutual, certificates)))
    with provider.get_tracer("tests").start_as_current_span(f"over {way}") as span:
        pass
    provider.shutdown()
    trace_id = f"{span.get_span_context().trace_id:032x}"
    assert mutual.wait_for_rows(SPAN_NAMES, trace_id=trace_id) == [{"SpanName": f"over {way}"}]


@pytest.mark.parametrize("who", ["nobody", "stranger"])
def test_grpc_refuses_whoever_has_no_certificate_of_the_authority(
    mutual: RunningService, certificates: Certificates, who: str
):
    client = certificates.stranger if who == "stranger" else None
    with (
        grpc.secure_channel(mutual.grpc, channel_credentials(certificates, client)) as channel,
        pytest.raises(grpc.RpcError) as caught,
    ):
        channel.unary_unary(EXPORT)(b"", timeout=10)
    assert caught.value.code() in {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED}


def test_http_refuses_a_strangers_certificate(mutual: RunningService, certificates: Certificates):
    context = verifying(certificates, certificates.stranger)
    with pytest.raises(httpx.TransportError):
        httpx.post(f"{mutual.http}/v1/traces", content=b"", headers=PROTOBUF, verify=context)


@pytest.mark.parametrize("path", ["/v1/traces", "/v1/logs", "/v1/metrics"])
def test_http_takes_no_otlp_without_a_certificate(mutual: RunningService, certificates: Certificates, path: str):
    answer = httpx.post(f"{mutual.http}{path}", content=b"", headers=PROTOBUF, verify=verifying(certificates))
    assert answer.status_code == 403
    assert "client certificate" in Status.FromString(answer.content).message


@pytest.mark.parametrize(("path", "status"), [("/healthz", 200), ("/feedback.js", 200), ("/v1/feedback", 401)])
def test_browsers_and_probes_need_no_certificate(
    mutual: RunningService, certificates: Certificates, path: str, status: int
):
    assert httpx.get(f"{mutual.http}{path}", verify=verifying(certificates)).status_code == status


def test_plain_text_is_not_answered(mutual: RunningService):
    with pytest.raises(httpx.TransportError):
        httpx.get(mutual.http.replace("https", "http") + "/healthz")


def test_tls_without_client_certificates_serves_everyone(tmp_path: Path, certificates: Certificates):
    environment = {
        "OTEL_FEEDBACK_TLS_CERT": str(certificates.server.certificate),
        "OTEL_FEEDBACK_TLS_KEY": str(certificates.server.key),
    }
    request = trace_request({})
    with running_service(tmp_path / "data", environment, trust=verifying(certificates)) as service:
        answer = httpx.post(
            f"{service.http}/v1/traces",
            content=request.SerializeToString(),
            headers=PROTOBUF,
            verify=verifying(certificates),
        )
        assert answer.status_code == 200
        with grpc.secure_channel(service.grpc, channel_credentials(certificates)) as channel:
            assert channel.unary_unary(EXPORT)(trace_request({}).SerializeToString(), timeout=30) == b""


def test_relative_paths_hold_wherever_the_process_goes_afterwards(tmp_path: Path, certificates: Certificates):
    """chdb goes to another directory and back while it is imported, in a thread of the service."""
    go_away = (
        "import os; from otel_feedback.settings import Settings; load = Settings.load.__func__; "
        "Settings.load = classmethod(lambda *given: (load(*given), os.chdir('/'))[0]); "
        "from otel_feedback.cli import main; raise SystemExit(main(['serve']))"
    )
    environment = {
        "OTEL_FEEDBACK_DATA_DIR": os.path.relpath(tmp_path / "data"),
        "OTEL_FEEDBACK_TLS_CERT": os.path.relpath(certificates.server.certificate),
        "OTEL_FEEDBACK_TLS_KEY": os.path.relpath(certificates.server.key),
    }
    trust, command = verifying(certificates), (sys.executable, "-c", go_away)
    service = RunningService(tmp_path / "data", environment, trust=trust, command=command)
    service.start()
    try:
        with grpc.secure_channel(service.grpc, channel_credentials(certificates)) as channel:
            channel.unary_unary(EXPORT)(trace_request({"a": 1}).SerializeToString(), timeout=10)
        assert service.wait_for_rows("SELECT SpanName FROM otel_traces")
    finally:
        service.stop()
