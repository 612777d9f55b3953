"""A real service process: ``python -m otel_feedback.cli serve`` on free ports in a directory of its own."""

from __future__ import annotations

import contextlib
import json
import os
import signal as signals
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import httpx

SIGNING_KEY = "a key for tests"
ALLOWED_ORIGIN = "https://chat.example"
START_SECONDS = 90.0
STOP_SECONDS = 60.0
VISIBLE_SECONDS = 30.0

TRUST = ssl.create_default_context()
"""For every request of a test's: httpx makes one for each, and that takes 30 ms of CPU."""

SERVE = (sys.executable, "-m", "otel_feedback.cli", "serve")

T = TypeVar("T")


class ServiceEndedError(AssertionError):
    """The process ended before it was ready; the text is what it said."""


class RunningService:
    """A service process. Killing it and starting another one on the same directory is a fault test's daily bread."""

    def __init__(
        self,
        data_dir: Path,
        environment: Mapping[str, str] | None = None,
        *,
        trust: ssl.SSLContext | None = None,
        launcher: Sequence[str] = (),
        arguments: Sequence[str] = (),
        log: Path | None = None,
        command: Sequence[str] = SERVE,
    ) -> None:
        """As ``running_service`` says."""
        self.data_dir = data_dir
        self.log = log or data_dir.with_name(f"{data_dir.name}.log")
        self._environment = dict(environment or {})
        self._trust = trust or TRUST
        self._command = [*launcher, *command, *arguments]
        self._process: subprocess.Popen[bytes] | None = None
        self._state: dict[str, Any] = {}

    def start(self) -> None:
        """Start the process and wait until it answers."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                env=service_environment(self.data_dir, self._environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self._state = wait_until(self._read_state, START_SECONDS, "the service did not get ready")

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def grpc(self) -> str:
        """Host and port, as gRPC's channels want it."""
        return str(self._state["grpc"]).partition("://")[2]

    @property
    def http(self) -> str:
        """The URL of the OTLP/HTTP port."""
        return str(self._state["http"])

    @property
    def dashboard(self) -> str:
        """The URL of the dashboard."""
        return str(self._state["dashboard"])

    @property
    def api_token(self) -> str:
        """Opens the dashboard's JSON API."""
        return str(self._state["api_token"])

    def sql(self, query: str, **parameters: Any) -> list[dict[str, Any]]:
        """The rows of a query, asked through the service as ``otel-feedback sql`` does."""
        answer = httpx.post(
            f"{self.dashboard}/api/sql",
            json={"query": query, "format": "JSONEachRow", "parameters": parameters},
            headers={"Authorization": f"Bearer {self.api_token}"},
            timeout=60,
            verify=self._trust,
        )
        assert answer.status_code == 200, answer.text
        return [json.loads(line) for line in answer.text.splitlines()]

    def wait_for_rows(self, query: str, count: int = 1, **parameters: Any) -> list[dict[str, Any]]:
        """Ask until the query has at least ``count`` rows."""

        def ask() -> list[dict[str, Any]] | None:
            rows = self.sql(query, **parameters)
            return rows if len(rows) >= count else None

        return wait_until(ask, VISIBLE_SECONDS, f"fewer than {count} rows: {query}")

    def metric(self, name: str, **labels: str) -> float:
        """The sum over the series of ``/metrics`` that have these labels."""
        wanted = [f'{label}="{text}"' for label, text in labels.items()]
        samples = [
            line
            for line in httpx.get(f"{self.http}/metrics", verify=self._trust).text.splitlines()
            if line.startswith(name)
        ]
        return sum(float(line.rpartition(" ")[2]) for line in samples if all(each in line for each in wanted))

    def has_ended(self) -> bool | None:
        """True once the process is gone by itself."""
        return self._process is None or self._process.poll() is not None or None

    def signal(self, number: int) -> None:
        """Send a signal and wait for nothing."""
        assert self._process is not None
        self._process.send_signal(number)

    def kill(self) -> None:
        """SIGKILL: no chance to tidy up."""
        self._end(signals.SIGKILL)

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        return self._end(signals.SIGTERM)

    def _end(self, number: int) -> int:
        if self._process is None:
            return 0
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(number)
        try:
            code = self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise AssertionError(f"the service did not stop in {STOP_SECONDS:g} s:\n{self._log_tail()}") from None
        self._process = None
        return code

    def _read_state(self) -> dict[str, Any] | None:
        assert self._process is not None
        if self._process.poll() is not None:
            raise ServiceEndedError(f"the service ended with {self._process.returncode}:\n{self._log_tail()}")
        try:
            state: dict[str, Any] = json.loads((self.data_dir / "service.json").read_text())
        except (FileNotFoundError, json.JSONDecodeError):  # a power loss may leave it empty
            return None
        if state["pid"] != self._process.pid:
            return None  # left by the one that was killed
        return state if httpx.get(f"{state['http']}/readyz", verify=self._trust).status_code == 200 else None

    def _log_tail(self) -> str:
        return self.log.read_text(errors="replace")[-4000:]


@contextlib.contextmanager
def running_service(
    data_dir: Path,
    environment: Mapping[str, str] | None = None,
    *,
    trust: ssl.SSLContext | None = None,
    launcher: Sequence[str] = (),
    arguments: Sequence[str] = (),
    log: Path | None = None,
) -> Iterator[RunningService]:
    """A started service, stopped at the end; its standard output and error go to ``log``, or ``<data_dir>.log``.

    ``trust`` verifies the certificate of a service that has one. ``launcher`` is a command that starts it, such as
    ``opentelemetry-instrument``; ``arguments`` are ``serve``'s.
    """
    service = RunningService(data_dir, environment, trust=trust, launcher=launcher, arguments=arguments, log=log)
    try:
        service.start()
        yield service
    finally:
        service.stop()


def start_in_vain(data_dir: Path, environment: Mapping[str, str] | None = None) -> tuple[int, str]:
    """The exit code of a service that refuses to start, and what it said."""
    done = subprocess.run(
        SERVE,
        env=service_environment(data_dir, environment),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout == ""
    return done.returncode, done.stderr


def service_environment(data_dir: Path, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of a service for tests: nothing of the caller's settings, every port picked by the system.

    Nothing expires unless a test wants it to: many send spans of a day long ago.
    """
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "COVERAGE"))}
    return {
        **inherited,
        "OTEL_FEEDBACK_DATA_DIR": str(data_dir),
        "OTEL_FEEDBACK_GRPC_ADDRESS": "127.0.0.1:0",
        "OTEL_FEEDBACK_HTTP_ADDRESS": "127.0.0.1:0",
        "OTEL_FEEDBACK_DASHBOARD_ADDRESS": "127.0.0.1:0",
        "OTEL_FEEDBACK_RETENTION": "0d",
        "OTEL_FEEDBACK_SIGNING_KEYS": SIGNING_KEY,
        "OTEL_FEEDBACK_ALLOWED_ORIGINS": ALLOWED_ORIGIN,
        **(extra or {}),
    }


def wait_until(ask: Callable[[], T | None], seconds: float, complaint: str) -> T:
    """Ask until there is an answer; fails with the complaint once the time is up."""
    deadline = time.monotonic() + seconds
    while True:
        answer = ask()
        if answer is not None:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"{complaint} within {seconds:g} s")
        time.sleep(0.05)
