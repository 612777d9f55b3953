"""A made history that questions are asked of: what ClickHouse answers, and what plain Python says of the same."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.support.made_ratings import SERVICES, START, MadeCall, MadeHistory, MadeRating
from tests.support.otlp import SECOND

from otel_feedback.clickhouse import questions
from otel_feedback.clickhouse.database import Database
from otel_feedback.dashboard.satisfaction import share

NOW = datetime(2026, 12, 1, tzinfo=UTC)
FIRST = datetime.fromtimestamp(START // SECOND, UTC)
SINCE, UNTIL = FIRST + timedelta(days=3), FIRST + timedelta(days=17)
PERIOD = {"since": f"{SINCE:%Y-%m-%d}", "until": f"{UNTIL:%Y-%m-%d}"}
NARROWED = [{}, {"service": SERVICES[1]}, {"name": "thumbs"}, {"service": SERVICES[0], "name": "helpful"}]


@dataclass(frozen=True)
class Past:
    """What is stored, and what Python knows of it."""

    database: Database
    history: MadeHistory

    def ask(self, name: str, given: dict[str, str]) -> list[dict[str, Any]]:
        question = questions.load(name)
        return [dict(row) for row in self.database.query(question.statement, question.values(given, NOW))]

    def calls(self, given: dict[str, str], since: datetime = SINCE, until: datetime = UNTIL) -> list[MadeCall]:
        return [
            each
            for each in self.history.calls
            if nanoseconds(since) <= each.at < nanoseconds(until)
            and given.get("service", "") in {"", each.service}
            and given.get("model", "") in {"", each.model}
            and given.get("version", "") in {"", each.prompt_version}
        ]

    def ratings(self, given: dict[str, str], calls: Iterable[MadeCall]) -> list[tuple[MadeCall, MadeRating]]:
        """The users' ratings of these calls, each with its call."""
        of_interest = {each.ids for each in calls}
        return [
            (each.call, each)
            for each in self.history.current()
            if each.call is not None
            and each.call.ids in of_interest
            and each.source == "end_user"
            and given.get("name", "") in {"", each.name}
        ]


def nanoseconds(moment: datetime) -> int:
    return int(moment.timestamp()) * SECOND


def utc(at: int) -> datetime:
    """A moment to the microsecond, which is as fine as Python's."""
    return datetime.fromtimestamp(at // SECOND, UTC) + timedelta(microseconds=at % SECOND // 1000)


def figure(value: float | None, digits: int = 3) -> Any:
    """To compare with what SQL rounded: half a unit of the last digit either way."""
    return None if value is None else pytest.approx(value, abs=0.5001 * 10**-digits)


def middle(values: Iterable[int], level: float = 0.5) -> int:
    ordered = sorted(values)
    return ordered[int(level * len(ordered))]


def tally(labels: Iterable[str]) -> tuple[int, int]:
    known = list(labels)
    return known.count("positive"), known.count("negative")


def satisfaction_of(calls: list[MadeCall], rated: list[tuple[MadeCall, MadeRating]]) -> dict[str, Any]:
    positive, negative = tally(rating.label for _, rating in rated)
    satisfied = share(positive, positive + negative)
    rated_calls = len({call.ids for call, _ in rated})
    return {
        "Calls": len(calls),
        "RatedCalls": rated_calls,
        "ResponseRate": figure(rated_calls / len(calls)),
        "Ratings": len(rated),
        "Positive": positive,
        "Negative": negative,
        "Satisfaction": figure(satisfied.value),
        "Low": figure(satisfied.low),
        "High": figure(satisfied.high),
    }


def change_of(before: tuple[int, int], after: tuple[int, int]) -> tuple[float, float, float] | None:
    """How the share rose, and Newcombe's interval (his method 10, of 1998): what it is made of are Wilson's."""
    first, second = share(before[0], sum(before)), share(after[0], sum(after))
    if first.value is None or second.value is None:
        return None
    assert None not in {first.low, first.high, second.low, second.high}
    change = second.value - first.value
    low = change - math.hypot(second.value - second.low, first.high - first.value)
    high = change + math.hypot(second.high - second.value, first.value - first.low)
    return change, low, high
