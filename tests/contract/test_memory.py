"""Requests that unpack to far more than is taken cost the service a bounded amount of memory."""

from __future__ import annotations

import gzip
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Self

import grpc
import httpx
import psutil
import pytest
from tests.support.service import RunningService, running_service

MIB = 1 << 20
LIMIT_BYTES = 16 * MIB
BOMB_BYTES = 300 * MIB
AT_ONCE = 4
ALLOWED_BYTES = 2 * AT_ONCE * LIMIT_BYTES + 64 * MIB
"""Twice the limit for each request, packed and unpacked, and something for the allocator; a third of the bombs."""


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    environment = {"OTEL_FEEDBACK_MAX_REQUEST_BYTES": str(LIMIT_BYTES)}
    with running_service(tmp_path_factory.mktemp("memory") / "data", environment) as service:
        yield service


class Peak:
    """The most memory that a process has while the block runs, beyond what it had before."""

    def __init__(self, pid: int) -> None:
        self._process = psutil.Process(pid)
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._before = self._most = self._resident()

    @property
    def growth_bytes(self) -> int:
        return self._most - self._before

    def _resident(self) -> int:
        return int(self._process.memory_info().rss)

    def _watch(self) -> None:
        while not self._is_over.is_set():
            self._most = max(self._most, self._resident())
            time.sleep(0.002)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join()


def test_gzip_bombs_over_grpc_are_refused_in_bounded_memory(service: RunningService):
    bomb = bytes(BOMB_BYTES)

    def export(_: int) -> grpc.StatusCode:
        options = [("grpc.use_local_subchannel_pool", 1), ("grpc.max_send_message_length", -1)]
        with grpc.insecure_channel(service.grpc, options=options) as channel:
            call = channel.unary_unary("/opentelemetry.proto.collector.trace.v1.TraceService/Export")
            with pytest.raises(grpc.RpcError) as caught:
                call(bomb, timeout=120, compression=grpc.Compression.Gzip)
        assert not any(key == "grpc-status-details-bin" for key, _ in caught.value.trailing_metadata() or ())
        return caught.value.code()

    with Peak(service.pid) as peak, ThreadPoolExecutor(AT_ONCE) as threads:
        assert set(threads.map(export, range(AT_ONCE))) == {grpc.StatusCode.RESOURCE_EXHAUSTED}
    assert peak.growth_bytes < ALLOWED_BYTES


@pytest.mark.parametrize("content_type", ["application/x-protobuf", "application/json"])
def test_gzip_bombs_over_http_are_refused_in_bounded_memory(service: RunningService, content_type: str):
    bomb = gzip.compress(bytes(BOMB_BYTES), 1)

    def post(_: int) -> int:
        headers = {"Content-Type": content_type, "Content-Encoding": "gzip"}
        return httpx.post(f"{service.http}/v1/traces", content=bomb, headers=headers, timeout=120).status_code

    with Peak(service.pid) as peak, ThreadPoolExecutor(AT_ONCE) as threads:
        assert set(threads.map(post, range(AT_ONCE))) == {413}
    assert peak.growth_bytes < ALLOWED_BYTES


def test_a_gzip_body_of_very_many_members_is_refused_at_once(service: RunningService):
    members = gzip.compress(b"") * 500_000
    headers = {"Content-Type": "application/x-protobuf", "Content-Encoding": "gzip"}
    answer = httpx.post(f"{service.http}/v1/traces", content=members, headers=headers, timeout=30)
    assert answer.status_code == 400
    assert b"members" in answer.content


def test_a_body_without_end_is_refused_once_it_is_too_large(service: RunningService):
    def pieces() -> Iterator[bytes]:
        for _ in range(40):
            yield bytes(MIB)

    with Peak(service.pid) as peak:
        try:
            answer = httpx.post(
                f"{service.http}/v1/traces",
                content=pieces(),
                headers={"Content-Type": "application/x-protobuf"},
                timeout=60,
            )
        except httpx.WriteError:
            pytest.fail("the answer to a body that is too large is lost to a client that is still sending")
    assert answer.status_code == 413
    assert peak.growth_bytes < ALLOWED_BYTES
