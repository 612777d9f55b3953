"""A service that can't start says so in one line with what to do, and exits with 1."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from tests.support.certificates import make_certificates
from tests.support.service import running_service, start_in_vain


@pytest.mark.parametrize("port", ["GRPC", "HTTP", "DASHBOARD"])
def test_a_busy_port(tmp_path: Path, port: str):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        variable, address = f"OTEL_FEEDBACK_{port}_ADDRESS", f"127.0.0.1:{other.getsockname()[1]}"
        code, said = start_in_vain(tmp_path / "data", {variable: address})
    assert code == 1
    assert said == (
        f"otel-feedback serve: {address} is in use (another service?). Stop it, or set {variable} to another address.\n"
    )


def test_a_second_service_on_the_same_directory(tmp_path: Path):
    with running_service(tmp_path / "data") as first:
        code, said = start_in_vain(tmp_path / "data")
        assert code == 1
        assert said == (
            f"otel-feedback serve: Another otel-feedback service (pid {first.pid}) uses {tmp_path / 'data'}. "
            "Stop it, or set OTEL_FEEDBACK_DATA_DIR to another directory\n"
        )
        assert first.sql("SELECT 1 AS one") == [{"one": 1}], "the first one does not notice"
    with running_service(tmp_path / "data") as again:
        assert again.sql("SELECT 1 AS one") == [{"one": 1}]


@pytest.mark.parametrize("place", ["/proc/otel-feedback", "a file"])
def test_a_data_directory_that_can_not_be_written(tmp_path: Path, place: str):
    (tmp_path / "a file").touch()
    data_dir = tmp_path / place
    code, said = start_in_vain(data_dir)
    assert code == 1
    assert said.startswith(f"otel-feedback serve: {data_dir} can't be used as the data directory: ")
    assert said.endswith("Set OTEL_FEEDBACK_DATA_DIR to a directory that this user may write\n")
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("port", "remedy"),
    [("GRPC", "INGEST_TOKENS"), ("HTTP", "INGEST_TOKENS"), ("DASHBOARD", "DASHBOARD_TOKEN")],
)
def test_an_open_door_without_a_token(tmp_path: Path, port: str, remedy: str):
    variable = f"OTEL_FEEDBACK_{port}_ADDRESS"
    code, said = start_in_vain(tmp_path / "data", {variable: "0.0.0.0:0"})  # what is refused here
    assert code == 1
    assert said.startswith(f"otel-feedback serve: {variable}=0.0.0.0:0 can be reached from other machines. ")
    assert f"Set OTEL_FEEDBACK_{remedy}" in said
    assert said.count("\n") == 1


def test_a_certificate_that_can_not_be_read(tmp_path: Path):
    code, said = start_in_vain(
        tmp_path / "data",
        {"OTEL_FEEDBACK_TLS_CERT": "/nowhere/cert.pem", "OTEL_FEEDBACK_TLS_KEY": "/nowhere/key.pem"},
    )
    assert code == 1
    assert "OTEL_FEEDBACK_TLS_CERT, _TLS_KEY and _TLS_CLIENT_CA must name PEM files" in said
    assert "/nowhere/cert.pem" in said
    assert said.count("\n") == 1


def test_an_authority_for_client_certificates_without_a_certificate_of_its_own(tmp_path: Path):
    code, said = start_in_vain(tmp_path / "data", {"OTEL_FEEDBACK_TLS_CLIENT_CA": "/nowhere/ca.pem"})
    assert code == 1
    assert "OTEL_FEEDBACK_TLS_CLIENT_CA needs OTEL_FEEDBACK_TLS_CERT" in said
    assert said.count("\n") == 1


def test_an_authority_that_can_not_be_read(tmp_path: Path):
    pair = make_certificates(tmp_path).server
    named = {
        "OTEL_FEEDBACK_TLS_CERT": str(pair.certificate),
        "OTEL_FEEDBACK_TLS_KEY": str(pair.key),
        "OTEL_FEEDBACK_TLS_CLIENT_CA": "/nowhere/ca.pem",
    }
    code, said = start_in_vain(tmp_path / "data", named)
    assert code == 1
    assert "_TLS_CLIENT_CA must name PEM files" in said
    assert "/nowhere/ca.pem" in said
    assert said.count("\n") == 1
