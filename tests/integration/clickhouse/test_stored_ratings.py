"""How many ratings wait for what they rate, as ``/metrics`` tells it."""

from __future__ import annotations

import socket
import time
from pathlib import Path

import pytest
from tests.support.clickhouse_server import own_clickhouse
from tests.support.otlp import NOON, SECOND
from tests.support.ratings import Call, Submission
from tests.support.segments import store
from tests.support.service import wait_until

from otel_feedback.clickhouse.connect import connect
from otel_feedback.clickhouse.database import Database
from otel_feedback.clickhouse.migrate import migrate
from otel_feedback.service import stored_ratings
from otel_feedback.service.stored_ratings import StoredRatings
from otel_feedback.settings import Settings

PATIENCE_SECONDS = 60


def told(ratings: StoredRatings) -> tuple[dict[str, float], float | None]:
    by_state, _, counted_at = ratings.collect()
    counts = {sample.labels["state"]: sample.value for sample in by_state.samples}
    times = [sample.value for sample in counted_at.samples]
    return counts, times[0] if times else None


def wait_for(ratings: StoredRatings, expected: dict[str, float]) -> None:
    wait_until(lambda: told(ratings)[0] == expected or None, PATIENCE_SECONDS, f"not {expected}: {told(ratings)}")


def test_ratings_are_counted_by_state_again_and_again(database: Database):
    late, came, never = Call(at=time.time_ns()), Call(at=time.time_ns()), Call()
    store(database, came.request())
    submissions = [
        Submission(late, id="waits", at=time.time_ns()),
        Submission(came, id="linked", at=time.time_ns()),
        Submission(never, id="in-vain", at=NOON - 400 * 86_400 * SECOND),
    ]
    store(database, *(each.carrier() for each in submissions))
    ratings = StoredRatings(database, pause_seconds=0.05)
    assert told(ratings) == ({}, None)
    ratings.start()
    try:
        wait_for(ratings, {"linked": 1, "waiting": 1, "unmatched": 1})
        counted_at = told(ratings)[1]
        assert counted_at is not None
        assert abs(time.time() - counted_at) < PATIENCE_SECONDS
        store(database, late.request())
        wait_for(ratings, {"linked": 2, "waiting": 0, "unmatched": 1})
    finally:
        ratings.stop(PATIENCE_SECONDS)


def test_the_last_days_ratings_are_told_by_service_model_name_and_label(
    database: Database, monkeypatch: pytest.MonkeyPatch
):
    now = time.time_ns()
    calls = [Call(at=now - 60 * SECOND) for _ in range(6)]
    store(database, *(each.request() for each in calls))
    given = [
        Submission(call, id=f"now-{number}", at=now, value=float(number % 3 > 0)) for number, call in enumerate(calls)
    ]
    strange = [
        Submission(Call(at=now), id=f"strange-{number}", name=f"name {number} {'x' * 100}", at=now)
        for number in range(5)
    ]
    old = Submission(Call(at=now), id="old", at=now - 90_000 * SECOND)
    judged = Submission(calls[0], id="judged", at=now, also={"otel_feedback.source": "evaluator"})
    store(database, *(each.carrier() for each in (*given, *strange, old, judged)))
    monkeypatch.setattr(stored_ratings, "MOST_SERIES", 4)
    ratings = StoredRatings(database, pause_seconds=0.05)
    ratings.start()
    try:
        wait_until(lambda: list(ratings.collect())[1].samples or None, PATIENCE_SECONDS, "not counted")
    finally:
        ratings.stop(PATIENCE_SECONDS)
    told = {tuple(each.labels.values()): each.value for each in list(ratings.collect())[1].samples}
    assert sum(told.values()) == len(given) + len(strange)
    service, model = "app", "gpt-4o"
    assert told[service, model, "thumbs", "positive"] == 4
    assert told[service, model, "thumbs", "negative"] == 2
    assert told["other", "other", "other", "positive"] == 3
    assert all(len(text) <= 60 for names in told for text in names)


def test_the_last_count_stays_while_the_database_is_away_and_goes_on_once_it_is_back(tmp_path: Path):
    with own_clickhouse(tmp_path) as server:
        database = connect(server.url)
        migrate(database, Settings.load({}))
        ratings = StoredRatings(database, pause_seconds=0.05)
        ratings.start()
        try:
            wait_for(ratings, {"linked": 0, "waiting": 0, "unmatched": 0})
            server.stop()
            counted_at = told(ratings)[1]
            server.start()
            wait_until(lambda: told(ratings)[1] != counted_at or None, PATIENCE_SECONDS, "not counted again")
        finally:
            ratings.stop(PATIENCE_SECONDS)
            database.close()


def test_a_database_that_never_answers_holds_up_neither_a_scrape_nor_the_end():
    with socket.create_server(("127.0.0.1", 0)) as mute:
        database = connect(f"clickhouse://127.0.0.1:{mute.getsockname()[1]}/otel")
        ratings = StoredRatings(database, pause_seconds=0.05)
        ratings.start()
        began = time.monotonic()
        assert told(ratings) == ({}, None)
        ratings.stop(0.1)
        assert time.monotonic() - began < PATIENCE_SECONDS
