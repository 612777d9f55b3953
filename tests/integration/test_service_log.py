"""What a running service logs, its libraries' lines among them."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
from tests.support.clickhouse_server import free_ports, own_clickhouse
from tests.support.commands import otel_feedback
from tests.support.otlp import trace_request
from tests.support.service import SIGNING_KEY, RunningService, running_service, wait_until

SECRETS = {
    "OTEL_FEEDBACK_INGEST_TOKENS": "ingest-secret",
    "OTEL_FEEDBACK_DASHBOARD_TOKEN": "dashboard-secret",
    "OTEL_FEEDBACK_LOG_FORMAT": "json",
}
PASSWORD = "p%40ssword"
AWAY_SECONDS = 60.0


def lines_of(log: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.read_text().splitlines()]


def send(service: RunningService, **headers: str) -> int:
    headers = {"Content-Type": "application/x-protobuf", "Authorization": "Bearer ingest-secret", **headers}
    body = trace_request({}).SerializeToString()
    return httpx.post(f"{service.http}/v1/traces", content=body, headers=headers, timeout=30).status_code


def test_every_line_is_json_and_none_has_a_secret(tmp_path: Path):
    """With everything told, the database away, and in the end what no client should send."""
    url = f"clickhouse://writer:{PASSWORD}@127.0.0.1:{free_ports(1)[0]}/otel"
    environment = {**SECRETS, "OTEL_FEEDBACK_DATABASE_URL": url}
    with running_service(tmp_path / "data", environment, arguments=["--log-level", "DEBUG"]) as service:
        assert send(service) == 200
        assert send(service, Authorization="Bearer wrong-secret") == 401
        httpx.get(f"{service.dashboard}/?token=dashboard-secret", timeout=30)
        host, port = service.http.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as client:
            client.sendall(b"NONSENSE\r\n\r\n")
            client.recv(100)
    lines = lines_of(service.log)
    assert all({"time", "level", "logger", "message"} <= line.keys() for line in lines)
    text = service.log.read_text()
    for secret in ("ingest-secret", "dashboard-secret", SIGNING_KEY, PASSWORD, "p@ssword", "wrong-secret"):
        assert secret not in text, secret
    (receiving,) = [line for line in lines if line["message"] == "receiving OTLP and ratings"]
    assert (receiving["http"], receiving["level"]) == (service.http, "INFO")
    assert {"uvicorn.error", "otel_feedback.cli.serve"} <= {line["logger"] for line in lines}


def test_a_database_that_goes_away_does_not_flood_the_log(tmp_path: Path):
    with (
        own_clickhouse(tmp_path) as server,
        running_service(
            tmp_path / "data", {"OTEL_FEEDBACK_DATABASE_URL": server.url, "OTEL_FEEDBACK_LOG_FORMAT": "json"}
        ) as service,
    ):
        server.stop()
        assert send(service) == 200
        failures = lambda: service.metric("otel_feedback_insert_failures_total")  # noqa: E731  # asked three times
        wait_until(lambda: failures() > 8 or None, AWAY_SECONDS, "the writer did not try again")
        server.start()
        wait_until(lambda: service.metric("otel_feedback_segments_waiting") == 0 or None, AWAY_SECONDS, "not written")
        failed = failures()
        service.stop()
        told = [line for line in lines_of(service.log) if line["logger"] == "otel_feedback.service.writer"]
    assert [line["level"] for line in told] == ["WARNING"] * 6
    assert {line["signal"] for line in told} == {"traces"}
    assert len({line["segment"] for line in told}) == 1
    assert told[-1]["left_out"] == failed - 5


def test_an_exception_that_nobody_catches_is_one_line(tmp_path: Path):
    """A thread's and the process' own."""
    program = (
        "import threading\n"
        "from otel_feedback.service.log_lines.configure import configure_logging\n"
        "from otel_feedback.settings import Settings\n"
        "configure_logging(Settings.load(), 'INFO')\n"
        "thread = threading.Thread(target=lambda: 1 / 0, name='write-traces')\n"
        "thread.start()\n"
        "thread.join()\n"
        "import warnings\n"
        "warnings.warn('old', stacklevel=1)\n"
        "raise RuntimeError('the end')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"OTEL_FEEDBACK_LOG_FORMAT": "json"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    thread, warning, end = (json.loads(line) for line in done.stderr.splitlines())
    assert (thread["message"], thread["thread_name"]) == ("write-traces ended: division by zero", "write-traces")
    assert "ZeroDivisionError" in thread["exception"]
    assert (warning["logger"], warning["level"]) == ("py.warnings", "WARNING")
    assert (end["level"], end["message"]) == ("CRITICAL", "the service ends: the end")


def test_a_format_that_is_none_is_refused(tmp_path: Path):
    done = otel_feedback(tmp_path / "data", "serve", environment={"OTEL_FEEDBACK_LOG_FORMAT": "xml"})
    assert done.returncode == 1
    assert done.stderr == "otel-feedback serve: OTEL_FEEDBACK_LOG_FORMAT='xml' can't be read: expected text or json\n"
