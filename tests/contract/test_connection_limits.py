"""Clients that are slow, silent, greedy or too many: they are cut off, and the others are served meanwhile."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from tests.support.figures import figure
from tests.support.otlp import trace_request
from tests.support.receivers import Receivers, running_receivers
from tests.support.service import wait_until

from otel_feedback.service.body_budget import LEAST_BYTES
from otel_feedback.service.connection_limits import ConnectionLimits
from otel_feedback.service.durable_queue.segment_log import Limits

EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
PROTOBUF = {"Content-Type": "application/x-protobuf"}
HEAD = b"POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\n"
PATIENCE_SECONDS = 20.0
SHORT = ConnectionLimits(
    head_seconds=1.0,
    head_bytes=10_000,
    body_pause_seconds=1.0,
    body_seconds=3.0,
    shortest_ping_seconds=0.2,
    silence_seconds=1.0,
    pong_seconds=1.0,
)


@pytest.fixture(scope="module")
def receivers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receivers]:
    with running_receivers(tmp_path_factory.mktemp("receivers"), SHORT) as receivers:
        yield receivers


def export(address: str, body: bytes = b"") -> None:
    with grpc.insecure_channel(address, options=[("grpc.use_local_subchannel_pool", 1)]) as channel:
        channel.unary_unary(EXPORT)(body, timeout=PATIENCE_SECONDS)


def post(receivers: Receivers, body: bytes = b"") -> httpx.Response:
    return httpx.post(f"{receivers.http}/v1/traces", content=body, headers=PROTOBUF, timeout=PATIENCE_SECONDS)


@contextlib.contextmanager
def connected(port: int) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", port), PATIENCE_SECONDS) as connection:
        yield connection


def received_until_closed(connection: socket.socket) -> bytes:
    received = b""
    with contextlib.suppress(ConnectionResetError):
        while part := connection.recv(65536):
            received += part
    return received


def dripped(connection: socket.socket, data: bytes, pause_seconds: float) -> int:
    """Send a byte at a time until the other side has enough; how many it took."""
    for index, byte in enumerate(data):
        try:
            connection.sendall(bytes([byte]))
        except OSError:
            return index
        time.sleep(pause_seconds)
    return len(data)


def test_a_head_that_comes_a_byte_at_a_time_is_cut_off_and_others_are_answered(receivers: Receivers):
    with contextlib.ExitStack() as stack:
        slow = [stack.enter_context(connected(receivers.http_port)) for _ in range(50)]
        for connection in slow:
            connection.sendall(b"POST /v1/traces HTTP/1.1\r\nX-Slow: ")
        assert post(receivers).status_code == 200
        assert dripped(slow[0], b"x" * 1000, 0.05) < 1000
        assert [received_until_closed(connection) for connection in slow] == [b""] * 50


def test_a_connection_on_which_nothing_comes_is_closed(receivers: Receivers):
    with connected(receivers.http_port) as connection:
        assert received_until_closed(connection) == b""


@pytest.mark.parametrize(
    "head",
    [
        b"POST /v1/traces HTTP/1.1\r\n" + b"X-Many: y\r\n" * 20_000,
        b"POST /v1/traces HTTP/1.1\r\nX-Long: " + b"y" * 200_000,
        b"POST /" + b"y" * 200_000,
    ],
    ids=["many", "long", "url"],
)
def test_a_head_without_end_is_431(receivers: Receivers, head: bytes):
    with connected(receivers.http_port) as connection:
        with contextlib.suppress(ConnectionError):
            connection.sendall(head)
        assert received_until_closed(connection).startswith(b"HTTP/1.1 431 ")


def test_the_time_and_size_of_a_head_count_anew_for_each_request(receivers: Receivers):
    with httpx.Client(headers={**PROTOBUF, "X-Filler": "y" * 3000}) as client:
        for _ in range(10):
            assert client.post(f"{receivers.http}/v1/traces", content=b"").status_code == 200


def slow_requests(receivers: Receivers, transport: str) -> float:
    return figure(receivers.telemetry, "requests_total", transport=transport, outcome="slow")


@pytest.mark.parametrize("pause_seconds", [0.1, 5.0], ids=["drips", "stops"])
def test_a_body_that_does_not_come_in_time_may_be_sent_again(receivers: Receivers, pause_seconds: float):
    with connected(receivers.http_port) as connection:
        before = slow_requests(receivers, "http")
        connection.sendall(HEAD + b"Content-Length: 1000\r\n\r\n")
        dripping = threading.Thread(target=dripped, args=(connection, b"x" * 100, pause_seconds), daemon=True)
        dripping.start()
        answer = received_until_closed(connection)
        assert answer.startswith(b"HTTP/1.1 503 ")
        assert b"retry-after: 30\r\n" in answer.lower()
        assert b"in time" in answer
        assert slow_requests(receivers, "http") == before + 1


def test_a_grpc_message_that_does_not_come_in_time_is_deadline_exceeded(receivers: Receivers):
    release = threading.Event()
    before = slow_requests(receivers, "grpc")

    def never() -> Iterator[bytes]:
        release.wait(PATIENCE_SECONDS)
        yield from ()

    with grpc.insecure_channel(receivers.grpc) as channel:
        with pytest.raises(grpc.RpcError) as caught:
            channel.stream_unary(EXPORT)(never(), timeout=PATIENCE_SECONDS)
        release.set()
    assert caught.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
    assert slow_requests(receivers, "grpc") == before + 1
    assert "within 3 s" in caught.value.details()


def test_a_grpc_call_that_ends_without_a_message_is_invalid(receivers: Receivers):
    with grpc.insecure_channel(receivers.grpc) as channel, pytest.raises(grpc.RpcError) as caught:
        channel.stream_unary(EXPORT)(iter(()), timeout=PATIENCE_SECONDS)
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT


def test_without_a_token_a_message_is_not_even_read(tmp_path: Path):
    release = threading.Event()

    def never() -> Iterator[bytes]:
        release.wait(PATIENCE_SECONDS)
        yield from ()

    environment = {"OTEL_FEEDBACK_INGEST_TOKENS": "secret"}
    with (
        running_receivers(tmp_path, ConnectionLimits(), environment=environment) as guarded,
        grpc.insecure_channel(guarded.grpc) as channel,
    ):
        with pytest.raises(grpc.RpcError) as caught:
            channel.stream_unary(EXPORT)(never(), timeout=PATIENCE_SECONDS)
        release.set()
    assert caught.value.code() == grpc.StatusCode.UNAUTHENTICATED


def test_a_client_that_does_not_answer_pings_is_gone(receivers: Receivers):
    with connected(int(receivers.grpc.rpartition(":")[2])) as connection:
        empty_settings = struct.pack(">I", 0)[1:] + b"\x04\x00" + struct.pack(">I", 0)
        connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + empty_settings)
        received_until_closed(connection)  # times out if it is never closed
    export(receivers.grpc)


class States:
    """What a channel's connectivity went through."""

    def __init__(self, channel: Any) -> None:
        self.seen: list[grpc.ChannelConnectivity] = []
        channel.subscribe(self.seen.append, try_to_connect=True)

    def wait_for(self, state: grpc.ChannelConnectivity, seconds: float = PATIENCE_SECONDS) -> None:
        wait_until(lambda: True if state in self.seen else None, seconds, f"never {state}: {self.seen}")


def pinging_channel(address: str) -> Any:
    options = [
        ("grpc.keepalive_time_ms", 500),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.max_pings_without_data", 0),
        ("grpc.use_local_subchannel_pool", 1),
    ]
    return grpc.insecure_channel(address, options=options)


def test_clients_may_ping_without_calls(receivers: Receivers):
    with pinging_channel(receivers.grpc) as channel:
        states = States(channel)
        states.wait_for(grpc.ChannelConnectivity.READY)
        time.sleep(4)  # eight pings
        assert states.seen[-1] == grpc.ChannelConnectivity.READY


def test_clients_that_ping_without_pause_are_told_to_stop(tmp_path: Path):
    limits = ConnectionLimits(shortest_ping_seconds=60.0)
    with running_receivers(tmp_path, limits) as strict, pinging_channel(strict.grpc) as channel:
        states = States(channel)
        states.wait_for(grpc.ChannelConnectivity.READY)
        states.seen.clear()
        states.wait_for(grpc.ChannelConnectivity.IDLE)


def test_connections_end_gracefully_with_age_and_no_call_fails(tmp_path: Path):
    limits = ConnectionLimits(age_seconds=0.5)
    with (
        running_receivers(tmp_path, limits) as aging,
        grpc.insecure_channel(aging.grpc, options=[("grpc.use_local_subchannel_pool", 1)]) as channel,
    ):
        states = States(channel)
        call = channel.unary_unary(EXPORT)
        deadline = time.monotonic() + 4
        calls = 0
        while time.monotonic() < deadline:
            call(b"", timeout=PATIENCE_SECONDS)
            calls += 1
        assert states.seen.count(grpc.ChannelConnectivity.READY) > 2
        assert figure(aging.telemetry, "requests_total", outcome="accepted") == calls


def retry_delay_seconds(error: Any) -> int:
    (details,) = [value for key, value in error.trailing_metadata() if key == "grpc-status-details-bin"]
    status = Status.FromString(details)
    assert status.code == error.code().value[0] == grpc.StatusCode.UNAVAILABLE.value[0]
    retry = RetryInfo()
    assert status.details[0].Unpack(retry)
    return int(retry.retry_delay.seconds)


def refused(address: str, body: bytes) -> Any:
    with pytest.raises(grpc.RpcError) as caught:
        export(address, body)
    return caught.value


def test_a_full_queue_is_unavailable_with_the_time_to_come_again(tmp_path: Path):
    body = trace_request({"filler": "x" * 2000}).SerializeToString()
    with running_receivers(tmp_path, ConnectionLimits(), queue_limits=Limits(total_bytes=1000)) as full:
        assert retry_delay_seconds(refused(full.grpc, body)) == 5
        answer = post(full, body)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        assert "queue is full" in Status.FromString(answer.content).message
        assert figure(full.telemetry, "requests_total", outcome="busy") == 2


def test_more_bytes_at_once_than_memory_is_meant_for_are_unavailable(receivers: Receivers):
    body = trace_request({}).SerializeToString()
    before = figure(receivers.telemetry, "requests_total", outcome="busy")
    with receivers.budget.hold() as held:
        held.grow(LEAST_BYTES - len(body) + 1)
        assert retry_delay_seconds(refused(receivers.grpc, body)) == 1
        answer = post(receivers, body)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert figure(receivers.telemetry, "requests_total", outcome="busy") == before + 2
    export(receivers.grpc, body)
    assert post(receivers, trace_request({}).SerializeToString()).status_code == 200


def test_clients_that_go_away_in_the_middle_leave_nothing_behind(receivers: Receivers):
    for _ in range(50):
        with connected(receivers.http_port) as connection:
            connection.sendall(HEAD + b"Content-Length: 99999\r\n\r\n" + b"x" * 5000)
    with grpc.insecure_channel(receivers.grpc) as channel:
        calls = [channel.unary_unary(EXPORT).future(b"x" * 500_000, timeout=PATIENCE_SECONDS) for _ in range(50)]
        for call in calls:
            call.cancel()

    def is_all_given_back() -> bool | None:
        with contextlib.suppress(Exception), receivers.budget.hold() as held:
            held.grow(LEAST_BYTES)
            return True
        return None

    wait_until(is_all_given_back, PATIENCE_SECONDS, "the budget is not given back")
    assert post(receivers).status_code == 200


def test_a_thousand_calls_at_once_on_one_connection_are_all_answered(receivers: Receivers):
    bodies = [trace_request({"n": index}).SerializeToString() for index in range(1000)]
    with grpc.insecure_channel(receivers.grpc) as channel:
        calls = [channel.unary_unary(EXPORT).future(body, timeout=60) for body in bodies]
        assert {call.result() for call in calls} == {b""}
