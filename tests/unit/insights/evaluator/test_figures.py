"""Figures are those of scikit-learn, weighings are repetitions, and groups are drawn whole."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics

from otel_feedback.insights.evaluator import figures
from otel_feedback.insights.evaluator.figures import Bootstrap

CHANCE = np.random.default_rng(7)
NEGATIVE = (CHANCE.random(400) < 0.3).astype(float)
SCORES = np.round(CHANCE.normal(NEGATIVE, 1.0), 1)
SHARES = 1 / (1 + np.exp(-SCORES))
CALLED = SCORES > 0.5
WHOLE = np.ones((1, 400))


@pytest.mark.parametrize(
    ("measure", "expected"),
    [
        (figures.roc_auc(SCORES, NEGATIVE), metrics.roc_auc_score(NEGATIVE, SCORES)),
        (figures.average_precision(SCORES, NEGATIVE), metrics.average_precision_score(NEGATIVE, SCORES)),
        (figures.balanced_accuracy(CALLED, NEGATIVE), metrics.balanced_accuracy_score(NEGATIVE, CALLED)),
        (figures.kappa(CALLED, NEGATIVE), metrics.cohen_kappa_score(NEGATIVE, CALLED)),
        (figures.precision(CALLED, NEGATIVE), metrics.precision_score(NEGATIVE, CALLED)),
        (figures.recall(CALLED, NEGATIVE), metrics.recall_score(NEGATIVE, CALLED)),
        (figures.brier(SHARES, NEGATIVE), metrics.brier_score_loss(NEGATIVE, SHARES)),
    ],
)
def test_they_are_what_scikit_learn_says(measure: figures.Measure, expected: float):
    assert measure(WHOLE)[0] == pytest.approx(expected)


def test_a_weight_of_two_is_the_row_twice():
    weights = np.ones((1, 400))
    weights[0, :50] = 2
    rows = np.concatenate([np.arange(400), np.arange(50)])
    for told, repeated in (
        (figures.roc_auc(SCORES, NEGATIVE), figures.roc_auc(SCORES[rows], NEGATIVE[rows])),
        (figures.average_precision(SCORES, NEGATIVE), figures.average_precision(SCORES[rows], NEGATIVE[rows])),
        (figures.kappa(CALLED, NEGATIVE), figures.kappa(CALLED[rows], NEGATIVE[rows])),
    ):
        assert told(weights)[0] == pytest.approx(repeated(np.ones((1, 450)))[0])


def test_scores_of_different_folds_are_not_compared():
    negative = np.array([1.0, 0.0, 1.0, 0.0])
    scores = np.array([0.2, 0.1, 0.9, 0.8])
    folds = np.array([0, 0, 1, 1])
    one = np.ones((1, 4))
    assert figures.roc_auc(scores, negative, folds)(one)[0] == 1.0
    assert figures.roc_auc(scores, negative)(one)[0] == 0.75


def test_one_side_alone_has_no_figure():
    assert np.isnan(figures.roc_auc(SCORES, np.zeros(400))(WHOLE)[0])
    assert np.isnan(figures.balanced_accuracy(CALLED, np.ones(400))(WHOLE)[0])


def test_what_is_told_and_what_comes_agrees_where_probabilities_are_right():
    chance = np.random.default_rng(3)
    shares = chance.random(20_000)
    came = (chance.random(20_000) < shares).astype(float)
    whole = np.ones((1, 20_000))
    assert figures.calibration_error(shares, came)(whole)[0] < 0.015
    assert figures.calibration_error(shares**2, came)(whole)[0] > 0.1
    bins = figures.reliability(shares, came)
    assert [each.calls for each in bins] == [2000] * 10
    assert all(abs(each.told - each.came) < 0.05 for each in bins)


def test_intervals_hold_the_truth_where_votes_of_people_are_alike():
    """Of 100 made-up sets, each 40 people with 10 like votes, about 95 intervals hold the true share."""
    held = plain = 0
    for seed in range(100):
        chance = np.random.default_rng(seed)
        people = np.repeat(np.arange(40), 10)
        right = (chance.random(40) < 0.6)[people] ^ (chance.random(400) < 0.1)
        truth = 0.6 * 0.9 + 0.4 * 0.1

        def share(weights: np.ndarray, right: np.ndarray = right) -> np.ndarray:
            return weights @ right / weights.sum(axis=1)

        found = Bootstrap(people, seed, 400).figure(share)
        held += found.low <= truth <= found.high
        alone = Bootstrap(np.arange(400), seed, 400).figure(share)
        plain += alone.low <= truth <= alone.high
    assert held >= 88
    assert plain < 75


def test_the_same_seed_draws_the_same():
    groups = np.arange(400) // 4
    measure = figures.roc_auc(SCORES, NEGATIVE)
    assert Bootstrap(groups, 5).figure(measure) == Bootstrap(groups, 5).figure(measure)
    assert Bootstrap(groups, 5).figure(measure) != Bootstrap(groups, 6).figure(measure)
