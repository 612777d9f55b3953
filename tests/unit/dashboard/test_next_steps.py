"""What to do next: each rule where it speaks, and where it keeps quiet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import pytest

from otel_feedback.dashboard.insight_runs import StoredRun, Told
from otel_feedback.dashboard.next_steps import MOST_STEPS, State, next_steps

DAY: Final = 86_400 * 10**9
NOW: Final = 20_000 * DAY
NOTHING: Final = dict.fromkeys(("Calls", "Rated", "Positive", "Negative", "Unread", "Corrected", "Judged"), 0)


def stored(
    kind: str, days_ago: float = 1, dimension: str = "", value: str = "", told: Mapping[str, Any] | None = None
) -> StoredRun:
    return StoredRun(f"{kind}-1", kind, int(NOW - days_ago * DAY), dimension, value, Told(told or {}))


def version(
    name: str, ratings: int = 40, negative: int = 5, days_ago: float = 10, prompt: str = "shop"
) -> dict[str, Any]:
    first = int(NOW - days_ago * DAY) // 10**9
    return {"Prompt": prompt, "Version": name, "FirstUnixSeconds": first, "Ratings": ratings, "Negative": negative}


def steps(
    runs: Sequence[StoredRun] = (), versions: Sequence[Mapping[str, Any]] = (), **figures: int
) -> list[tuple[str, str, str]]:
    state = State({**NOTHING, **figures}, versions, runs, NOW)
    return [(each.words, each.command, each.link) for each in next_steps(state)]


def experiment(verdict: str, days_ago: float = 2, had: int = 40, more: int = 20) -> StoredRun:
    told = {
        "arms": [{"value": "v1", "ratings": had}, {"value": "v2", "ratings": had}],
        "verdicts": [
            {"arm": "v2", "control": "v1", "verdict": verdict, "more_control": more, "more_treated": more},
        ],
    }
    return stored("experiment", days_ago, "prompt_version", "shop", told)


def test_where_there_is_nothing_there_is_nothing_to_do():
    assert steps() == []
    assert steps([stored("contrast"), stored("horoscope")], Positive=3, Negative=2, Unread=2, Calls=400, Rated=5) == []


@pytest.mark.parametrize(("verdict", "words"), [("worse", "v2 is worse than v1: go back"), ("better", "v2 is better")])
def test_a_decision_that_was_found_comes_first_while_it_is_new(verdict: str, words: str):
    ((said, command, link), *_) = steps([experiment(verdict)], Unread=9)
    assert said.startswith(words)
    assert (command, link) == ("", "/insights?run=experiment-1")
    assert len(steps([experiment(verdict)], Unread=9)) == 2
    assert len(steps([experiment(verdict, days_ago=31)], Unread=9)) == 1
    assert steps([experiment("alike")]) == []


def test_disliked_answers_that_nobody_reviewed_are_to_be_read():
    ((said, _, link),) = steps(Unread=1234)
    assert said.startswith("1,234 disliked answers")
    assert link == "/feedback?label=negative&source=end_user&range=30d"
    assert steps(Unread=4) == []


def test_a_contrast_is_worth_it_once_a_week_with_both_sides():
    ((_, command, _),) = steps(Positive=15, Negative=15)
    assert command == "otel-feedback contrast --since 30d"
    assert steps(Positive=15, Negative=14) == []
    assert steps([stored("contrast", days_ago=6)], Positive=50, Negative=50) == []
    assert len(steps([stored("contrast", days_ago=8)], Positive=50, Negative=50)) == 1


def test_two_versions_with_enough_ratings_are_to_be_compared_once():
    both = [version("v1", days_ago=20), version("v2", days_ago=10)]
    ((said, command, _),) = steps(versions=both)
    assert said == "v1 and v2 of shop have enough ratings to be compared."
    assert command == "otel-feedback experiment --prompt shop --since 30d"
    assert steps(versions=both[:1]) == []
    assert steps([experiment("no difference shown")], both) == []
    assert len(steps([experiment("no difference shown", days_ago=15)], both)) == 1  # of before v2


def test_they_are_compared_again_when_what_was_missing_has_come():
    grown = [version("v1", ratings=60, days_ago=20), version("v2", ratings=60)]
    ((said, command, _),) = steps([experiment("no difference shown")], grown)
    assert "compare them again" in said
    assert command.startswith("otel-feedback experiment --prompt shop")
    assert steps([experiment("no difference shown", more=21)], grown) == []
    assert steps([experiment("no difference shown", days_ago=0.5)], grown) == []
    assert steps([experiment("alike")], grown) == []


def test_the_newest_version_is_drafted_anew_where_people_dislike_it():
    disliked = version("v 2", negative=15)
    ((said, command, _),) = steps(versions=[disliked])
    assert said.startswith("15 answers of v 2 of shop were disliked")
    assert command == "otel-feedback experiment propose --prompt shop --version 'v 2' --model MODEL"
    assert steps([stored("proposal", 1, "shop", "v 2")], [disliked]) == []
    assert len(steps([stored("proposal", 1, "shop", "v1")], [disliked])) == 1


@pytest.mark.parametrize("name", ["v2\u202e", "a\nrm -rf ~", "v" * 61])
def test_names_that_are_not_plain_are_in_no_command(name: str):
    assert steps(versions=[version(name, negative=99)]) == []
    assert steps(versions=[version("v1", negative=99, prompt=name)]) == []


def test_an_evaluator_is_trained_tried_again_let_loose_and_watched():
    def commands(trained: StoredRun | None, **figures: int) -> list[str]:
        seen = [stored("contrast"), stored("export")]
        return [command for _, command, _ in steps([*seen, *([trained] if trained else [])], **figures)]

    def trained(days_ago: float = 1, **told: Any) -> StoredRun:
        return stored("evaluator", days_ago, "shop", "abc", {"rated_calls": 300, **told})

    votes = {"Positive": 200, "Negative": 100}
    assert commands(None, **votes) == ["otel-feedback evaluator train --out judge --since 30d"]
    assert commands(None, Positive=199, Negative=100) == []
    assert commands(None, Positive=299, Negative=1) == []
    assert commands(trained(promoted=False), **votes) == []
    assert commands(trained(promoted=False), Positive=400, Negative=200) == [
        "otel-feedback evaluator train --out judge-2 --since 90d"
    ]
    assert commands(trained(promoted=True), **votes) == ["otel-feedback evaluator run DIR --since 7d"]
    assert commands(trained(promoted=True), **votes, Judged=9) == []
    assert commands(trained(31, promoted=True), **votes, Judged=9) == ["otel-feedback evaluator drift DIR"]


def test_data_sets_are_worth_it_with_enough_in_them():
    def commands(*runs: StoredRun, **figures: int) -> list[str]:
        return [command for _, command, _ in steps([stored("contrast"), *runs], **figures)]

    assert commands(Positive=100) == ["otel-feedback export --format sft --out sft --since 30d"]
    assert commands(Positive=99) == []
    assert commands(Positive=100, Corrected=30) == ["otel-feedback export --format dpo --out dpo --since 30d"]
    assert commands(stored("export", 3, "sft"), Positive=100, Corrected=29) == []
    assert commands(stored("export", 3, "dpo"), Positive=100, Corrected=30) == []


def test_where_hardly_anybody_rates_it_says_so():
    ((said, command, link),) = steps(Calls=10_000, Rated=49)
    assert said.startswith("Of 10,000 answers 49 were rated")
    assert (command, link) == ("", "")
    assert steps(Calls=10_000, Rated=50) == []
    assert steps(Calls=999, Rated=0) == []


def test_there_are_never_more_than_a_handful():
    versions = [version(name, negative=50, prompt=prompt) for prompt in "abcdef" for name in ("v1", "v2")]
    assert len(steps([experiment("worse")], versions, Unread=99, Positive=99, Negative=99)) == MOST_STEPS
