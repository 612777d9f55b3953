"""The questions people ask, each answered by ClickHouse and by plain Python over the same calls and ratings."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from tests.integration.clickhouse.conftest import empty
from tests.support.made_ratings import DAYS, SERVICES, START, MadeCall, MadeHistory, MadeRating, make_history
from tests.support.otlp import SECOND
from tests.support.segments import store

from otel_feedback.clickhouse import questions, statements
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


@pytest.fixture(scope="module")
def past(engine: Database) -> Past:
    history = make_history(seed=7)
    empty(engine)
    store(engine, history.request(), token="questions")
    return Past(engine, history)


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


BY: dict[str, Callable[[MadeCall], dict[str, Any]]] = {
    "satisfaction_by_model": lambda call: {"Model": call.model},
    "satisfaction_by_prompt_version": lambda call: {
        "PromptName": call.prompt_name,
        "PromptVersion": call.prompt_version,
    },
    "satisfaction_by_service": lambda call: {"ServiceName": call.service},
    "satisfaction_by_day": lambda call: {"Day": utc(call.at).date()},
}


@pytest.mark.parametrize("narrowed", [*NARROWED, {"model": "small-0613", "version": "v1"}], ids=str)
@pytest.mark.parametrize("name", BY)
def test_satisfaction_by_something(past: Past, name: str, narrowed: dict[str, str]):
    calls = past.calls(narrowed)
    rated = past.ratings(narrowed, calls)
    keys = {tuple(BY[name](call).values()) for call in calls}
    expected = []
    for key in keys:
        own = [call for call in calls if tuple(BY[name](call).values()) == key]
        own_rated = [(call, rating) for call, rating in rated if tuple(BY[name](call).values()) == key]
        expected.append({**BY[name](own[0]), **satisfaction_of(own, own_rated)})
    if name in {"satisfaction_by_model", "satisfaction_by_service"}:
        expected.sort(key=lambda row: (-row["Calls"], next(iter(row.values()))))
    else:
        expected.sort(key=lambda row: list(row.values())[:2])
    assert past.ask(name, {**PERIOD, **narrowed}) == expected
    assert sum(row["Ratings"] for row in expected) > 10


def test_a_day_begins_at_midnight_of_the_time_zone_that_is_asked_for(past: Past):
    rows = past.ask("satisfaction_by_day", {**PERIOD, "timezone": "America/New_York"})
    days: dict[Any, int] = {}
    for call in past.calls({}):
        day = utc(call.at).astimezone(ZoneInfo("America/New_York")).date()
        days[day] = days.get(day, 0) + 1
    assert {row["Day"]: row["Calls"] for row in rows} == days


def negatives(past: Past, given: dict[str, str]) -> list[tuple[MadeCall, MadeRating]]:
    found = [(call, rating) for call, rating in past.ratings(given, past.calls(given)) if rating.label == "negative"]
    return sorted(found, key=lambda pair: -pair[1].at)


@pytest.mark.parametrize("narrowed", NARROWED, ids=str)
def test_negatives(past: Past, narrowed: dict[str, str]):
    expected = negatives(past, narrowed)
    rows = past.ask("negatives", {**PERIOD, **narrowed, "limit": "1000"})
    assert len(expected) > 5
    assert [row["RatingTime"].astimezone(UTC) for row in rows] == [utc(rating.at) for _, rating in expected]
    for row, (call, rating) in zip(rows, expected, strict=True):
        told = {
            "Name": rating.name,
            "Comment": rating.comment,
            "Prompt": call.prompt,
            "Completion": call.completion,
            "Model": call.model,
            "PromptVersion": call.prompt_version,
            "RaterId": rating.rater,
            "SessionId": call.session,
        }
        assert {key: row[key] for key in told} == told
        assert (row["TraceId"], row["SpanId"]) == call.ids


def test_negatives_are_cut_in_number_and_length(past: Past):
    expected = negatives(past, {})[:3]
    rows = past.ask("negatives", {**PERIOD, "limit": "3", "characters": "2"})
    assert [(row["Prompt"], row["Comment"]) for row in rows] == [
        (call.prompt[:2], rating.comment[:2]) for call, rating in expected
    ]


def newest_negative_of_each_call(past: Past, given: dict[str, str]) -> list[tuple[MadeCall, MadeRating]]:
    newest: dict[tuple[str, str], tuple[MadeCall, MadeRating]] = {}
    for call, rating in negatives(past, given):
        newest.setdefault(call.ids, (call, rating))
    return list(newest.values())


@pytest.mark.parametrize("narrowed", NARROWED, ids=str)
def test_slowest_negatives(past: Past, narrowed: dict[str, str]):
    expected = newest_negative_of_each_call(past, narrowed)
    expected.sort(key=lambda pair: (-pair[0].duration, pair[0].ids))
    calls = past.calls(narrowed)
    rows = past.ask("slowest_negatives", {**PERIOD, **narrowed, "limit": "6"})
    for row, (call, rating) in zip(rows, expected[:6], strict=True):
        median = middle(each.duration for each in calls if each.model == call.model)
        assert row == {
            "Seconds": figure(call.duration / SECOND),
            "MedianSeconds": figure(median / SECOND),
            "TimesMedian": figure(call.duration / median, 1),
            "FirstChunkSeconds": figure(call.first_chunk_ms / 1000 if call.first_chunk_ms else None),
            "Model": call.model,
            "OutputTokens": call.tokens[1],
            "Comment": rating.comment,
            "Prompt": call.prompt,
            "TraceId": call.ids[0],
            "SpanId": call.ids[1],
        }


@pytest.mark.parametrize("narrowed", NARROWED, ids=str)
def test_most_expensive_negatives(past: Past, narrowed: dict[str, str]):
    prices = {"small-0613": (2.5, 10.0), "tiny": (40.0, 0.1)}

    def cost(call: MadeCall) -> float:
        return sum(tokens * price / 1e6 for tokens, price in zip(call.tokens, prices[call.model], strict=True))

    def order(pair: tuple[MadeCall, MadeRating]) -> tuple[Any, ...]:
        call = pair[0]
        return (call.model not in prices, -cost(call) if call.model in prices else 0, -sum(call.tokens), call.ids)

    expected = sorted(newest_negative_of_each_call(past, narrowed), key=order)
    given = {**PERIOD, **narrowed, "prices": '{"small-0613": [2.5, 10], "tiny": [40, 0.1]}', "limit": "1000"}
    rows = past.ask("most_expensive_negatives", given)
    assert [(row["TraceId"], row["SpanId"]) for row in rows] == [call.ids for call, _ in expected]
    for row, (call, rating) in zip(rows, expected, strict=True):
        assert row["Cost"] == figure(cost(call) if call.model in prices else None, 6)
        assert (row["Model"], row["Comment"], row["Prompt"]) == (call.model, rating.comment, call.prompt)
        assert (row["InputTokens"], row["OutputTokens"], row["TotalTokens"]) == (*call.tokens, sum(call.tokens))


@pytest.mark.parametrize("narrowed", [{}, {"name": "thumbs"}], ids=str)
@pytest.mark.parametrize("least", [1, 3])
def test_users_turning_unhappy(past: Past, narrowed: dict[str, str], least: int):
    turn = nanoseconds(UNTIL) - 5 * 86_400 * SECOND
    ratings = [
        each
        for each in past.history.current()
        if nanoseconds(SINCE) <= each.at < nanoseconds(UNTIL)
        and each.source == "end_user"
        and each.rater
        and narrowed.get("name", "") in {"", each.name}
    ]
    expected = []
    for user in {each.rater for each in ratings}:
        own = sorted((each for each in ratings if each.rater == user), key=lambda each: each.at)
        before = tally(each.label for each in own if each.at < turn)
        recent = tally(each.label for each in own if each.at >= turn)
        if sum(before) < least or sum(recent) < least:
            continue
        change, low, high = change_of(before, recent) or (0, 0, 0)
        complaints = [each.comment for each in own if each.label == "negative" and each.comment]
        if change < 0:
            row = {
                "UserId": user,
                "PositiveBefore": before[0],
                "NegativeBefore": before[1],
                "PositiveRecent": recent[0],
                "NegativeRecent": recent[1],
                "SatisfactionBefore": figure(before[0] / sum(before)),
                "SatisfactionRecent": figure(recent[0] / sum(recent)),
                "Change": figure(change),
                "ChangeLow": figure(low),
                "ChangeHigh": figure(high),
                "LastComplaint": complaints[-1] if complaints else "",
            }
            expected.append((round(change, 3), user, row))
    given = {**PERIOD, **narrowed, "recent_days": "5", "least": str(least)}
    rows = past.ask("users_turning_unhappy", given)
    assert rows == [row for _, _, row in sorted(expected, key=lambda each: each[:2])]
    assert rows or least > 1


@pytest.mark.parametrize("narrowed", [{}, {"service": SERVICES[0], "name": "thumbs", "version": "v1"}], ids=str)
def test_satisfaction_changes(past: Past, narrowed: dict[str, str]):
    turn = nanoseconds(UNTIL) - 5 * 86_400 * SECOND
    calls = past.calls(narrowed)
    rated = past.ratings(narrowed, calls)
    parts: dict[str, Callable[[MadeCall], str]] = {
        "all": lambda _: "",
        "service": lambda call: call.service,
        "model": lambda call: call.model,
        "prompt": lambda call: f"{call.prompt_name} {call.prompt_version}".strip(),
    }
    expected = {}
    for part, value_of in parts.items():
        for value in {value_of(call) for call in calls} - ({""} if part != "all" else set()):
            row: dict[str, Any] = {"Part": part, "Value": value}
            tallies = []
            for when, is_recent in (("Before", False), ("Recent", True)):
                own = [call for call in calls if value_of(call) == value and (call.at >= turn) is is_recent]
                of_own = [(call, rating) for call, rating in rated if call in own]
                row[f"Calls{when}"] = len(own)
                row[f"RatedCalls{when}"] = len({call.ids for call, _ in of_own})
                tallies.append(tally(rating.label for _, rating in of_own))
                row[f"Positive{when}"], row[f"Negative{when}"] = tallies[-1]
                row[f"Satisfaction{when}"] = figure(share(tallies[-1][0], sum(tallies[-1])).value)
            change = change_of(*tallies)
            row |= dict(zip(("Change", "ChangeLow", "ChangeHigh"), map(figure, change or (None,) * 3), strict=True))
            expected[part, value] = row
    rows = past.ask("satisfaction_changes", {**PERIOD, **narrowed, "recent_days": "5"})
    assert rows[0]["Part"] == "all"
    changes = [row["Change"] for row in rows[1:] if row["Change"] is not None]
    assert changes == sorted(changes)
    assert {(row["Part"], row["Value"]): row for row in rows} == expected
    assert changes


@pytest.mark.parametrize("narrowed", NARROWED, ids=str)
def test_rated_vs_unrated(past: Past, narrowed: dict[str, str]):
    calls = past.calls(narrowed)
    labels: dict[tuple[str, str], set[str]] = {}
    for call, rating in past.ratings(narrowed, calls):
        labels.setdefault(call.ids, set()).add(rating.label)

    def kind(call: MadeCall) -> str:
        own = labels.get(call.ids)
        if own is None:
            return "not rated"
        return next((each for each in ("negative", "positive") if each in own), "neither")

    expected = []
    for each in ("negative", "positive", "neither", "not rated"):
        own = [call for call in calls if kind(call) == each]
        if own:
            row = {
                "Rating": each,
                "Calls": len(own),
                "Share": figure(len(own) / len(calls)),
                "Users": len({call.user for call in own} - {""}),
                "Sessions": len({call.session for call in own} - {""}),
                "MedianSeconds": figure(middle(call.duration for call in own) / SECOND),
                "P95Seconds": figure(middle((call.duration for call in own), 0.95) / SECOND),
                "MedianInputTokens": middle(call.tokens[0] for call in own),
                "MedianOutputTokens": middle(call.tokens[1] for call in own),
                "ErrorRate": figure(sum(call.is_error for call in own) / len(own)),
            }
            expected.append(row)
    assert past.ask("rated_vs_unrated", {**PERIOD, **narrowed}) == expected
    assert len(expected) == 4


@pytest.mark.parametrize("narrowed", NARROWED, ids=str)
@pytest.mark.parametrize("day", [0, 10, DAYS + 3], ids=["nothing before", "both", "nothing after"])
def test_before_and_after_a_release(past: Past, narrowed: dict[str, str], day: int):
    release = FIRST + timedelta(days=day, hours=9, minutes=30) if day else FIRST
    times = {"before": (release - timedelta(days=6), release), "after": (release, release + timedelta(days=6))}
    expected: list[dict[str, Any]] = []
    tallies: list[tuple[int, int]] = []
    for period, (since, until) in times.items():
        calls = past.calls(narrowed, since, until)
        if not calls:
            continue
        row = satisfaction_of(calls, past.ratings(narrowed, calls))
        tallies.append((row["Positive"], row["Negative"]))
        change = change_of(*tallies) if len(tallies) == 2 else None
        expected.append(
            {"Period": period}
            | {key: value for key, value in row.items() if key != "RatedCalls"}
            | dict(zip(("Change", "ChangeLow", "ChangeHigh"), map(figure, change or (None,) * 3), strict=True))
            | {
                "MedianSeconds": figure(middle(call.duration for call in calls) / SECOND),
                "MedianOutputTokens": middle(call.tokens[1] for call in calls),
                "ErrorRate": figure(sum(call.is_error for call in calls) / len(calls)),
            }
        )
    given = {"release": f"{release:%Y-%m-%dT%H:%M}", "days": "6", **narrowed}
    assert past.ask("before_after_release", given) == expected
    assert [row["Period"] for row in expected] == {0: ["after"], 10: ["before", "after"]}.get(day, ["before"])


@pytest.mark.parametrize("name", questions.names())
def test_a_filled_statement_answers_as_one_with_parameters(past: Past, name: str):
    question = questions.load(name)
    given = {**PERIOD, "release": "2026-11-11", "service": SERVICES[0], "name": "thumbs"}
    given = {each.name: given[each.name] for each in question.parameters if each.name in given}
    values = question.values(given, NOW)
    answer = past.database.raw(question.statement, values, format_name="CSVWithNames")
    assert answer.count(b"\n") > 1
    assert past.database.raw(question.filled(values), {}, format_name="CSVWithNames") == answer


@pytest.mark.parametrize("name", questions.names())
def test_what_was_not_there_yet_gives_no_rows(past: Past, name: str):
    question = questions.load(name)
    given = {"since": "2020-01-01", "until": "2020-02-01", "release": "2020-01-15"}
    assert past.ask(name, {each.name: given[each.name] for each in question.parameters if each.name in given}) == []


def test_prices_that_are_no_json_are_refused(past: Past):
    with pytest.raises(Exception, match="prices is not JSON like"):
        past.ask("most_expensive_negatives", {**PERIOD, "prices": "gpt-4o=2.5"})


def test_rated_traces_shows_what_traces_and_feedback_show(past: Past):
    joined = past.database.query(
        "SELECT trace.*, rating.FeedbackId, rating.Time, rating.Name, rating.Value, rating.Label, rating.Comment, "
        "rating.Correction, rating.Reasons, rating.Scope, rating.Source, rating.RaterId, rating.Changes "
        "FROM traces AS trace INNER JOIN feedback AS rating ON rating.TraceId = trace.TraceId "
        "ORDER BY trace.TraceId, rating.FeedbackId"
    )
    rated = past.database.query("SELECT * FROM rated_traces ORDER BY TraceId, FeedbackId")
    assert len(rated) > 100
    assert [list(row.values()) for row in rated] == [list(row.values()) for row in joined]


@pytest.mark.parametrize(
    "text", ["it's \\ \\x41", "a\n\t\0b\x1b[31m", "\u202eevil \u200b\ufeff", "\u00a0é日本🦜", ""], ids=ascii
)
def test_a_literal_is_the_text_that_it_was_made_of_and_hides_nothing(engine: Database, text: str):
    written = statements.literal(text)
    assert written.isprintable()
    assert engine.query(f"SELECT {written} AS Text") == [{"Text": text}]
