"""The gateway keeps rated traces whole, and everything of the people it was told or chose to keep; nothing else."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from tests.support.collector_config import ConfiguredCollector, configured_collector
from tests.support.rated_app import SPANS, Answer, Plan, run_app
from tests.support.service import RunningService, running_service, wait_until

PLAN = Plan(answers=100, rated=tuple(range(10)), failed=(10, 11), marked=(12, 13, 14))
KEPT_PEOPLE = "0"
DECISION_SECONDS = 4


@dataclass
class Sampled:
    """A service behind a gateway that has decided over the app's 100 answers."""

    gateway: ConfiguredCollector
    service: RunningService
    answers: list[Answer]

    def spans(self) -> dict[str, int]:
        """The spans of each stored trace, but for those that are ratings."""
        query = (
            "SELECT TraceId, countIf(SpanName NOT LIKE 'user_feedback %') AS spans FROM otel_traces GROUP BY TraceId"
        )
        return {row["TraceId"]: int(row["spans"]) for row in self.service.sql(query)}


@pytest.fixture(scope="module")
def sampled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sampled]:
    folder = tmp_path_factory.mktemp("sampled")
    with running_service(folder / "data") as service:
        environment = {
            "OTEL_FEEDBACK_OTLP": service.http,
            "DECISION_WAIT": f"{DECISION_SECONDS}s",
            "SAMPLED_PERCENT": "0",
            "KEPT_PEOPLE": KEPT_PEOPLE,
        }
        with configured_collector("gateway-tail-sampling.yaml", folder, environment) as gateway:
            found = Sampled(gateway, service, run_app(gateway.http, PLAN))
            expected = {found.answers[number].trace_id for number in kept(found.answers)}
            wait_until(lambda: expected <= found.spans().keys() or None, 30, "traces are missing")
            yield found


def kept(answers: list[Answer]) -> set[int]:
    """The answers that some policy keeps."""
    chosen = {
        number
        for number, answer in enumerate(answers)
        if hashlib.sha256(answer.user.encode()).hexdigest().startswith(KEPT_PEOPLE)
    }
    return chosen | {*PLAN.rated, *PLAN.failed, *PLAN.marked}


def test_rated_traces_and_those_of_kept_people_are_there_whole_and_no_others(sampled: Sampled):
    expected = kept(sampled.answers)
    assert {*PLAN.rated, *PLAN.failed, *PLAN.marked} < expected, "the share of people must keep some of its own"
    assert len(expected) < 40
    assert sampled.spans() == {sampled.answers[number].trace_id: SPANS for number in expected}


def test_every_rating_found_its_call(sampled: Sampled):
    rows = sampled.service.wait_for_rows("SELECT RaterId, TraceId FROM rated_llm_calls ORDER BY RaterId", 10)
    assert [(row["RaterId"], row["TraceId"]) for row in rows] == [
        (answer.user, answer.trace_id) for answer in sampled.answers[:10]
    ]


def test_a_late_rating_of_a_kept_trace_joins_it_and_one_of_a_dropped_trace_waits(sampled: Sampled):
    there, gone = (
        sampled.answers[12],
        next(each for each in sampled.answers[20:] if each.trace_id not in sampled.spans()),
    )
    run_app(sampled.gateway.http, Plan(late=(there.traceparent, gone.traceparent)))
    late = "SELECT TraceId, State FROM feedback WHERE RaterId = 'late-rater'"
    carriers = "SELECT 1 FROM otel_traces WHERE SpanName LIKE 'user_feedback %' AND TraceId IN ({a:String}, {b:String})"
    sampled.service.wait_for_rows(carriers, 2, a=there.trace_id, b=gone.trace_id)
    states = {row["TraceId"]: row["State"] for row in sampled.service.wait_for_rows(late, 2)}
    assert states == {there.trace_id: "linked", gone.trace_id: "waiting"}
    assert sampled.spans()[gone.trace_id] == 0, "the trace itself is lost"
