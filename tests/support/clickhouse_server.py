"""A real ClickHouse server for tests, the first of these that there is:

1. the one that OTEL_FEEDBACK_TEST_CLICKHOUSE names, with a database of the test's own in it,
2. ``clickhouse`` or ``clickhouse-server`` on PATH, started on free ports in the test's folder,
3. ClickHouse's library from npm (Linux), started likewise; fetched once and kept in the user's cache.
"""

from __future__ import annotations

import os
import platform
import random
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit
from xml.sax.saxutils import escape

import httpx
from tests.support.service import TRUST, wait_until
from tests.support.tools import missing_tool, npm_file

VARIABLE = "OTEL_FEEDBACK_TEST_CLICKHOUSE"
LIBRARY_VERSION = "26.7.3-stable.1"
START_SECONDS = 60.0
STOP_SECONDS = 30.0

_LIBRARIES = {"x86_64": "@chdb/lib-linux-x64-gnu", "aarch64": "@chdb/lib-linux-arm64-gnu"}
_OTHER_WAYS = (
    "; or put clickhouse on PATH (https://clickhouse.com/docs/install),"
    f" or name a server: {VARIABLE}=clickhouse://user:password@host:8123"
)
# Small caches, because every worker of pytest-xdist has a server. What a container's other processes use is not the
# server's memory; nothing of a test leaves this machine.
_CONFIG = """<clickhouse>
  <path>{data}/</path>
  <format_schema_path>{data}/format_schemas/</format_schema_path>
  <listen_host>127.0.0.1</listen_host>
  <http_port>{http_port}</http_port>
  <tcp_port>{tcp_port}</tcp_port>
  <logger><console>1</console><level>warning</level></logger>
  <log-level>warning</log-level>
  <mark_cache_size>33554432</mark_cache_size>
  <max_server_memory_usage>2147483648</max_server_memory_usage>
  <memory_worker_use_cgroup>0</memory_worker_use_cgroup>
  <send_crash_reports><enabled>0</enabled></send_crash_reports>
  <users_config>{config}</users_config>
  <users>
    <default><password/><networks><ip>::/0</ip></networks><access_management>1</access_management></default>
    {more_users}
  </users>
  <profiles><default/></profiles>
  <quotas><default/></quotas>
  {more_config}
</clickhouse>
"""
# Ends the server when this process has gone, however it went: then its end of the pipe is closed.
_WATCHER = 'read -r server; while read -r _; do :; done; kill -9 "$server"'


class ServerEndedError(AssertionError):
    """The server ended before it was ready; the text is the end of its log."""


class ClickHouseServer:
    """Where a server is, and a way to ask it. Its own start and end are somebody else's."""

    def __init__(self, url: str, tcp_port: int | None = None) -> None:
        """``url`` is one for OTEL_FEEDBACK_DATABASE_URL; ``tcp_port`` is None where it is not known."""
        self.url = url
        self.tcp_port = tcp_port
        parts = urlsplit(url)
        is_secure = parts.scheme == "clickhouses"
        self.http_port = parts.port or (8443 if is_secure else 8123)
        self.http_url = f"{'https' if is_secure else 'http'}://{parts.hostname}:{self.http_port}"
        self.user = {
            "X-ClickHouse-User": unquote(parts.username or "default"),
            "X-ClickHouse-Key": unquote(parts.password or ""),
        }

    def execute(self, statement: str) -> str:
        """The answer to one statement over HTTP, stripped; tables need their database's name."""
        answer = httpx.post(self.http_url, content=statement.encode(), headers=self.user, timeout=60, verify=TRUST)
        assert answer.status_code == 200, answer.text
        return answer.text.strip()


class OwnClickHouse(ClickHouseServer):
    """A server process of the test's own, which may be killed and started again on the same data and ports.

    Its data, its config and ``clickhouse.log`` are in ``folder``. The database ``otel`` is for the caller to make.
    """

    def __init__(
        self, folder: Path, ports: tuple[int, int] | None = None, more_config: str = "", more_users: str = ""
    ) -> None:
        """``ports`` are those for HTTP and TCP, free ones by default; ``more_config`` and ``more_users`` are XML."""
        http_port, tcp_port = ports or free_ports(2)
        super().__init__(f"clickhouse://default:@127.0.0.1:{http_port}/otel", tcp_port)
        self.folder = folder
        self.log = folder / "clickhouse.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._watcher: subprocess.Popen[bytes] | None = None
        config = folder / "config.xml"
        more = {"more_config": more_config, "more_users": more_users}
        paths = {"data": escape(str(folder / "data")), "config": escape(str(config))}
        config.write_text(_CONFIG.format(http_port=http_port, tcp_port=tcp_port, **more, **paths))
        self._command = [*_program(), f"--config-file={config}"]

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start the process and wait until it answers.

        Raises:
            ServerEndedError: it ended instead.
        """
        assert self._process is None, "the server runs already"
        # Both in sessions of their own: Ctrl-C is for pytest, which then stops them.
        self._watcher = subprocess.Popen(["sh", "-c", _WATCHER], stdin=subprocess.PIPE, start_new_session=True)
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                cwd=self.folder,
                env={**os.environ, "CLICKHOUSE_WATCHDOG_ENABLE": "0"},  # it would run the server in another process
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        assert self._watcher.stdin is not None
        self._watcher.stdin.write(b"%d\n" % self._process.pid)
        self._watcher.stdin.flush()
        try:
            wait_until(self._is_ready, START_SECONDS, "the ClickHouse server did not get ready")
        except AssertionError:
            self.kill()
            raise

    def kill(self) -> None:
        """SIGKILL: no chance to tidy up."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """SIGTERM, and SIGKILL if that does not help; nothing if it does not run."""
        self._end(signal.SIGTERM)

    def _is_ready(self) -> bool | None:
        assert self._process is not None
        if self._process.poll() is not None:
            raise ServerEndedError(f"ClickHouse ended with {self._process.returncode}:\n{self._log_tail()}")
        try:
            socket.create_connection(("127.0.0.1", self.tcp_port or 0), timeout=1).close()
            return httpx.get(f"{self.http_url}/ping", timeout=1).status_code == 200 or None
        except (OSError, httpx.HTTPError):
            return None

    def _end(self, number: int) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None
        if self._watcher is not None:
            self._watcher.kill()
            self._watcher.communicate()
            self._watcher = None

    def _log_tail(self) -> str:
        """The end of the log without the addresses of its stack traces."""
        lines = self.log.read_text(errors="replace").splitlines()
        return "\n".join(line for line in lines if not re.match(r"\d+\. ", line))[-4000:]


@contextmanager
def running_clickhouse(folder: Path) -> Iterator[ClickHouseServer]:
    """Any server: the one that the environment names, else one of the test's own in this existing folder."""
    named = os.environ.get(VARIABLE)
    with _lent_database(named) if named else own_clickhouse(folder) as server:
        yield server


@contextmanager
def own_clickhouse(folder: Path) -> Iterator[OwnClickHouse]:
    """A started server for tests that kill it; no process of it is left at the end."""
    server = OwnClickHouse(folder)
    try:
        server.start()
        yield server
    finally:
        server.stop()


@contextmanager
def _lent_database(named: str) -> Iterator[ClickHouseServer]:
    database = f"otel_feedback_test_{secrets.token_hex(6)}"
    parts = urlsplit(named)
    assert parts.scheme in {"clickhouse", "clickhouses"}, f"{VARIABLE} must be clickhouse[s]://user:password@host:port"
    server = ClickHouseServer(parts._replace(path=f"/{database}").geturl())
    with ExitStack() as stack:
        server.execute(f"CREATE DATABASE {database}")
        stack.callback(server.execute, f"DROP DATABASE IF EXISTS {database} SYNC")
        yield server


def _program() -> list[str]:
    """The command that serves, but for its config."""
    if path := shutil.which("clickhouse"):
        return [path, "server"]
    if path := shutil.which("clickhouse-server"):
        return [path]
    package = _LIBRARIES.get(platform.machine()) if sys.platform == "linux" else None
    if package is None:
        missing_tool(f"no ClickHouse server: its library is for Linux on x86_64 and aarch64 only{_OTHER_WAYS}")
    library = npm_file(package, LIBRARY_VERSION, "package/libchdb.so", else_=_OTHER_WAYS)
    return [sys.executable, "-I", str(Path(__file__).with_name("clickhouse_library.py")), str(library)]


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on.

    They are below those that the system hands out to clients: one of these could be taken while the server is down,
    even by the client that tries to reach it.
    """
    with ExitStack() as stack:
        ports: list[int] = []
        while len(ports) < count:
            port = random.randrange(20000, 32000)
            try:
                stack.enter_context(socket.create_server(("127.0.0.1", port)))
            except OSError:
                continue
            ports.append(port)
        return ports
