"""``make bench-export``: how long an export takes and how much memory, on the data that ``make bench-data`` made.

Once over all of it and once over a tenth, since memory is not to grow with the rows. The service has the database, so
that the memory is the command's alone.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.support.service import RunningService, running_service, service_environment

KEPT_FOR_GOOD: Final = {"OTEL_FEEDBACK_RETENTION": "0d", "OTEL_FEEDBACK_RETENTION_RATED": "0d"}


@dataclass(frozen=True)
class Exported:
    """What came of it: rows, seconds of the whole command, and its largest resident memory in MB."""

    rows: int
    seconds: float
    megabytes: float


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench-export", description=__doc__)
    parser.add_argument("--format", default="kto", dest="chosen", choices=("sft", "kto", "dpo", "openai", "parquet"))
    arguments = parser.parse_args()
    data_dir = Path(os.environ.get("OTEL_FEEDBACK_DATA_DIR", "otel-feedback-data")).absolute()
    with running_service(data_dir, KEPT_FOR_GOOD) as service:
        print("| calls of | rows | seconds | MB |\n|---|---|---|---|")
        for named, (since, until) in periods(service).items():
            done = measure(service, arguments.chosen, since, until)
            print(f"| {named} | {done.rows:,} | {done.seconds:.0f} | {done.megabytes:.0f} |", flush=True)


def periods(service: RunningService) -> dict[str, tuple[str, str]]:
    """A tenth of the time of the calls, and all of it."""
    (row,) = service.sql(
        "SELECT toUnixTimestamp(min(Timestamp)) AS First, toUnixTimestamp(max(Timestamp)) + 1 AS Last "
        "FROM llm_call_spans"
    )
    first, last = int(row["First"]), int(row["Last"])
    moments = {"a tenth": (first, first + (last - first) // 10), "all": (first, last)}
    return {name: (_moment(since), _moment(until)) for name, (since, until) in moments.items()}


def measure(service: RunningService, chosen: str, since: str, until: str) -> Exported:
    """An export as people run it."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        command = [sys.executable, "-m", "otel_feedback.cli", "export", "--format", chosen, "--out", str(out)]
        began = time.monotonic()
        with subprocess.Popen(
            [*command, "--since", since, "--until", until, "--no-store"],
            env=service_environment(service.data_dir, KEPT_FOR_GOOD),
            stdout=subprocess.DEVNULL,
        ) as process:
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise RuntimeError(f"the export ended with {process.returncode}")
        manifest = json.loads((out / "manifest.json").read_text())
        return Exported(sum(manifest["rows"].values()), time.monotonic() - began, usage.ru_maxrss / 1024)


def _moment(unix_seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(unix_seconds))


if __name__ == "__main__":
    main()
