"""SIGTERM and SIGINT: once, twice, and while the service is starting."""

from __future__ import annotations

import signal
import subprocess
import time
import uuid
from pathlib import Path

import grpc
from tests.support.clickhouse_server import free_ports, own_clickhouse
from tests.support.flaky_network import Weather, flaky_network
from tests.support.service import SERVE, running_service, service_environment, wait_until
from tests.support.traffic import TRACES, Acknowledged, check_every_row, send_for_a_while, spans_of, wait_until_written


def test_a_second_signal_ends_the_service_at_once_and_loses_nothing(tmp_path: Path, taken: dict[str, Acknowledged]):
    with own_clickhouse(tmp_path) as server, flaky_network(server.url) as (network, url):
        environment = {"OTEL_FEEDBACK_DATABASE_URL": url}
        with running_service(tmp_path / "data", environment) as service:
            clients = send_for_a_while(service, taken, 1.0)
            network.become(Weather(swallows=True))
            for client in clients:
                client.stop()
            began = time.monotonic()
            service.signal(signal.SIGINT)
            wait_until(lambda: "stopping" in service.log.read_text() or None, 30, "it does not stop")
            service.signal(signal.SIGTERM)
            wait_until(service.has_ended, 10, "it waits for the database")
            assert time.monotonic() - began < 12
            assert service.stop() == 128 + signal.SIGTERM
            network.become(Weather())
            service.start()
            wait_until_written(service)
            check_every_row(service, taken)


def test_a_signal_during_the_start_ends_it(tmp_path: Path):
    """At any time: a start takes a second or two, and a database that does not answer makes it longer."""
    (port,) = free_ports(1)
    for pause_seconds in (0.05, 0.3, 0.6, 1.0, 1.6):
        began = time.monotonic()
        process = subprocess.Popen(
            SERVE,
            env=service_environment(
                tmp_path / "data", {"OTEL_FEEDBACK_DATABASE_URL": f"clickhouse://127.0.0.1:{port}/otel"}
            ),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        time.sleep(pause_seconds)
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=30)
        assert process.returncode in {0, -signal.SIGTERM}, said
        assert "Traceback" not in said
        assert time.monotonic() - began < 25
    with running_service(tmp_path / "data") as service:
        assert service.sql("SELECT 1 AS one") == [{"one": 1}]


def test_a_stop_drains_what_waits(tmp_path: Path, taken: dict[str, Acknowledged]):
    """Also what was closed just now, and what a start finds only when it is asked to stop."""
    with own_clickhouse(tmp_path) as server:
        environment = {"OTEL_FEEDBACK_DATABASE_URL": server.url}
        with running_service(tmp_path / "data", environment) as service:
            server.stop()
            for client in send_for_a_while(service, taken, 2.0):
                client.stop()
            server.start()
            assert service.stop() == 0
            assert not list((tmp_path / "data" / "queue").rglob("*.*"))
            service.start()
            check_every_row(service, taken)


def test_a_stop_gives_requests_under_way_their_answer(tmp_path: Path):
    with running_service(tmp_path / "data") as service, grpc.insecure_channel(service.grpc) as channel:
        export = channel.unary_unary(TRACES)
        keys = [uuid.uuid4().hex for _ in range(50)]
        calls = [export.future(spans_of(key).SerializeToString(), timeout=30) for key in keys]
        calls[0].result()
        assert service.stop() == 0
        answered = [key for key, call in zip(keys, calls, strict=True) if call.exception() is None]
        service.start()
        rows = service.sql("SELECT DISTINCT SpanAttributes['test.key'] AS Key FROM otel_traces")
        assert set(answered) <= {row["Key"] for row in rows}
        assert answered
