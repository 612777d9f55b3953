"""What is measured, each on the same ClickHouse server: our service, the Collector's ClickHouse exporter, Rotel."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc
from tests.benchmarks.loads import Load
from tests.support.clickhouse_server import OwnClickHouse, free_ports
from tests.support.collector import collector_binary
from tests.support.service import running_service, wait_until
from tests.support.tools import cached_folder

DATABASE = "bench"
START_SECONDS = 60.0
ROTEL_VERSION = "0.0.1a15"
DERIVED_VIEWS = (
    "llm_call_spans_genai_mv",
    "llm_call_spans_openinference_mv",
    "llm_call_messages_genai_mv",
    "rating_deliveries_from_spans_mv",
    "rating_deliveries_from_logs_mv",
    "trace_parts_mv",
)

_COLLECTOR_CONFIG = """\
receivers:
  otlp: {{protocols: {{grpc: {{endpoint: "127.0.0.1:{port}", max_recv_msg_size_mib: 64}}}}}}
exporters:
  clickhouse:
    endpoint: tcp://127.0.0.1:{tcp_port}
    database: {database}
    create_schema: {create_schema}
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
    logs: {{receivers: [otlp], exporters: [clickhouse]}}
"""


@dataclass(frozen=True)
class Receiver:
    """A running receiver: its OTLP/gRPC address and its process."""

    address: str
    pid: int


@dataclass(frozen=True)
class Peer:
    """Something that brings OTLP into ClickHouse; ``run`` starts it in a folder of its own, on an empty database."""

    name: str
    run: Callable[[OwnClickHouse, Path], AbstractContextManager[Receiver]]
    signals: tuple[str, ...] = ("traces", "logs")
    most_request_bytes: int = 64 << 20

    def takes(self, load: Load) -> bool:
        """Whether it can be measured with this load."""
        return load.signal in self.signals and max(map(len, load.requests)) <= self.most_request_bytes


@contextmanager
def _ours(server: OwnClickHouse, folder: Path) -> Iterator[Receiver]:
    url = f"clickhouse://default:@127.0.0.1:{server.http_port}/{DATABASE}"
    with running_service(folder / "data", {"OTEL_FEEDBACK_DATABASE_URL": url}) as service:
        yield Receiver(service.grpc, service.pid)


@contextmanager
def _ours_without_derived_tables(server: OwnClickHouse, folder: Path) -> Iterator[Receiver]:
    with _ours(server, folder) as receiver:
        for view in DERIVED_VIEWS:
            server.execute(f"DROP VIEW {DATABASE}.{view} SYNC")
        yield receiver


def collector(
    binary: Path, *, is_durable: bool, database: str = DATABASE, create_schema: bool = True
) -> Callable[[OwnClickHouse, Path], AbstractContextManager[Receiver]]:
    """A Collector with its ClickHouse exporter; without ``create_schema`` it writes into the tables that are there."""

    @contextmanager
    def run(server: OwnClickHouse, folder: Path) -> Iterator[Receiver]:
        (port,) = free_ports(1)
        storage = f"extensions:\n  file_storage: {{directory: {folder}, fsync: true}}" if is_durable else ""
        config = folder / "collector.yaml"
        config.write_text(
            _COLLECTOR_CONFIG.format(
                port=port,
                tcp_port=server.tcp_port,
                database=database,
                create_schema=str(create_schema).lower(),
                queue_size=10_000_000,
                storage="storage: file_storage" if is_durable else "",
                extensions=storage,
                enabled="extensions: [file_storage]" if is_durable else "",
            )
        )
        with _process([binary, "--config", str(config)], port, folder / "collector.log") as receiver:
            yield receiver

    return run


def _rotel(agent: Path, binary: Path) -> Callable[[OwnClickHouse, Path], AbstractContextManager[Receiver]]:
    @contextmanager
    def run(server: OwnClickHouse, folder: Path) -> Iterator[Receiver]:
        with collector(binary, is_durable=False)(server, folder):
            pass  # makes the exporter's tables, which are Rotel's too
        port, http_port = free_ports(2)
        arguments = {
            "exporter": "clickhouse",
            "clickhouse-exporter-endpoint": f"http://127.0.0.1:{server.http_port}",
            "clickhouse-exporter-database": DATABASE,
            "clickhouse-exporter-async-insert": "false",
            "batch-max-size": "51200",
            "batch-timeout": "1s",
            "otlp-grpc-endpoint": f"127.0.0.1:{port}",
            "otlp-http-endpoint": f"127.0.0.1:{http_port}",
        }
        command = [agent, "start", *(part for name, value in arguments.items() for part in (f"--{name}", value))]
        with _process(command, port, folder / "rotel.log") as receiver:
            yield receiver

    return run


@contextmanager
def _process(command: Sequence[str | Path], port: int, log_path: Path) -> Iterator[Receiver]:
    with log_path.open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
    try:
        wait_until(lambda: _is_ready(port, process, log_path), START_SECONDS, f"{command[0]} did not get ready")
        yield Receiver(f"127.0.0.1:{port}", process.pid)
    finally:
        process.terminate()
        process.wait(60)


def _is_ready(port: int, process: subprocess.Popen[bytes], log_path: Path) -> bool | None:
    if process.poll() is not None:
        raise AssertionError(f"the receiver ended:\n{log_path.read_text()[-2000:]}")
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        try:
            grpc.channel_ready_future(channel).result(1)
        except grpc.FutureTimeoutError:
            return None
    return True


OURS = Peer("otel-feedback (fsync before the answer)", _ours)
OURS_OFFICIAL_ONLY = Peer("the same, official tables only", _ours_without_derived_tables)


def peers() -> list[Peer]:
    """Ours first, then what can be run here."""
    binary = collector_binary()
    if binary is None:
        print("No Go here, so the Collector is not measured. Install Go 1.24 or newer to have it built.\n")
        return [OURS, OURS_OFFICIAL_ONLY]
    return [
        OURS,
        OURS_OFFICIAL_ONLY,
        Peer("Collector, persistent queue with fsync", collector(binary, is_durable=True)),
        Peer("Collector, queue in memory only", collector(binary, is_durable=False)),
        Peer("Rotel, queue in memory only", _rotel(_rotel_agent(), binary), ("traces",), 4 << 20),
    ]


def _rotel_agent() -> Path:
    def fill(folder: Path) -> None:
        uv = Path(__file__).parents[2] / ".uv" / "bin" / "uv"
        install = [uv, "pip", "install", "--quiet", "--no-deps", "--python", sys.executable, "--target", folder]
        subprocess.run([*install, f"rotel=={ROTEL_VERSION}"], check=True)
        (folder / "rotel" / "rotel-agent").chmod(0o755)

    return cached_folder(f"rotel-{ROTEL_VERSION}", fill) / "rotel" / "rotel-agent"
