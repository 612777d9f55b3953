"""``otel-feedback doctor``: what it says while a service runs, while none does, and with what is broken."""

from __future__ import annotations

import json
import os
import socket
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.support.clickhouse_server import own_clickhouse
from tests.support.commands import otel_feedback
from tests.support.otlp import trace_request
from tests.support.service import RunningService, running_service
from tests.support.written import put_segment

from otel_feedback.service.durable_queue.files import set_aside
from otel_feedback.service.durable_queue.segment import encode_record

EXPORT = {"headers": {"Content-Type": "application/x-protobuf"}, "timeout": 30}


def examine(data_dir: Path, exit_code: int = 0, **environment: str) -> dict[str, dict[str, Any]]:
    done = otel_feedback(data_dir, "doctor", "--format", "json", environment=environment)
    assert (done.returncode, done.stderr) == (exit_code, "")
    found = json.loads(done.stdout)
    assert all(each["advice"] for each in found if each["state"] != "ok" and not each["check"].startswith("port of"))
    return {each["check"]: each for each in found}


def states(found: dict[str, dict[str, Any]], *but: str) -> set[str]:
    return {each["state"] for check, each in found.items() if check not in but}


def send(service: RunningService, start_unix: float | None = None) -> None:
    request = trace_request({})
    if start_unix is not None:
        request.resource_spans[0].scope_spans[0].spans[0].start_time_unix_nano = int(start_unix * 1e9)
    assert httpx.post(f"{service.http}/v1/traces", content=request.SerializeToString(), **EXPORT).status_code == 200
    service.wait_for_rows("SELECT 1 FROM otel_traces")


def test_before_the_first_start_all_is_well_and_nothing_is_made(tmp_path: Path):
    done = otel_feedback(tmp_path / "data", "doctor")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("\nAll is well.\n")
    assert "to start it: otel-feedback serve" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_with_a_running_service_and_after_it_all_is_well(tmp_path: Path):
    data_dir = tmp_path / "data"
    with running_service(data_dir) as service:
        send(service)
        found = examine(data_dir)
        assert states(found) == {"ok"}
        assert f"pid {service.pid}" in found["service"]["found"]
        assert found["counters"]["found"] == "no failure since the service's start"
        assert "embedded" in found["database"]["found"]
    found = examine(data_dir)
    assert states(found) == {"ok"}
    assert "otel_traces" in found["newest data"]["found"]


def test_a_clock_of_an_app_that_is_ahead_and_a_refused_client_are_warnings(tmp_path: Path):
    with running_service(tmp_path / "data") as service:
        send(service, time.time() + 86_400)
        assert httpx.post(f"{service.http}/v1/traces", content=b"no OTLP", **EXPORT).status_code == 400
        found = examine(tmp_path / "data")
    assert found["newest data"]["state"] == found["counters"]["state"] == "warning"
    assert "in the future" in found["newest data"]["found"]
    assert states(found, "newest data", "counters") == {"ok"}


def test_with_a_server_and_with_it_away(tmp_path: Path):
    with own_clickhouse(tmp_path) as server:
        database = {"OTEL_FEEDBACK_DATABASE_URL": server.url}
        missing = examine(tmp_path / "data", **database)["database"]
        assert missing["found"] == "the server answers, but has no database otel"
        assert missing["advice"].startswith("Run: otel-feedback migrate")
        with running_service(tmp_path / "data", database) as service:
            send(service)
            assert states(examine(tmp_path / "data", **database)) == {"ok"}
            server.stop()
            found = examine(tmp_path / "data", exit_code=1, **database)
            assert found["database"]["state"] == "failed"
            assert found["service"]["state"] == "warning"
            assert "takes requests" in found["service"]["found"]
            server.start()


def test_a_schema_of_another_version_fails(tmp_path: Path):
    assert otel_feedback(tmp_path / "data", "migrate").returncode == 0
    newer = "INSERT INTO schema_migrations (Version, Name) SELECT 9999, 'of tomorrow'"
    assert otel_feedback(tmp_path / "data", "sql", "--write", newer).returncode == 0
    found = examine(tmp_path / "data", exit_code=1)
    assert "9999, made by a newer version" in found["schema"]["found"]


def test_a_busy_port_fails_with_who_holds_it(tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        address = f"127.0.0.1:{other.getsockname()[1]}"
        found = examine(tmp_path / "data", exit_code=1, OTEL_FEEDBACK_HTTP_ADDRESS=address)
    assert f"{address} is in use" in found["port of http"]["found"]
    assert f"held by pid {os.getpid()}" in found["port of http"]["found"]


@pytest.mark.parametrize(
    "setting",
    [
        {"OTEL_FEEDBACK_HTTP_ADDRESS": "4318"},
        {"OTEL_FEEDBACK_GRPC_ADDRESS": "0.0.0.0:0"},
        {"OTEL_FEEDBACK_DASHBOARD_ADDRESS": "0.0.0.0:0"},
        {"OTEL_FEEDBACK_DATABASE_URL": "mysql://there"},
    ],
)
def test_a_setting_that_no_service_would_start_with_fails(tmp_path: Path, setting: dict[str, str]):
    found = examine(tmp_path / "data", exit_code=1, **setting)
    assert set(found) == {"settings"}
    assert next(iter(setting)) in found["settings"]["found"]


def test_what_waits_without_a_service_and_what_was_rejected_are_warnings(tmp_path: Path):
    body = trace_request({}).SerializeToString()
    data_dir = tmp_path / "data"
    data_dir.mkdir()
    put_segment(data_dir, [body]).parent.rename(data_dir / "traces")
    (data_dir / "queue").mkdir()
    (data_dir / "traces").rename(data_dir / "queue" / "traces")
    set_aside(encode_record(body, 1), data_dir / "rejected" / "traces", "1-aa.segment", "refused (code 469)")
    found = examine(data_dir)
    assert found["queue of traces"]["state"] == found["rejected"]["state"] == "warning"
    assert "otel-feedback serve" in found["queue of traces"]["advice"]


def test_rejected_requests_go_for_good_only_when_that_is_confirmed(tmp_path: Path):
    data_dir = tmp_path / "data"
    for name in ("1-aa.segment", "2-bb.segment", "3-cc.segment"):
        body = trace_request({}).SerializeToString()
        set_aside(encode_record(body, 1), data_dir / "rejected" / "traces", name, "refused (code 469)")

    def names() -> list[str]:
        done = otel_feedback(data_dir, "doctor", "rejected", "--format", "json")
        return [each["name"] for each in json.loads(done.stdout)]

    unconfirmed = otel_feedback(data_dir, "doctor", "rejected", "drop", "1-aa.segment")
    assert (unconfirmed.returncode, "--yes" in unconfirmed.stderr) == (1, True)
    assert otel_feedback(data_dir, "doctor", "rejected", "drop", "--yes").returncode == 2, "neither names nor --all"
    assert otel_feedback(data_dir, "doctor", "rejected", "drop", "1-aa", "--all", "--yes").returncode == 2
    assert len(names()) == 3
    assert otel_feedback(data_dir, "doctor", "rejected", "drop", "1-aa", "--yes").returncode == 0
    assert names() == ["2-bb.segment", "3-cc.segment"]
    assert otel_feedback(data_dir, "doctor", "rejected", "drop", "--all", "--yes").returncode == 0
    assert otel_feedback(data_dir, "doctor", "rejected").stdout == f"Nothing was rejected in {data_dir}.\n"


def test_what_was_put_back_while_no_service_ran_is_written_once_when_one_starts(tmp_path: Path):
    data_dir = tmp_path / "data"
    request = trace_request({})
    content = encode_record(request.SerializeToString(), 1)
    set_aside(content, data_dir / "rejected" / "traces", "1-aa.segment", "refused (code 469)")
    done = otel_feedback(data_dir, "doctor", "rejected", "replay", "--all")
    assert done.stdout.splitlines()[-1] == "They are written when the service starts: otel-feedback serve"
    with running_service(data_dir) as service:
        service.wait_for_rows("SELECT 1 FROM otel_traces")
        service.kill()
        service.start()
        assert service.sql("SELECT count() AS Rows FROM otel_traces") == [{"Rows": 1}]
