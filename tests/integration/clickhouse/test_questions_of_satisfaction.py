"""How satisfied people are with what, over time and before and after: ClickHouse and plain Python say the same."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from tests.support.asked_history import (
    FIRST,
    NARROWED,
    PERIOD,
    SINCE,
    UNTIL,
    Past,
    change_of,
    figure,
    middle,
    nanoseconds,
    satisfaction_of,
    tally,
    utc,
)
from tests.support.made_ratings import DAYS, SERVICES, MadeCall
from tests.support.otlp import SECOND

from otel_feedback.dashboard.satisfaction import share

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
