"""A ClickHouse server that is away, or dies in the middle of INSERTs: the queue holds what was acknowledged."""

from __future__ import annotations

import random
from pathlib import Path

import httpx
from tests.support.clickhouse_server import own_clickhouse
from tests.support.service import running_service
from tests.support.traffic import Acknowledged, check_every_row, send_for_a_while, wait_until_written, waiting

KILLS = 3


def test_a_service_whose_database_is_away_takes_everything_and_writes_it_once_it_is_there(
    tmp_path: Path, taken: dict[str, Acknowledged]
):
    with own_clickhouse(tmp_path) as server:
        server.stop()
        with running_service(tmp_path / "data", {"OTEL_FEEDBACK_DATABASE_URL": server.url}) as service:
            for client in send_for_a_while(service, taken, 1.5):
                client.stop()
            ready = httpx.get(f"{service.http}/readyz", timeout=30).json()
            assert ready["ready"] is True
            assert ready["database"].startswith("unavailable: ClickHouse can't be reached")
            assert waiting(service) > 0
            server.start()
            wait_until_written(service)
            check_every_row(service, taken)
            assert service.metric("otel_feedback_segments_rejected_total") == 0


def test_acknowledged_rows_are_there_exactly_once_after_the_database_was_killed(
    tmp_path: Path, taken: dict[str, Acknowledged]
):
    chance = random.Random(5)
    with (
        own_clickhouse(tmp_path) as server,
        running_service(tmp_path / "data", {"OTEL_FEEDBACK_DATABASE_URL": server.url}) as service,
    ):
        for _ in range(KILLS):
            clients = send_for_a_while(service, taken, chance.uniform(1.0, 2.5))
            server.kill()
            for client in clients:
                client.stop()
            server.start()
        wait_until_written(service)
        check_every_row(service, taken)
        assert service.metric("otel_feedback_segments_rejected_total") == 0
