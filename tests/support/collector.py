"""A real OpenTelemetry Collector with the ClickHouse exporter, built once and kept outside the checkout, and run."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc
from tests.support.clickhouse_server import OwnClickHouse, free_ports
from tests.support.service import wait_until
from tests.support.tools import cached_folder, missing_tool

MANIFEST = Path(__file__).with_name("collector-builder.yaml")
BUILDER = "go.opentelemetry.io/collector/cmd/builder@v0.161.0"
START_SECONDS = 60.0

_CONFIG = """\
receivers:
  otlp: {{protocols: {{grpc: {{endpoint: "127.0.0.1:{port}", max_recv_msg_size_mib: 64}}}}}}
exporters:
  clickhouse:
    endpoint: tcp://127.0.0.1:{tcp_port}
    database: {database}
    create_schema: {create_schema}
    async_insert: false
    connection_params: {{{connection_params}}}
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


def collector_binary() -> Path | None:
    """The Collector's binary, built from Go modules on first use (some three minutes); None without Go."""
    if shutil.which("go") is None:
        return None
    manifest = MANIFEST.read_bytes()
    return cached_folder(f"collector/{hashlib.sha256(manifest).hexdigest()[:12]}", _build) / "otelcol-test"


def needed_collector() -> Path:
    """The Collector's binary, for a test that is nothing without it."""
    binary = collector_binary()
    if binary is None:
        missing_tool("the Collector is built with Go: install Go 1.24 or newer")
    return binary


@contextmanager
def running_collector(
    binary: Path,
    server: OwnClickHouse,
    folder: Path,
    database: str,
    *,
    is_durable: bool = False,
    create_schema: bool = True,
    connection_params: str = "",
) -> Iterator[Receiver]:
    """A Collector whose exporter writes into a database; without ``create_schema`` its tables must be there.

    ``connection_params`` are the exporter's, as in YAML.

    ``is_durable``: with its persistent queue and fsync, in ``folder``, else in memory.
    """
    (port,) = free_ports(1)
    storage = f"extensions:\n  file_storage: {{directory: {folder}, fsync: true}}" if is_durable else ""
    config = folder / "collector.yaml"
    config.write_text(
        _CONFIG.format(
            port=port,
            tcp_port=server.tcp_port,
            database=database,
            create_schema=str(create_schema).lower(),
            connection_params=connection_params,
            queue_size=10_000_000,
            storage="storage: file_storage" if is_durable else "",
            extensions=storage,
            enabled="extensions: [file_storage]" if is_durable else "",
        )
    )
    with running_receiver([binary, "--config", str(config)], port, folder / "collector.log") as receiver:
        yield receiver


@contextmanager
def running_receiver(command: Sequence[str | Path], port: int, log_path: Path) -> Iterator[Receiver]:
    """The process of any OTLP/gRPC receiver, ready on a port and ended with SIGTERM."""
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


def _build(folder: Path) -> None:
    environment = {**os.environ, "GOBIN": str(folder / "bin"), "CGO_ENABLED": "0"}

    def run(*command: str, cwd: Path = folder) -> None:
        done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")

    sources = folder / "sources"
    run("go", "install", BUILDER)
    run(
        str(folder / "bin" / "builder"),
        "--config",
        str(MANIFEST),
        "--skip-compilation",
        f"--output-path={sources}",
    )
    run("go", "build", "-trimpath", "-ldflags=-s -w", "-o", str(folder / "otelcol-test"), cwd=sources)
