"""What is said at any moment holds however often one looks."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from otel_feedback.insights.sequential import anytime, pair_votes, pairs_needed


def votes(*told: str):
    """``A1 ann``: arm A, a positive vote, of ann; ``ann/s1`` says in which conversation."""
    arms, values, people, conversations = [], [], [], []
    for number, each in enumerate(told):
        vote, _, who = each.partition(" ")
        person, _, conversation = who.partition("/")
        arms.append(vote[0] == "B")
        values.append(float(vote[1:]))
        people.append(person)
        conversations.append(conversation or f"of its own {number}")
    return np.array(arms, dtype=bool), np.array(values), people, conversations


@pytest.mark.parametrize(
    ("told", "differences"),
    [
        (("A1 ann", "B0 bob", "B1 cy", "A0 dee"), [-1, 1]),  # strangers, in the order in which they came
        (("A1 ann", "A0 ann", "A0 ann", "B0 bob"), [-1]),  # only the first vote of a person counts
        (("A1 ann", "A0 bob", "B1 bob", "B0 cy"), [1, -1]),  # a person who comes back is paired with themself
        (("A1 ann", "B0 bob", "B1 ann"), [-1]),  # whose vote has been used has had their say
        (("A1 /s1", "A0 /s1", "B0 /s2", "B1 /s3"), [-1]),  # where nobody is named, conversations are people
        (("A1 ann/s1", "B0 bob/s1", "B1 cy/s2"), [-1]),  # two people of one conversation are one
        (("A0.25 ann", "B1 bob"), [0.75]),
        (("A1 ann", "A1 bob"), []),
        ((), []),
    ],
)
def test_pairs_are_made_as_votes_come(told: tuple[str, ...], differences: list[float]):
    assert pair_votes(*votes(*told)).tolist() == differences


@pytest.mark.parametrize("chance_of_nothing", [0.0, 0.5])
def test_over_all_sequences_of_a_fair_game_p_is_small_no_more_often_than_it_says(chance_of_nothing: float):
    weights = {-1.0: (1 - chance_of_nothing) / 2, 0.0: chance_of_nothing, 1.0: (1 - chance_of_nothing) / 2}
    sequences = product([each for each in weights if weights[each]], repeat=6)
    found = [(anytime(np.array(told)).p, np.prod([weights[each] for each in told])) for told in sequences]
    assert sum(weight for _, weight in found) == pytest.approx(1)
    for level in (0.5, 0.4, 0.3):
        assert sum(weight for p, weight in found if p <= level) <= level
    assert min(p for p, _ in found) < 0.3


def test_who_looks_after_every_pair_finds_a_difference_where_there_is_none_at_most_one_time_of_twenty():
    chance = np.random.default_rng(0)
    found = 0
    naive = 0
    for _ in range(400):
        differences = (chance.random(600) < 0.7).astype(float) - (chance.random(600) < 0.7)
        found += anytime(differences).p <= 0.05
        counts = np.arange(1, 601)
        z = np.cumsum(differences) / np.sqrt(np.maximum(np.cumsum(differences**2), 1))
        naive += bool((np.abs(z[counts > 20]) > 1.96).any())
    assert found / 400 <= 0.05
    assert naive / 400 > 0.3  # what a test of one look does when it is looked at so often


def test_the_true_difference_is_in_the_interval_at_all_moments_at_once():
    chance = np.random.default_rng(1)
    missed = 0
    for _ in range(100):
        differences = (chance.random(300) < 0.8).astype(float) - (chance.random(300) < 0.6)
        ends = [anytime(differences[:count]) for count in (1, 3, 10, 30, 50, 100, 200, 300)]
        missed += any(not each.low <= 0.2 <= each.high for each in ends)
    assert missed <= 5


def test_an_interval_and_its_p_say_the_same():
    chance = np.random.default_rng(2)
    sides = set()
    for shift in (0.0, 0.1, 0.3, -0.3):
        for _ in range(20):
            found = anytime((chance.random(150) < 0.5 + shift).astype(float) - (chance.random(150) < 0.5))
            assert (found.p < 0.05) == (found.low > 0 or found.high < 0)
            assert found.difference is not None
            assert found.low < found.difference < found.high
            sides.add((found.low > 0) - (found.high < 0))
    assert sides == {-1, 0, 1}


@pytest.mark.parametrize(("better", "worse"), [(0.75, 0.6), (0.8, 0.7), (0.9, 0.75)])
def test_so_many_pairs_find_a_difference_four_times_of_five(better: float, worse: float):
    chance = np.random.default_rng(3)
    count = pairs_needed(better - worse, better * (1 - worse) + worse * (1 - better))
    found = [
        anytime((chance.random(count) < better).astype(float) - (chance.random(count) < worse)).p <= 0.05
        for _ in range(200)
    ]
    assert 0.68 <= np.mean(found) <= 0.92


def test_nothing_and_extremes_are_no_trouble():
    nothing = anytime(np.zeros(0))
    assert (nothing.pairs, nothing.difference, nothing.low, nothing.high, nothing.p) == (0, None, -1.0, 1.0, 1.0)
    always = anytime(np.ones(50))
    assert always.low > 0.5
    assert always.high == 1.0
    assert always.p < 1e-6
    never = anytime(-np.ones(50))
    assert (never.low, never.high, never.p) == pytest.approx((-always.high, -always.low, always.p))
    alike = anytime(np.zeros(5000))
    assert alike.p == 1.0
    assert -0.01 < alike.low < 0 < alike.high < 0.01
    assert pairs_needed(1.0, 1.0) < 20
