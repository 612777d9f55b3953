"""Which answers were disliked, the slowest and the most expensive: ClickHouse and plain Python say the same."""

from __future__ import annotations

from datetime import UTC
from typing import Any

import pytest
from tests.support.asked_history import NARROWED, PERIOD, Past, figure, middle, utc
from tests.support.made_ratings import MadeCall, MadeRating
from tests.support.otlp import SECOND


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


def test_prices_that_are_no_json_are_refused(past: Past):
    with pytest.raises(Exception, match="prices is not JSON like"):
        past.ask("most_expensive_negatives", {**PERIOD, "prices": "gpt-4o=2.5"})
