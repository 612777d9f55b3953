"""What is measured, each on the same ClickHouse server: our service, the Collector's ClickHouse exporter, Rotel."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.loads import Load
from tests.support.clickhouse_server import OwnClickHouse, free_ports
from tests.support.collector import Receiver, collector_binary, running_collector, running_receiver
from tests.support.service import running_service
from tests.support.tools import cached_folder

DATABASE = "bench"
ROTEL_VERSION = "0.0.1a15"
DERIVED_VIEWS = (
    "llm_call_spans_genai_mv",
    "llm_call_spans_openinference_mv",
    "llm_call_messages_genai_mv",
    "rating_deliveries_from_spans_mv",
    "rating_deliveries_from_logs_mv",
)


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


def _collector(binary: Path, *, is_durable: bool) -> Callable[[OwnClickHouse, Path], AbstractContextManager[Receiver]]:
    return lambda server, folder: running_collector(binary, server, folder, DATABASE, is_durable=is_durable)


def _rotel(agent: Path, binary: Path) -> Callable[[OwnClickHouse, Path], AbstractContextManager[Receiver]]:
    @contextmanager
    def run(server: OwnClickHouse, folder: Path) -> Iterator[Receiver]:
        with running_collector(binary, server, folder, DATABASE):
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
        with running_receiver(command, port, folder / "rotel.log") as receiver:
            yield receiver

    return run


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
        Peer("Collector, persistent queue with fsync", _collector(binary, is_durable=True)),
        Peer("Collector, queue in memory only", _collector(binary, is_durable=False)),
        Peer("Rotel, queue in memory only", _rotel(_rotel_agent(), binary), ("traces",), 4 << 20),
    ]


def _rotel_agent() -> Path:
    def fill(folder: Path) -> None:
        uv = Path(__file__).parents[2] / ".uv" / "bin" / "uv"
        install = [uv, "pip", "install", "--quiet", "--no-deps", "--python", sys.executable, "--target", folder]
        subprocess.run([*install, f"rotel=={ROTEL_VERSION}"], check=True)
        (folder / "rotel" / "rotel-agent").chmod(0o755)

    return cached_folder(f"rotel-{ROTEL_VERSION}", fill) / "rotel" / "rotel-agent"
