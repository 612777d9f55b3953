"""The files of ``collector_config/``, run by the real Collector on free ports."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import httpx
from tests.support.clickhouse_server import free_ports
from tests.support.collector import needed_collector
from tests.support.service import wait_until

FOLDER: Final = Path(__file__).parents[2] / "collector_config"
NAMES: Final = sorted(path.name for path in FOLDER.glob("*.yaml"))
START_SECONDS: Final = 60.0
STOP_SECONDS: Final = 30.0


class ConfiguredCollector:
    """A Collector with one of the files, or with others merged into it. Its queue and its log are in ``folder``."""

    def __init__(
        self, name: str, folder: Path, environment: Mapping[str, str] | None = None, merged: Sequence[Path] = ()
    ) -> None:
        """``environment`` is beside the addresses, which are free ones of this machine."""
        grpc, http, health, telemetry = free_ports(4)
        self.grpc = f"127.0.0.1:{grpc}"
        self.http = f"http://127.0.0.1:{http}"
        self.telemetry = f"http://127.0.0.1:{telemetry}/metrics"
        self.log = folder / f"{name}.log"
        self._health = f"http://127.0.0.1:{health}"
        self._command = [str(needed_collector())]
        for path in (FOLDER / name, *merged):
            self._command += ["--config", str(path)]
        self._environment = {
            "PATH": os.environ["PATH"],
            "RECEIVE_GRPC": self.grpc,
            "RECEIVE_HTTP": f"127.0.0.1:{http}",
            "HEALTH_ADDRESS": f"127.0.0.1:{health}",
            "TELEMETRY_PORT": str(telemetry),
            "QUEUE_DIRECTORY": str(folder / "collector-queue"),
            **(environment or {}),
        }
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the process and wait until its pipelines run."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, env=self._environment, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL
            )
        wait_until(self._is_healthy, START_SECONDS, "the Collector did not get ready")

    def kill(self) -> None:
        """SIGKILL: no chance to tidy up."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        self._process = None

    def stop(self) -> None:
        """SIGTERM; nothing if it does not run."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None

    def _is_healthy(self) -> bool | None:
        assert self._process is not None
        if self._process.poll() is not None:
            raise AssertionError(f"the Collector ended:\n{self.log.read_text()[-3000:]}")
        try:
            return httpx.get(self._health, timeout=1).status_code == 200 or None
        except httpx.HTTPError:
            return None


@contextmanager
def configured_collector(
    name: str, folder: Path, environment: Mapping[str, str] | None = None, merged: Sequence[Path] = ()
) -> Iterator[ConfiguredCollector]:
    """A started Collector, stopped at the end."""
    collector = ConfiguredCollector(name, folder, environment, merged)
    try:
        collector.start()
        yield collector
    finally:
        collector.stop()
