"""``python -m tests.support.shifted_service FILE``: a service whose wall clock is off by the seconds that FILE says."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from otel_feedback.cli import main


def shift_by(file: Path) -> None:
    """Shift what Python's code sees; the monotonic clock goes on as it does."""
    real, real_ns = time.time, time.time_ns
    time.time = lambda: real() + float(file.read_text())
    time.time_ns = lambda: real_ns() + int(float(file.read_text()) * 1e9)


if __name__ == "__main__":
    shift_by(Path(sys.argv[1]))
    raise SystemExit(main(["serve"]))
