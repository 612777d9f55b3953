"""A running dashboard for tests to look at."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


@dataclass(frozen=True)
class Dashboard:
    """Addresses of one dashboard: ``url`` is open to this machine, ``guarded_url`` wants a token.

    Pages at ``tight_url`` may read 20 rows a query.
    """

    url: str
    guarded_url: str
    tight_url: str
    calls: int
    rated_calls: int
    ratings: int


@contextmanager
def running_dashboard(folder: Path, content: str) -> Iterator[Dashboard]:
    """Start a dashboard over a database that is ``empty`` or holds the ``sample``; some three seconds."""
    log = folder / "process.log"
    with log.open("wb") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.dashboard.process", str(folder), content],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            assert line, f"the dashboard did not start:\n{log.read_text()[-4000:]}"
            said = json.loads(line)
            yield Dashboard(
                said["open"],
                said["guarded"],
                said["tight"],
                said.get("calls", 0),
                said.get("rated_calls", 0),
                said.get("ratings", 0),
            )
        finally:
            process.stdin.close()
            process.stdout.close()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
