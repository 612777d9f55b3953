"""Intervals hold what they promise where rows of people are alike."""

from __future__ import annotations

import numpy as np
import pytest

from otel_feedback.insights.cluster_means import compare_means, compare_quantiles, compare_shares

PEOPLE = 60


def made(seed: int, *, by_person: bool):
    """Times whose level is a person's own; each person has 1 to 20 calls. No side is slower."""
    chance = np.random.default_rng(seed)
    who = np.repeat(np.arange(PEOPLE), chance.integers(1, 21, PEOPLE))
    level = chance.gamma(4, 0.25, PEOPLE)[who]
    sides = chance.random(PEOPLE)[who] < 0.5 if by_person else chance.random(len(who)) < 0.5
    return level * chance.gamma(2, 1, len(who)), sides, who


@pytest.mark.parametrize("by_person", [True, False])
@pytest.mark.parametrize(
    "compare",
    [
        compare_means,
        lambda values, sides, who: compare_quantiles(values, sides, who, 0.5),
        lambda values, sides, who: compare_quantiles(values, sides, who, 0.95),
        lambda values, sides, who: compare_shares((values > 3).astype(float), sides, who),
    ],
    ids=["mean", "p50", "p95", "share"],
)
def test_an_interval_has_the_truth_19_times_of_20(compare, by_person: bool):
    found = [compare(*made(seed, by_person=by_person)) for seed in range(120)]
    held = np.mean([each.low <= 0 <= each.high for each in found])
    assert held >= 0.9
    # And it is no wider for that than it needs to be: what is a little off is seen as such.
    spread = np.std([each.difference for each in found])
    assert np.median([each.high - each.low for each in found]) < 8 * spread


def test_a_side_that_is_slower_is_seen():
    values, sides, who = made(5, by_person=True)
    slower = np.where(sides, 3 * values, values)
    for found in (compare_means(slower, sides, who), compare_quantiles(slower, sides, who, 0.5)):
        assert found is not None
        assert found.low is not None
        assert found.low > 0
        assert found.treated - found.control == pytest.approx(found.difference)


def test_of_few_people_there_is_a_difference_and_no_interval():
    values, sides, who = np.array([1.0, 2.0, 5.0, 7.0]), np.array([False, False, True, True]), np.arange(4)
    for found in (
        compare_means(values, sides, who),
        compare_quantiles(values, sides, who, 0.5),
        compare_shares(np.array([0.0, 0.0, 1.0, 1.0]), sides, who),
    ):
        assert found is not None
        assert found.difference > 0
        assert (found.low, found.high) == (None, None)


@pytest.mark.parametrize("sides", [np.zeros(3, dtype=bool), np.ones(3, dtype=bool)])
def test_an_empty_side_has_nothing_to_compare(sides):
    values, who = np.arange(3.0), np.arange(3)
    assert compare_means(values, sides, who) is None
    assert compare_quantiles(values, sides, who, 0.5) is None
    assert compare_shares(values > 1, sides, who) is None
