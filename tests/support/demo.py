"""A real ``otel-feedback demo`` in a directory of its own, on ports that the system picks."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil
from tests.support.service import service_environment, wait_until

COMMAND = [str(Path(sys.executable).with_name("otel-feedback")), "demo"]
START_SECONDS = 120.0
STOP_SECONDS = 90.0


class RunningDemo:
    """A demo that has told where its chat is."""

    def __init__(self, data_dir: Path, process: subprocess.Popen[bytes], output: Path) -> None:
        self.data_dir = data_dir
        self._process = process
        self._output = output
        self.chat = wait_until(self._find_chat, START_SECONDS, "the demo did not tell its URLs")
        self._state: dict[str, Any] = json.loads((data_dir / "service.json").read_text())
        self.dashboard = str(self._state["dashboard"])

    @property
    def output(self) -> str:
        return self._output.read_text(errors="replace")

    def sql(self, query: str, **parameters: str) -> list[dict[str, Any]]:
        """The rows of a query."""
        headers = {"Authorization": f"Bearer {self._state['api_token']}"}
        answer = httpx.post(
            f"{self.dashboard}/api/sql", json={"query": query, "parameters": parameters}, headers=headers, timeout=60
        )
        assert answer.status_code == 200, answer.text
        return [json.loads(line) for line in answer.text.splitlines()]

    def run_sql_line(self) -> str:
        """What the SQL line prints that the demo tells people to try, in a terminal of their own."""
        found = re.search(r"SQL +(.*)", self.output)
        assert found, self.output
        environment = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
        command = ["/bin/sh", "-c", found[1]]
        done = subprocess.run(
            command, cwd=self.data_dir.parent, env=environment, capture_output=True, text=True, timeout=60, check=False
        )
        assert (done.returncode, done.stderr) == (0, ""), done.stderr
        return done.stdout

    def processes(self) -> list[psutil.Process]:
        """The demo's process and all its descendants."""
        root = psutil.Process(self._process.pid)
        return [root, *root.children(recursive=True)]

    def end(self, number: signal.Signals) -> int:
        """Send the signal and wait until the demo and every process of it are gone; the exit code."""
        processes = self.processes()
        self._process.send_signal(number)
        code = self._process.wait(STOP_SECONDS)
        _, alive = psutil.wait_procs(processes, STOP_SECONDS)
        assert alive == []
        return code

    def _find_chat(self) -> str | None:
        assert self._process.poll() is None, f"the demo ended with {self._process.returncode}:\n{self.output}"
        found = re.search(r"Chat +(http://\S+)[\s\S]*Ctrl-C", self.output)
        return found[1] if found else None


@contextmanager
def running_demo(folder: Path, environment: Mapping[str, str] | None = None) -> Iterator[RunningDemo]:
    """A demo for a person, ended with the block if it still runs."""
    output = folder / "output"
    with output.open("ab") as file:
        process = subprocess.Popen(
            COMMAND,
            cwd=folder,
            env=demo_environment(folder, environment),
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    try:
        yield RunningDemo(folder / "data", process, output)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.wait(STOP_SECONDS)


def run_demo(folder: Path, environment: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """A demo that ends by itself: with DEMO_ONESHOT=1, or because it can't start."""
    return subprocess.run(
        COMMAND,
        cwd=folder,
        env=demo_environment(folder, environment),
        capture_output=True,
        text=True,
        timeout=START_SECONDS + STOP_SECONDS,
        check=False,
    )


def demo_environment(folder: Path, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Nothing of the caller's settings, and free ports everywhere; the demo makes its own signing key."""
    inherited = service_environment(folder / "data")
    del inherited["OTEL_FEEDBACK_SIGNING_KEYS"]
    kept = {name: value for name, value in inherited.items() if not name.startswith(("OPENAI_", "DEMO_"))}
    return {**kept, "DEMO_CHAT_ADDRESS": "127.0.0.1:0", **(extra or {})}


def processes_in(folder: Path) -> list[psutil.Process]:
    """Every process of this machine that works in the folder."""
    found = []
    for process in psutil.process_iter():
        try:
            if Path(process.cwd()) == folder.resolve() and process.pid != os.getpid():
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            continue
    return found
