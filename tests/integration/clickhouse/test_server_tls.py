"""clickhouses://: the server's certificate is verified, by an authority of one's own where one is named."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.certificates import Certificates, make_certificates
from tests.support.clickhouse_server import own_clickhouse
from tests.support.commands import otel_feedback
from tests.support.rated_app import Plan, run_app
from tests.support.service import running_service, start_in_vain
from tests.support.tls_proxy import tls_in_front_of


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory, certificates: Certificates) -> Iterator[str]:
    """Of a real server, with TLS in front of it: the server that tests can have everywhere is built without."""
    with (
        own_clickhouse(tmp_path_factory.mktemp("server")) as server,
        tls_in_front_of(server.http_port, certificates.server) as port,
    ):
        yield f"clickhouses://default:@127.0.0.1:{port}/otel"


def test_the_service_and_commands_speak_tls_with_an_authority_of_ones_own(
    tmp_path: Path, certificates: Certificates, url: str
):
    authority = str(certificates.authority.certificate)
    settings = {
        "OTEL_FEEDBACK_DATABASE_URL": url,
        "OTEL_FEEDBACK_READER_DATABASE_URL": url,
        "OTEL_FEEDBACK_DATABASE_CA": authority,
    }
    with running_service(tmp_path / "data", settings) as service:
        run_app(service.http, Plan(answers=1, rated=(0,)))
        service.wait_for_rows("SELECT 1 FROM rated_llm_calls")
        done = otel_feedback(tmp_path / "data", "sql", "SELECT count() FROM rated_llm_calls", environment=settings)
        assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("signer", ["nobody", "stranger"])
def test_a_server_whose_certificate_nobody_vouches_for_is_not_spoken_to(
    tmp_path: Path, certificates: Certificates, url: str, signer: str
):
    ca = "" if signer == "nobody" else str(certificates.stranger.certificate)
    settings = {"OTEL_FEEDBACK_DATABASE_URL": url, "OTEL_FEEDBACK_DATABASE_CA": ca}
    done = otel_feedback(tmp_path / "data", "sql", "SELECT 1", environment=settings)
    assert done.returncode == 1
    assert "CERTIFICATE_VERIFY_FAILED" in done.stderr
    assert "OTEL_FEEDBACK_DATABASE_CA must name who signed its certificate" in done.stderr


def test_a_bundle_that_is_none_is_told_at_the_start(tmp_path: Path, url: str):
    (tmp_path / "ca.pem").write_text("no certificate")
    settings = {"OTEL_FEEDBACK_DATABASE_URL": url, "OTEL_FEEDBACK_DATABASE_CA": str(tmp_path / "ca.pem")}
    code, said = start_in_vain(tmp_path / "data", settings)
    assert code == 1
    assert f"OTEL_FEEDBACK_DATABASE_CA={tmp_path}/ca.pem must be a PEM file" in said
    assert "Traceback" not in said
