"""Disks that are full or read-only: callers are held off, and what was acknowledged is written once there is room."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import grpc
import httpx
import pytest
from tests.support.clickhouse_server import own_clickhouse
from tests.support.service import RunningService, running_service, start_in_vain, wait_until
from tests.support.small_disk import SmallDisk, small_disk
from tests.support.traffic import (
    Acknowledged,
    Client,
    check_every_row,
    send_again,
    send_for_a_while,
    spans_of,
    wait_until_written,
)

PATIENCE_SECONDS = 120


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with small_disk(tmp_path, 48 << 20) as disk:
        yield disk


def held_off(clients: list[Client]) -> str:
    """Wait until the clients that send spans are held off, and stop the others; what they were told."""
    messages = []
    for client in clients:
        if client.signal == "traces":
            client.join(PATIENCE_SECONDS)
            assert client.error is not None, "everything is acknowledged still"
            assert client.error.code() == grpc.StatusCode.UNAVAILABLE
            messages.append(str(client.error.details()))
    for client in clients:
        client.stop()
    return messages[0]


def post(service: RunningService, padding_bytes: int = 0) -> httpx.Response:
    body = spans_of("x", padding_bytes).SerializeToString()
    headers = {"Content-Type": "application/x-protobuf"}
    return httpx.post(f"{service.http}/v1/traces", content=body, headers=headers, timeout=30)


def test_a_disk_that_the_queue_fills_has_room_left_to_write_the_queue_to_the_database(
    tmp_path: Path, disk: SmallDisk, taken: dict[str, Acknowledged]
):
    with own_clickhouse(tmp_path) as server:
        environment = {"OTEL_FEEDBACK_DATABASE_URL": server.url}
        with running_service(disk.path / "data", environment, log=tmp_path / "log") as service:
            server.stop()
            said = held_off(send_for_a_while(service, taken, 0, bytes_each=100_000))
            assert "the disk is full" in said
            answer = post(service, 200_000)
            assert answer.status_code == 503
            assert int(answer.headers["Retry-After"]) > 0
            server.start()
            send_again(service, taken, patience_seconds=PATIENCE_SECONDS)
            wait_until_written(service, PATIENCE_SECONDS)
            check_every_row(service, taken)
            assert service.metric("otel_feedback_segments_rejected_total") == 0


def test_a_disk_that_others_fill_holds_callers_off_until_there_is_room(
    tmp_path: Path, disk: SmallDisk, taken: dict[str, Acknowledged]
):
    with own_clickhouse(tmp_path) as server:
        environment = {"OTEL_FEEDBACK_DATABASE_URL": server.url}
        with running_service(disk.path / "data", environment, log=tmp_path / "log") as service:
            clients = send_for_a_while(service, taken, 0.5)
            disk.fill()
            said = held_off(clients)
            assert "No space left on device" in said or "the disk is full" in said
            assert post(service).status_code == 503
            time.sleep(2)  # what was open is closed, and the writer meets the full disk
            disk.make_room()
            send_again(service, taken, patience_seconds=PATIENCE_SECONDS)
            wait_until_written(service, PATIENCE_SECONDS)
            check_every_row(service, taken)


def test_the_embedded_database_on_a_full_disk_refuses_nothing_for_good(tmp_path: Path, taken: dict[str, Acknowledged]):
    with small_disk(tmp_path, 256 << 20) as disk, running_service(disk.path / "data", log=tmp_path / "log") as service:
        clients = send_for_a_while(service, taken, 1.0)
        disk.fill(but_bytes=12 << 20)
        held_off(clients)
        wait_until(
            lambda: service.metric("otel_feedback_insert_failures_total") > 2 or None,
            PATIENCE_SECONDS,
            "no INSERT was refused for want of room",
        )
        disk.fill()
        time.sleep(2)  # INSERTs go on to fail
        disk.make_room()
        send_again(service, taken, patience_seconds=PATIENCE_SECONDS)
        wait_until_written(service, PATIENCE_SECONDS)
        check_every_row(service, taken)
        assert service.metric("otel_feedback_segments_rejected_total") == 0


def test_a_service_does_not_start_on_a_disk_that_is_full_or_read_only_and_says_why(tmp_path: Path, disk: SmallDisk):
    data_dir = disk.path / "data"
    environment = {"OTEL_FEEDBACK_DATABASE_URL": "clickhouse://127.0.0.1:1/otel"}
    with running_service(data_dir, environment, log=tmp_path / "log"):
        pass
    disk.mount("ro")
    code, said = start_in_vain(data_dir, environment)
    assert code == 1
    assert said == (
        f"otel-feedback serve: {data_dir} can't be used as the data directory: Read-only file system. "
        "Set OTEL_FEEDBACK_DATA_DIR to a directory that this user may write\n"
    )
    disk.mount("rw")
    (data_dir / "queue" / "traces" / "boot").unlink()
    disk.fill()
    code, said = start_in_vain(data_dir, environment)
    assert code == 1
    assert "Traceback" not in said
    assert said.splitlines()[-1] == (
        f"otel-feedback serve: {data_dir} can't be used as the data directory: No space left on device. "
        "Make room there, or set OTEL_FEEDBACK_DATA_DIR to another directory"
    )
    disk.make_room()
    with running_service(data_dir, environment, log=tmp_path / "log"):
        pass


def test_a_disk_that_becomes_read_only_loses_nothing_that_was_acknowledged(
    tmp_path: Path, disk: SmallDisk, taken: dict[str, Acknowledged]
):
    with own_clickhouse(tmp_path) as server:
        environment = {"OTEL_FEEDBACK_DATABASE_URL": server.url}
        service = RunningService(disk.path / "data", environment, log=tmp_path / "log")
        service.start()
        try:
            for client in send_for_a_while(service, taken, 1.0):
                client.stop()
            # While nothing is under way: Linux may call an fdatasync done that this very abort undoes.
            disk.become_read_only()
            clients = [Client(service.grpc, signal, taken[signal]) for signal in ("traces", "logs")]
            for client in clients:
                client.start()
            held_off(clients)
            answer = post(service)
            assert answer.status_code == 503
            assert "Read-only file system" in answer.text
            assert service.stop() == 0
            assert "Traceback" not in service.log.read_text()
            disk.mend()
            service.start()
            send_again(service, taken)
            wait_until_written(service, PATIENCE_SECONDS)
            check_every_row(service, taken)
        finally:
            service.stop()
