"""Two services write to one server, each with a queue of its own; one is killed under load while the other goes on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.clickhouse_server import OwnClickHouse, own_clickhouse
from tests.support.service import RunningService
from tests.support.traffic import (
    SPANS_PER_REQUEST,
    Acknowledged,
    check_every_row,
    counts,
    send_again,
    send_for_a_while,
    tally,
    wait_until_written,
)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[OwnClickHouse]:
    with own_clickhouse(tmp_path) as server:
        yield server


@pytest.fixture
def services(server: OwnClickHouse, tmp_path: Path) -> Iterator[list[RunningService]]:
    settings = {"OTEL_FEEDBACK_DATABASE_URL": server.url}
    services = [RunningService(tmp_path / name, settings) for name in ("first", "second")]
    try:
        for service in services:
            service.start()
        yield services
    finally:
        for service in services:
            service.stop()


def nothing_yet() -> dict[str, Acknowledged]:
    return {"traces": Acknowledged(), "logs": Acknowledged()}


def kill_the_first_under_load(
    services: list[RunningService], of_first: dict[str, Acknowledged], of_second: dict[str, Acknowledged]
) -> None:
    """The second has answered before, meanwhile and afterwards."""
    first, second = services
    clients = send_for_a_while(first, of_first, 0.5)
    others = send_for_a_while(second, of_second, 0.5)
    first.kill()
    before = len(of_second["traces"].requests)
    others += send_for_a_while(second, of_second, 1)
    for client in (*clients, *others):
        client.stop()
    assert all(client.error is None for client in others)
    assert len(of_second["traces"].requests) > before
    assert of_first["traces"].unanswered


def test_nothing_is_lost_or_doubled_when_clients_come_again_to_their_service(services: list[RunningService]):
    first, second = services
    of_first, of_second = nothing_yet(), nothing_yet()
    kill_the_first_under_load(services, of_first, of_second)
    first.start()
    send_again(first, of_first)
    wait_until_written(first)
    wait_until_written(second)
    both = {
        signal: Acknowledged(of_first[signal].requests | of_second[signal].requests) for signal in ("traces", "logs")
    }
    check_every_row(second, both)


def test_only_what_was_never_answered_can_be_doubled_when_clients_go_to_another_service(
    services: list[RunningService],
):
    first, second = services
    of_first, of_second = nothing_yet(), nothing_yet()
    kill_the_first_under_load(services, of_first, of_second)
    unanswered = {signal: set(each.unanswered) for signal, each in of_first.items()}
    send_again(second, of_first)
    first.start()
    wait_until_written(first)
    wait_until_written(second)
    for signal, query, rows in (
        (
            "traces",
            "SELECT SpanAttributes['test.key'] AS Key, count() AS Rows FROM otel_traces GROUP BY Key",
            SPANS_PER_REQUEST,
        ),
        ("logs", "SELECT LogAttributes['enduser.pseudo.id'] AS Key, count() AS Rows FROM otel_logs GROUP BY Key", 1),
    ):
        found = counts(second, query)
        for taken in (of_first, of_second):
            lost, others = tally(found, taken[signal], rows)
            assert lost == []
            ours = {key: count for key, count in others.items() if key in taken[signal].requests}
            assert ours.keys() <= unanswered[signal]
            assert set(ours.values()) <= {2 * rows}
    # Ratings and LLM calls are told once, however often they came.
    calls = second.sql("SELECT count() AS Rows, uniqExact(TraceId, SpanId) AS Ids FROM llm_calls")[0]
    sent = len(of_first["traces"].requests) + len(of_second["traces"].requests)
    assert int(calls["Rows"]) == int(calls["Ids"]) == sent * SPANS_PER_REQUEST
    ratings = counts(second, "SELECT RaterId AS Key, count() AS Rows FROM feedback GROUP BY Key")
    assert set(ratings.values()) == {1}
    assert set(ratings) == of_first["logs"].requests | of_second["logs"].requests
