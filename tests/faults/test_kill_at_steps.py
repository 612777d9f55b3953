"""kill -9 at each step of a request's way: before and after the fsync, the close, the INSERT and the delete."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path

import httpx
from tests.support.dying_service import STEPS
from tests.support.service import RunningService, ServiceEndedError, running_service, wait_until
from tests.support.traffic import Acknowledged, check_every_row, send_again, send_until_it_dies, wait_until_written


def test_killed_at_any_step_a_service_loses_and_doubles_nothing(
    tmp_path: Path, database: dict[str, str], taken: dict[str, Acknowledged]
):
    data_dir = tmp_path / "data"
    for number, step in enumerate(STEPS, start=1):
        command = [sys.executable, "-m", "tests.support.dying_service", step, str(number % 3 + 1)]
        service = RunningService(data_dir, database, command=command)
        try:
            # A start closes and writes what the one before has left, and may die of it.
            with suppress(ServiceEndedError, httpx.TransportError):
                service.start()
                send_until_it_dies(service, taken)
            wait_until(service.has_ended, 30, "the service lives on")
        finally:
            service.kill()
    with running_service(data_dir, database) as service:
        send_again(service, taken)
        wait_until_written(service)
        check_every_row(service, taken)
        assert service.metric("otel_feedback_segments_rejected_total") == 0
        assert service.metric("otel_feedback_segments_damaged_total") == 0
