"""``otel-feedback COMMAND`` as people run it: a process, its exit code and what it said."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.support.service import service_environment


def otel_feedback(
    data_dir: Path, *arguments: str, environment: Mapping[str, str] | None = None, stdin: str | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end over this data directory."""
    return subprocess.run(
        [sys.executable, "-m", "otel_feedback.cli", *arguments],
        env=service_environment(data_dir, environment),
        input=stdin,
        stdin=None if stdin is not None else subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
