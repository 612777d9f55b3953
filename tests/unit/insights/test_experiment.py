"""Arms of which it is known which is better, or that none is."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from tests.support.made_votes import Ballot, made_votes

from otel_feedback.insights import Design, Experiment
from otel_feedback.insights.experiment import compare

SEEDS = 40
ALIKE = {"likeness": 0.5, "busy": True}


def run(recipe: Ballot, seed: int, design: Design | None = None) -> Experiment:
    ratings, calls = made_votes(recipe, seed)
    return compare(recipe.counted(), ratings, calls, design or Design(), ("service", "model"))


def verdicts(recipe: Ballot, design: Design | None = None) -> Counter[str]:
    return Counter(each.verdict for seed in range(SEEDS) for each in run(recipe, seed, design).comparisons)


@pytest.mark.parametrize(
    "recipe",
    [Ballot(), Ballot(**ALIKE), Ballot(**ALIKE, given="to votes"), Ballot(**ALIKE, given="in turn")],
    ids=["strangers", "busy people", "busy people on both", "one after the other"],
)
def test_where_no_arm_is_better_none_is_said_to_be(recipe: Ballot):
    found = verdicts(recipe)
    assert found["better"] + found["worse"] <= 0.05 * SEEDS
    assert found["looks better"] + found["looks worse"] <= 0.1 * SEEDS


def test_a_better_arm_is_found_and_the_difference_is_in_both_intervals():
    recipe = Ballot(votes=600, people=600, shares=(0.55, 0.8))
    found = [run(recipe, seed).comparisons[0] for seed in range(SEEDS)]
    assert Counter(each.verdict for each in found)["better"] >= 0.9 * SEEDS
    assert np.mean([each.low <= 0.25 <= each.high for each in found]) >= 0.9
    assert np.mean([each.anytime.low <= 0.25 <= each.anytime.high for each in found]) >= 0.95
    assert np.mean([each.difference for each in found]) == pytest.approx(0.25, abs=0.02)
    assert found[0].words == "v2 is better than v1, and it does not matter how often one looked"
    worse = [run(replace(recipe, shares=(0.8, 0.55)), seed).comparisons[0].verdict for seed in range(10)]
    assert Counter(worse)["worse"] >= 9


def test_votes_of_ten_people_who_vote_alike_are_no_hundreds():
    found = run(Ballot(votes=2000, people=10, shares=(0.5, 0.7), likeness=0.95), 3).comparisons[0]
    assert found.anytime.pairs <= 5
    assert found.verdict in {"no difference shown", "too few"}


def test_with_many_arms_none_is_found_by_trying_often():
    recipe = Ballot(votes=500, people=500, shares=(0.7,) * 6)
    runs = [run(recipe, seed) for seed in range(SEEDS)]
    any_found = [any(each.verdict.startswith(("looks", "better", "worse")) for each in run.comparisons) for run in runs]
    assert np.mean(any_found) <= 0.1
    assert {each.level for run in runs for each in run.comparisons} == {1 - 0.05 / 5}


def test_three_arms_are_compared_with_the_first_or_each_with_the_one_before():
    recipe = Ballot(votes=900, people=900, shares=(0.3, 0.6, 0.9))
    to_first = run(recipe, 1).comparisons
    assert [(each.control, each.arm) for each in to_first] == [("v1", "v2"), ("v1", "v3")]
    assert [each.difference for each in to_first] == pytest.approx([0.3, 0.6], abs=0.1)
    to_previous = run(recipe, 1, Design(to_previous=True)).comparisons
    assert [(each.control, each.arm) for each in to_previous] == [("v1", "v2"), ("v2", "v3")]
    assert [each.difference for each in to_previous] == pytest.approx([0.3, 0.3], abs=0.1)


def test_an_arm_that_nobody_rated_or_called_is_told_as_such():
    recipe = Ballot(shares=(0.6, 0.8, 0.7))
    ratings, calls = made_votes(recipe, 1)
    is_kept = pa.array([each == "v1" for each in ratings.column("Arm").to_pylist()])
    found = compare(recipe.counted(), ratings.filter(is_kept), calls.filter(is_kept), Design(), ("service", "model"))
    assert [each.verdict for each in found.comparisons] == ["too few", "too few"]
    assert found.comparisons[0].words.startswith("Too few: v2 was rated by 0 and v1 by ")
    assert [each.share is None for each in found.arms] == [False, True, True]
    nothing = compare(recipe.counted(), ratings.slice(0, 0), calls.slice(0, 0), Design())
    assert {each.verdict for each in nothing.comparisons} == {"too few"}
    assert nothing.comparisons[0].needed.more_control > 100


def test_enough_ratings_that_agree_show_that_arms_are_alike():
    found = run(Ballot(votes=4000, people=4000), 2, Design(detect=0.1)).comparisons[0]
    assert found.verdict == "alike"
    assert found.words == "v2 and v1 differ by less than 10 points"
    assert (found.needed.more_control, found.needed.more_treated) == (0, 0)


def test_so_many_more_ratings_find_the_difference_four_times_of_five():
    few = run(Ballot(votes=40, people=20, shares=(0.6, 0.75), likeness=0.3), 4, Design(detect=0.15)).comparisons[0]
    votes = 40 + few.needed.more_control + few.needed.more_treated
    recipe = Ballot(votes=votes, people=votes // 2, shares=(0.6, 0.75), likeness=0.3)
    found = [run(recipe, seed, Design(detect=0.15)).comparisons[0].p <= 0.05 for seed in range(60)]
    assert 0.6 <= np.mean(found) <= 0.97


def test_stars_are_compared_by_their_means_too():
    recipe = Ballot(votes=600, people=300, shares=(0.5, 0.8))
    ratings, calls = made_votes(recipe, 5)
    chance = np.random.default_rng(5)
    likes = ratings.column("Value").to_numpy()
    stars = np.where(likes > 0, chance.integers(4, 6, 600), chance.integers(1, 4, 600)).astype(float)
    told = {"Name": ["stars"] * 600, "Value": stars, "ScoreMin": np.ones(600), "ScoreMax": np.full(600, 5.0)}
    for name, values in told.items():
        ratings = ratings.set_column(ratings.column_names.index(name), name, pa.array(values))
    found = compare(recipe.counted(), ratings, calls, Design())
    (score,) = found.comparisons[0].scores
    arm = np.array(ratings.column("Arm").to_pylist())
    assert score.treated == pytest.approx(stars[arm == "v2"].mean())
    assert score.control == pytest.approx(stars[arm == "v1"].mean())
    assert score.low is not None
    assert 0 < score.low < score.difference < (score.high or 0)
    assert score.anytime.low < 0.3 * 2.5 < score.anytime.high
    assert score.anytime.p < 0.05
    assert found.comparisons[0].difference == pytest.approx(0.3, abs=0.1)


def test_values_that_are_no_numbers_do_no_harm():
    ratings, calls = made_votes(Ballot(votes=60), 6)
    odd = [float("nan"), None, float("inf"), -float("inf"), 1e308] * 12
    for name in ("Value", "ScoreMin", "ScoreMax"):
        ratings = ratings.set_column(ratings.column_names.index(name), name, pa.array(odd, pa.float64()))
    for name in ("seconds", "input_tokens"):
        large = pa.array([0.0, 1.0, 1.8e19] * 20)
        calls = calls.set_column(calls.column_names.index(name), name, large)
    found = compare(Ballot().counted(), ratings, calls, Design()).comparisons[0]
    assert found.scores == ()
    assert found.difference is not None


def test_a_guard_that_got_worse_is_told_and_one_that_did_not_is_not():
    recipe = Ballot(votes=600, people=300)
    ratings, calls = made_votes(recipe, 7)
    is_v2 = np.array(calls.column("Arm").to_pylist()) == "v2"
    slower = calls.column("seconds").to_numpy() * np.where(is_v2, 2.0, 1.0)
    calls = calls.set_column(calls.column_names.index("seconds"), "seconds", pa.array(slower))
    found = {each.name: each for each in compare(recipe.counted(), ratings, calls, Design()).comparisons[0].guards}
    assert found["latency p50"].changed == "worse"
    assert found["latency p50"].treated == pytest.approx(np.median(slower[is_v2]), rel=0.05)
    assert found["latency p95"].changed == "worse"
    assert [name for name, each in found.items() if each.changed] == ["latency p50", "latency p95"]
    assert set(found) == {
        "latency p50", "latency p95", "time to first chunk p50", "input tokens", "output tokens", "errors",
        "response rate",
    }  # fmt: skip


def test_arms_that_ran_one_after_the_other_or_for_the_same_people_are_told():
    kinds = {each.kind: each.words for each in run(Ballot(given="in turn", people=100), 8).comparisons[0].cautions}
    assert set(kinds) == {"time", "people"}
    assert kinds["time"].startswith("They ran at different times (v1 from 2026-09-21 ")
    assert run(Ballot(), 8).comparisons[0].cautions == ()


def test_a_split_that_was_not_meant_is_told():
    uneven = Ballot(votes=900, people=900, shares=(0.7, 0.7, 0.7))
    design = Design(split=(50, 50, 50))
    assert all(each.cautions == () for each in run(uneven, 9, design).comparisons)
    (caution, *_) = run(uneven, 9, Design(split=(50, 25, 25))).comparisons[0].cautions
    assert caution.kind == "split"
    assert "67% and 33% were meant" in caution.words


def test_a_mix_of_models_that_differs_is_told_and_mended():
    """v2 is no better than v1, but mostly called with the model that is liked."""
    recipe = Ballot(votes=4000, people=4000)
    ratings, calls = made_votes(recipe, 10)
    chance = np.random.default_rng(10)
    is_v2 = np.array(calls.column("Arm").to_pylist()) == "v2"
    is_large = chance.random(4000) < np.where(is_v2, 0.8, 0.3)
    likes = chance.random(4000) < np.where(is_large, 0.8, 0.4)
    told = {
        "model": np.where(is_large, "large", "small"),
        "IsPositive": likes.astype(np.uint8),
        "IsNegative": (~likes).astype(np.uint8),
    }
    for name, values in told.items():
        calls = calls.set_column(calls.column_names.index(name), name, pa.array(values))
    label = pa.array(np.where(likes, "positive", "negative"))
    ratings = ratings.set_column(ratings.column_names.index("Label"), "Label", label)
    found = compare(recipe.counted(), ratings, calls, Design(), ("service", "model")).comparisons[0]
    assert found.difference == pytest.approx(0.2, abs=0.05)
    assert found.reweighted == pytest.approx(0, abs=0.04)
    (caution,) = found.cautions
    assert caution.kind == "mix"
    assert "mixes of models" in caution.words
