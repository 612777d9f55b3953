"""Who belongs together, and what their votes are worth."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse, stats

from otel_feedback.insights.clusters import cluster_of, intraclass_correlation, weigh


def test_calls_are_together_by_person_by_conversation_and_by_chains_of_both():
    people = ["ana", "ana", "", "ben", "", "", "cleo"]
    conversations = ["c1", "c2", "c2", "c2", "c3", "", "c4"]
    assert cluster_of(people, conversations).tolist() == [0, 0, 0, 0, 1, 2, 3]


def test_likeness_is_nothing_of_single_votes_and_all_of_unanimous_people():
    assert intraclass_correlation(np.array([1.0, 0.0, 1.0]), np.ones(3)) == 0
    assert intraclass_correlation(np.array([5.0, 0.0, 5.0, 0.0]), np.full(4, 5.0)) == 1
    mixed = intraclass_correlation(np.array([3.0, 1.0, 2.0, 2.0]), np.full(4, 4.0))
    assert mixed == 0


def test_of_independent_votes_all_count_and_the_score_test_is_the_chi_square_test():
    chance = np.random.default_rng(1)
    features = (chance.random((4000, 3)) < 0.3).astype(float)
    is_case = (chance.random(4000) < 0.4 + 0.05 * features[:, 0]).astype(float)
    evidence = weigh(sparse.csc_array(features), is_case, np.arange(4000))
    assert evidence.calls_with == pytest.approx(features.sum(axis=0))
    assert evidence.cases_without == pytest.approx(is_case @ (1 - features))
    for column in range(3):
        table = np.histogram2d(features[:, column], is_case, bins=2)[0]
        expected = stats.chi2_contingency(table, correction=False).pvalue
        assert evidence.p_score[column] == pytest.approx(expected, rel=0.05, abs=1e-4)


def test_many_votes_of_people_who_always_vote_alike_count_once():
    people = np.repeat(np.arange(40), 25)
    is_case = (people % 4 == 0).astype(float)
    feature = ((people < 20) & (np.arange(1000) % 25 != 0)).astype(float)
    evidence = weigh(sparse.csc_array(feature[:, None]), is_case, people)
    assert evidence.calls_with == pytest.approx([20], rel=0.01)
    assert evidence.clusters_with == [20]
    assert evidence.clusters_without == [40]  # each person has a call without it, too


def test_the_score_test_is_the_sum_over_clusters_told_the_long_way():
    """Liang and Zeger's score with exchangeable votes, by matrices, person by person."""
    chance = np.random.default_rng(2)
    people = np.sort(chance.integers(0, 60, 500))
    temper = chance.normal(0, 1.5, 60)
    is_case = (chance.random(500) < 1 / (1 + np.exp(-temper[people]))).astype(float)
    feature = (chance.random(500) < 0.3).astype(float)
    evidence = weigh(sparse.csc_array(feature[:, None]), is_case, people)
    sizes = np.bincount(people).astype(float)
    likeness = intraclass_correlation(np.bincount(people, weights=is_case), sizes)
    inverse = {size: np.linalg.inv((1 - likeness) * np.eye(int(size)) + likeness) for size in set(sizes)}
    groups = [(inverse[sizes[each]], is_case[people == each], feature[people == each]) for each in range(60)]
    whole = sum(v.sum() for v, _, _ in groups)
    share, part = sum(v.sum(0) @ y for v, y, _ in groups) / whole, sum(v.sum(0) @ x for v, _, x in groups) / whole
    scores = np.array([(x - part) @ v @ (y - share) for v, y, x in groups])
    squared = scores.sum() ** 2 / (scores**2).sum()
    t = np.sqrt(squared * 59 / (60 - squared))
    smaller = min(len(set(people[feature == 1])), len(set(people[feature == 0])))
    assert evidence.p_score == pytest.approx([2 * stats.t.sf(t, smaller - 1)])
