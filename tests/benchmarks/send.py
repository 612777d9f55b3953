"""Send a load over OTLP/gRPC by a fixed number of callers, each waiting for its answer."""

from __future__ import annotations

import queue
import threading
import time
from dataclasses import dataclass

import grpc
from tests.support.traffic import METHODS

CALLERS = 8


@dataclass(frozen=True)
class Sent:
    """What a run of the load did. ``acknowledged_seconds`` is from the first send to the last answer."""

    started_at: float
    acknowledged_seconds: float


def send(requests: list[bytes], address: str, signal: str = "traces", callers: int = CALLERS) -> Sent:
    """Send every request until it is acknowledged; ``address`` is host:port of an OTLP/gRPC receiver."""
    waiting: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    for request in requests:
        waiting.put(request)
    barrier = threading.Barrier(callers + 1)
    failures: list[BaseException] = []

    def call_until_empty() -> None:
        try:
            options = [("grpc.use_local_subchannel_pool", 1), ("grpc.max_send_message_length", 64 << 20)]
            with grpc.insecure_channel(address, options=options) as channel:
                export = channel.unary_unary(METHODS[signal])
                grpc.channel_ready_future(channel).result(30)
                barrier.wait()
                _drain(waiting, export)
        except BaseException as error:  # noqa: BLE001  # raised again by the caller's thread
            failures.append(error)
            barrier.abort()

    threads = [threading.Thread(target=call_until_empty) for _ in range(callers)]
    for thread in threads:
        thread.start()
    barrier.wait()
    started_at = time.time()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return Sent(started_at, time.time() - started_at)


def _drain(waiting: queue.SimpleQueue[bytes], export: grpc.UnaryUnaryMultiCallable) -> None:
    retryable = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED}
    while True:
        try:
            request = waiting.get_nowait()
        except queue.Empty:
            return
        while True:
            try:
                export(request, timeout=60)
                break
            except grpc.RpcError as error:
                if error.code() not in retryable:
                    raise
                time.sleep(0.05)
