"""What is measured: our service and the Collector's ClickHouse exporter, each on the same real ClickHouse server."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc
from tests.support.clickhouse_server import OwnClickHouse, free_ports
from tests.support.collector import collector_binary
from tests.support.service import running_service, wait_until

DATABASE = "bench"
START_SECONDS = 60.0

_COLLECTOR_CONFIG = """\
receivers:
  otlp: {{protocols: {{grpc: {{endpoint: "127.0.0.1:{port}", max_recv_msg_size_mib: 64}}}}}}
exporters:
  clickhouse:
    endpoint: tcp://127.0.0.1:{tcp_port}
    database: {database}
    create_schema: true
    async_insert: false
    timeout: 60s
    sending_queue:
      enabled: true
      num_consumers: 2
      queue_size: {queue_size}
      block_on_overflow: true
      sizer: items
      batch: {{flush_timeout: 1s, min_size: 50000, max_size: 50000, sizer: items}}
      {storage}
{extensions}
service:
  telemetry: {{metrics: {{level: none}}, logs: {{level: warn}}}}
  {enabled}
  pipelines:
    traces: {{receivers: [otlp], exporters: [clickhouse]}}
"""


@dataclass(frozen=True)
class Receiver:
    """A running receiver: its OTLP/gRPC address and its process."""

    address: str
    pid: int


@dataclass(frozen=True)
class Peer:
    """Something that brings OTLP into ClickHouse; ``run`` starts it in a folder of its own."""

    name: str
    run: Callable[[OwnClickHouse, Path], AbstractContextManager[Receiver]]


@contextmanager
def _ours(server: OwnClickHouse, folder: Path) -> Iterator[Receiver]:
    url = f"clickhouse://default:@127.0.0.1:{server.http_port}/{DATABASE}"
    with running_service(folder / "data", {"OTEL_FEEDBACK_DATABASE_URL": url}) as service:
        yield Receiver(service.grpc, service.pid)


def _collector(binary: Path, *, is_durable: bool) -> Callable[[OwnClickHouse, Path], AbstractContextManager[Receiver]]:
    @contextmanager
    def run(server: OwnClickHouse, folder: Path) -> Iterator[Receiver]:
        (port,) = free_ports(1)
        storage = f"extensions:\n  file_storage: {{directory: {folder}, fsync: true}}" if is_durable else ""
        config = folder / "collector.yaml"
        config.write_text(
            _COLLECTOR_CONFIG.format(
                port=port,
                tcp_port=server.tcp_port,
                database=DATABASE,
                queue_size=10_000_000,
                storage="storage: file_storage" if is_durable else "",
                extensions=storage,
                enabled="extensions: [file_storage]" if is_durable else "",
            )
        )
        with (folder / "collector.log").open("wb") as log:
            process = subprocess.Popen([binary, "--config", str(config)], stdout=log, stderr=subprocess.STDOUT)
        try:
            wait_until(lambda: _is_ready(port, process, folder), START_SECONDS, "the Collector did not get ready")
            yield Receiver(f"127.0.0.1:{port}", process.pid)
        finally:
            process.terminate()
            process.wait(60)

    return run


def _is_ready(port: int, process: subprocess.Popen[bytes], folder: Path) -> bool | None:
    if process.poll() is not None:
        raise AssertionError(f"the Collector ended:\n{(folder / 'collector.log').read_text()[-2000:]}")
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        try:
            grpc.channel_ready_future(channel).result(1)
        except grpc.FutureTimeoutError:
            return None
    return True


OURS = Peer("otel-feedback (fsync before the answer)", _ours)


def peers() -> list[Peer]:
    """Ours first, then what can be run here."""
    binary = collector_binary()
    if binary is None:
        print("No Go here, so the Collector is not measured. Install Go 1.24 or newer to have it built.\n")
        return [OURS]
    return [
        OURS,
        Peer("Collector, persistent queue with fsync", _collector(binary, is_durable=True)),
        Peer("Collector, queue in memory only", _collector(binary, is_durable=False)),
    ]
