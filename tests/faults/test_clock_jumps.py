"""The wall clock is set back and forward by years while the service runs, and between two of its lives."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.support.clickhouse_server import own_clickhouse
from tests.support.service import RunningService, running_service, wait_until
from tests.support.traffic import Acknowledged, check_every_row, send_again, send_for_a_while, wait_until_written

YEAR_SECONDS = 365 * 86400


def test_a_clock_that_jumps_delays_doubles_and_loses_nothing(tmp_path: Path, taken: dict[str, Acknowledged]):
    shift = tmp_path / "shift"
    set_clock(shift, years=0)
    command = [sys.executable, "-m", "tests.support.shifted_service", str(shift)]
    with own_clickhouse(tmp_path) as server:
        environment = {"OTEL_FEEDBACK_DATABASE_URL": server.url}
        service = RunningService(tmp_path / "data", environment, command=command)
        try:
            service.start()
            for years in (1, -20, 3):
                clients = send_for_a_while(service, taken, 0.5)
                set_clock(shift, years)
                wait_until(lambda: closed(service), 30, "no segment is closed any more")
                for client in clients:
                    client.stop()
                assert 0 <= service.metric("otel_feedback_oldest_segment_age_seconds") < 120
            server.stop()
            for client in send_for_a_while(service, taken, 1.5):
                client.stop()
            assert list((tmp_path / "data" / "queue" / "traces").glob("*.segment"))
        finally:
            service.kill()
        server.start()
        # The clock is right again, and what waits is from the future.
        with running_service(tmp_path / "data", environment) as service:
            assert 0 <= service.metric("otel_feedback_oldest_segment_age_seconds") < 120
            send_again(service, taken)
            wait_until_written(service)
            check_every_row(service, taken)


def set_clock(shift: Path, years: int) -> None:
    new = shift.with_suffix(".new")
    new.write_text(str(years * YEAR_SECONDS))
    new.rename(shift)


def closed(service: RunningService) -> bool | None:
    """True once one more segment is stored."""
    before = service.metric("otel_feedback_segments_written_total")
    wait_until(lambda: service.metric("otel_feedback_segments_written_total") > before or None, 30, "nothing is stored")
    return True
