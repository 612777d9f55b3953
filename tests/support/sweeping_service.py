"""``python -m tests.support.sweeping_service``: a service that sweeps a second after its start, not after minutes."""

from __future__ import annotations

from otel_feedback.cli import main
from otel_feedback.service.sweeper import Sweeper

if __name__ == "__main__":
    assert Sweeper.__init__.__kwdefaults__ is not None
    Sweeper.__init__.__kwdefaults__["first_seconds"] = 1.0
    raise SystemExit(main(["serve"]))
