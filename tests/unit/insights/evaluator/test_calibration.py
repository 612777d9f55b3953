"""Scores become probabilities, and limits keep what they promise on calls that come later."""

from __future__ import annotations

import numpy as np
import pytest

from otel_feedback.insights.evaluator.calibration import Calibration, Verdicts, limit_for


def made(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Scores, and what came: the true probability is a sigmoid of twice the score, less one."""
    chance = np.random.default_rng(seed)
    scores = chance.normal(0, 1.5, count)
    return scores, (chance.random(count) < 1 / (1 + np.exp(1 - 2 * scores))).astype(float)


@pytest.mark.parametrize(("count", "kind"), [(400, "sigmoid"), (5000, "isotonic")])
def test_the_curve_is_the_true_one(count: int, kind: str):
    calibration = Calibration.of(*made(count, 1))
    assert calibration.kind == kind
    scores = np.linspace(-2, 2, 9)
    assert np.abs(calibration.shares_of(scores) - 1 / (1 + np.exp(1 - 2 * scores))).max() < 0.12
    assert (np.diff(calibration.shares_of(np.linspace(-9, 9, 99))) >= 0).all()
    assert Calibration.read(calibration.told()) == calibration


def test_scores_that_say_nothing_or_the_opposite_become_the_usual_share():
    scores, came = made(400, 2)
    for nothing in (np.zeros(400), -scores):
        shares = Calibration.of(nothing, came).shares_of(nothing)
        assert np.ptp(shares) == 0
        assert shares[0] == pytest.approx(came.mean())


@pytest.mark.parametrize("precision", [0.6, 0.8, 0.9])
def test_a_limit_keeps_its_precision_on_later_calls(precision: float):
    scores, came = made(3000, 3)
    calibration = Calibration.of(scores, came)
    limit = limit_for(calibration.shares_of(scores), precision)
    later, came_later = made(20_000, 4)
    is_called = calibration.shares_of(later) >= limit
    assert came_later[is_called].mean() == pytest.approx(precision, abs=0.03)


def test_verdicts_are_neutral_between_likely_and_sure():
    shares = np.concatenate([np.full(80, 0.1), np.full(40, 0.5), np.full(40, 0.9)])
    came = np.concatenate([np.zeros(80), np.tile([0.0, 1.0], 20), np.ones(40)])
    sure = Verdicts.of(shares, came, 0.8)
    assert sure.labels(np.array([0.1, 0.5, 0.9])) == ["positive", "neutral", "negative"]
    usual = Verdicts.of(shares, came, None)
    assert usual.labels(np.array([0.1, 0.5, 0.9])) == ["positive", "negative", "negative"]


def test_a_precision_that_none_has_calls_nothing_negative():
    verdicts = Verdicts.of(np.linspace(0, 0.6, 100), np.tile([0.0, 1.0], 50), 0.9)
    assert verdicts.negative_from == float("inf")
    assert verdicts.labels(np.array([0.6])) == ["neutral"]


def test_few_that_are_sure_promise_nothing():
    shares = np.concatenate([np.full(5, 1.0), np.full(200, 0.2)])
    assert limit_for(shares, 0.95) == float("inf")


@pytest.mark.parametrize("told", [{"kind": "magic", "scores": [1], "shares": [1]},
                                  {"kind": "isotonic", "scores": [], "shares": []}])  # fmt: skip
def test_what_is_no_calibration_is_not_read(told: dict):
    with pytest.raises(ValueError, match="no calibration"):
        Calibration.read(told)
