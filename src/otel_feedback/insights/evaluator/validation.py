"""How good an evaluator is on people and conversations that it has not seen, and whether that is good enough.

Two loops: the outer one divides the rated calls into folds and measures, the inner one (the kind's own, within what is
learned from) chooses options, calibration and limits. What is measured has therefore chosen nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

import numpy as np

from otel_feedback.insights.evaluator import baselines, figures
from otel_feedback.insights.evaluator.answers import Rows
from otel_feedback.insights.evaluator.calibration import Calibration, Verdicts, limit_for
from otel_feedback.insights.evaluator.figures import Bootstrap, Figure
from otel_feedback.insights.evaluator.folds import Corpus
from otel_feedback.insights.evaluator.kinds import Fitted, Kind, Learner
from otel_feedback.insights.opposed import OpposedAnswers
from otel_feedback.insights.statistics import Numbers

CURVE: Final = (100, 300, 1000, 3000, 10_000)
PRECISIONS: Final = (0.6, 0.7, 0.8, 0.9)
PRIMARY: Final = "roc_auc"
"""What decides: it needs no limit, so that chance in choosing one has no part in it."""


@dataclass(frozen=True, slots=True)
class Fewest:
    """What promotion needs beside quality."""

    ratings: int = 100
    per_side: int = 25
    groups: int = 20


@dataclass(frozen=True, slots=True)
class Tried:
    """What a judge said of every row of the outer folds.

    Attributes:
        folds: which fold each row was tried in; -1 for rows that were not tried.
        scores: comparable within a fold alone, since each fold has a model of its own.
        shares: the probabilities, which are comparable everywhere.
        is_called: whether that was called negative.
        is_sure: the same at the limit for each precision that is asked about.
    """

    folds: Rows
    scores: Numbers
    shares: Numbers
    is_called: np.ndarray
    is_sure: Mapping[float, np.ndarray]

    def measures(self, is_negative: Numbers) -> dict[str, figures.Measure]:
        """The measures that judges are compared by."""
        return {
            "roc_auc": figures.roc_auc(self.scores, is_negative, self.folds),
            "balanced_accuracy": figures.balanced_accuracy(self.is_called, is_negative),
            "average_precision": figures.average_precision(self.shares, is_negative),
            "kappa": figures.kappa(self.is_called, is_negative),
        }


def validate(
    kind: Kind, learner: Learner, corpus: Corpus, seed: int, precision: float | None, step: Callable[[], object]
) -> dict[str, Any]:
    """Every figure, as it stands in a manifest; ``step`` is called after each of ``steps_of(kind)``.

    Figures are [value, low, high], by resampling groups of people and conversations.
    """
    rows = np.arange(len(corpus.answers))
    parts = list(corpus.parts(rows, kind.folds, seed))
    is_negative = corpus.is_negative
    stated = sorted({*PRECISIONS} if precision is None else {*PRECISIONS, precision})
    collected = _Collected(len(rows), stated)
    pairs: list[tuple[Rows, Numbers]] = []
    for number, (known, tried) in enumerate(parts):
        fitted = learner.fit(known, seed)
        scored = np.isfinite(fitted.held_out)
        collected.add(number, tried, fitted.scores(tried), fitted.held_out[scored], is_negative[known[scored]])
        disliked, liked = opposed(corpus, tried, kind.most_pairs // kind.folds)
        pairs.append((disliked, fitted.less_liked(disliked, liked)))
        step()
    evaluator = collected.tried()
    looked_at = baselines.numbers_of(corpus.answers)
    trivial = {name: _tried_baseline(numbers, corpus, parts) for name, numbers in looked_at.items()}
    bootstrap = Bootstrap(corpus.groups, seed)
    told = _compared(evaluator, trivial, is_negative, bootstrap)
    told["calibration"] = _calibration(evaluator, is_negative, bootstrap)
    told["precision"] = _precisions(evaluator, is_negative, bootstrap)
    told["pairs"] = _pairs(pairs, corpus, seed)
    step()
    told["learning_curve"] = _curve(learner, corpus, parts, seed, told["evaluator"][PRIMARY]) if kind.curve else []
    step()
    return told


def steps_of(kind: Kind) -> int:
    """How often ``validate`` calls ``step``."""
    return kind.folds + 2


class _Collected:
    """Scores of outer folds as they come."""

    def __init__(self, rows: int, precisions: Sequence[float] = ()) -> None:
        self._folds = np.full(rows, -1, dtype=np.int64)
        self._scores, self._shares = np.zeros(rows), np.zeros(rows)
        self._is_called = np.zeros(rows, dtype=bool)
        self._is_sure = {each: np.zeros(rows, dtype=bool) for each in precisions}

    def add(self, number: int, tried: Rows, scores: Numbers, held_out: Numbers, ratings: Numbers) -> None:
        """A fold: scores of its rows, and those by which calibration and limits are chosen."""
        calibration = Calibration.of(held_out, ratings)
        shares, known_shares = calibration.shares_of(scores), calibration.shares_of(held_out)
        self._folds[tried], self._scores[tried], self._shares[tried] = number, scores, shares
        tells_apart = np.ptp(known_shares) > 0
        usual = Verdicts.of(known_shares, ratings, None).negative_from
        # Who can't tell answers apart says of all what most people say.
        self._is_called[tried] = shares >= (usual if tells_apart else 0.5)
        for each, is_sure in self._is_sure.items():
            is_sure[tried] = shares >= limit_for(known_shares, each)

    def tried(self) -> Tried:
        return Tried(self._folds, self._scores, self._shares, self._is_called, self._is_sure)


def _tried_baseline(numbers: Numbers | None, corpus: Corpus, parts: list[tuple[Rows, Rows]]) -> Tried:
    collected = _Collected(len(corpus.answers))
    for number, (known, tried) in enumerate(parts):
        own, scores = baselines.scores_of(numbers, corpus.is_negative, known, tried)
        collected.add(number, tried, scores, own, corpus.is_negative[known])
    return collected.tried()


def _compared(
    evaluator: Tried, trivial: Mapping[str, Tried], is_negative: Numbers, bootstrap: Bootstrap
) -> dict[str, Any]:
    """Figures of the evaluator and of each baseline, with the evaluator's lead over it on the same draws."""
    whole = np.ones((1, len(is_negative)))
    own = evaluator.measures(is_negative)
    values = {name: float(measure(whole)[0]) for name, measure in own.items()}
    draws = {name: bootstrap.draws(measure) for name, measure in own.items()}
    told: dict[str, Any] = {
        "evaluator": {name: Bootstrap.interval(values[name], draws[name]).told() for name in own},
        "baselines": {},
    }
    for baseline, tried in trivial.items():
        of_baseline: dict[str, Any] = {}
        for name, measure in tried.measures(is_negative).items():
            value, other = float(measure(whole)[0]), bootstrap.draws(measure)
            lead = Bootstrap.interval(values[name] - value, draws[name] - other)
            of_baseline[name] = {"value": Bootstrap.interval(value, other).told(), "lead": lead.told()}
        told["baselines"][baseline] = of_baseline
    return told


def _calibration(evaluator: Tried, is_negative: Numbers, bootstrap: Bootstrap) -> dict[str, Any]:
    shares = evaluator.shares
    usual = np.full(len(is_negative), is_negative.mean())
    return {
        "brier": bootstrap.figure(figures.brier(shares, is_negative)).told(),
        "brier_of_majority": round(float(figures.brier(usual, is_negative)(np.ones((1, len(usual))))[0]), 6),
        "expected_calibration_error": bootstrap.figure(figures.calibration_error(shares, is_negative)).told(),
        "reliability": [[each.told, each.came, each.calls] for each in figures.reliability(shares, is_negative)],
    }


def _precisions(evaluator: Tried, is_negative: Numbers, bootstrap: Bootstrap) -> dict[str, Any]:
    """What came of each stated precision: the share of calls that are called negative, how many rightly, and recall."""
    told = {}
    for stated, is_sure in evaluator.is_sure.items():
        got = figures.precision(is_sure, is_negative)
        found = bootstrap.figure(figures.recall(is_sure, is_negative)).told()
        told[f"{stated:g}"] = {
            "called": round(float(is_sure.mean()), 6),
            "precision": bootstrap.figure(got).told() if is_sure.any() else None,
            "recall": found,
        }
    return told


def opposed(corpus: Corpus, rows: Rows, most: int) -> tuple[Rows, Rows]:
    """Disliked and liked answers to one prompt among these rows, pair by pair."""
    with OpposedAnswers() as answers:
        for row in rows.tolist():
            is_positive = not corpus.is_negative[row]
            answers.add("", corpus.answers.prompts[row], is_positive=is_positive, content=row)
        found = list(islice(answers.pairs(), most))
    disliked = np.array([bad for _, bad in found], dtype=np.int64)
    return disliked, np.array([good for good, _ in found], dtype=np.int64)


def _pairs(pairs: list[tuple[Rows, Numbers]], corpus: Corpus, seed: int) -> dict[str, Any]:
    """Of pairs of a disliked and a liked answer to one prompt how often it told them apart; half for no verdict."""
    rows, told = (np.concatenate(each) for each in zip(*pairs, strict=True))
    if not len(rows):
        return {"count": 0, "right": None, "undecided": None}
    right = Bootstrap(corpus.groups[rows], seed).figure(lambda weights: weights @ told / weights.sum(axis=1))
    return {"count": len(rows), "right": right.told(), "undecided": round(float((told == 0.5).mean()), 6)}


def _curve(
    learner: Learner, corpus: Corpus, parts: list[tuple[Rows, Rows]], seed: int, of_all: list[float]
) -> list[list[float]]:
    """[calls learned from, figure, low, high] of the primary figure, the last with all calls of a fold."""
    whole = int(np.mean([len(known) for known, _ in parts]))
    curve: list[list[float]] = []
    for size in (each for each in CURVE if each < whole):
        scores, folds = np.zeros(len(corpus.answers)), np.zeros(len(corpus.answers), dtype=np.int64)
        for number, (known, tried) in enumerate(parts):
            scores[tried] = learner.fit(corpus.some(known, size, seed + number), seed).scores(tried)
            folds[tried] = number
        measure = figures.roc_auc(scores, corpus.is_negative, folds)
        curve.append([size, *Bootstrap(corpus.groups, seed).figure(measure).told()])
    return [*curve, [whole, *of_all]]


def refusals(told: Mapping[str, Any], corpus: Corpus, *, by_people: bool, fewest: Fewest | None = None) -> list[str]:
    """Why it must not be promoted; nothing if it may be."""
    fewest = fewest or Fewest()
    ratings = len(corpus.answers)
    negative = int(corpus.is_negative.sum())
    groups = len(np.unique(corpus.groups))
    found = []
    if ratings < fewest.ratings or min(negative, ratings - negative) < fewest.per_side:
        found.append(
            f"{ratings} rated calls, {negative} negative and {ratings - negative} positive: at least {fewest.ratings} "
            f"are needed, and {fewest.per_side} of each side"
        )
    if not by_people:
        found.append(
            "too few people rated to keep some of them aside, so it was tried on other conversations of the same people"
        )
    elif groups < fewest.groups:
        found.append(f"{groups} people or conversations that share nothing: at least {fewest.groups} are needed")
    best, (value, lead) = best_baseline(told)
    if not lead.low > 0:
        own = told["evaluator"][PRIMARY][0]
        found.append(
            f"it does not beat the best baseline, {best}: ROC AUC {own:.3f} against {value:.3f}, a lead of "
            f"{lead.value:+.3f} ({lead.low:+.3f} to {lead.high:+.3f}), and the interval must be above 0"
        )
    return found


def best_baseline(told: Mapping[str, Any]) -> tuple[str, tuple[float, Figure]]:
    """The baseline with the best primary figure: its name, its figure, and the evaluator's lead over it."""
    name, best = max(told["baselines"].items(), key=lambda each: each[1][PRIMARY]["value"][0])
    return name, (best[PRIMARY]["value"][0], Figure(*best[PRIMARY]["lead"]))


def fitted_calibration(
    fitted: Fitted, corpus: Corpus, rows: Rows, precision: float | None
) -> tuple[Calibration, Verdicts]:
    """Calibration and limits of the model that has learned from all of these rows."""
    scored = np.isfinite(fitted.held_out)
    ratings = corpus.is_negative[rows[scored]]
    calibration = Calibration.of(fitted.held_out[scored], ratings)
    return calibration, Verdicts.of(calibration.shares_of(fitted.held_out[scored]), ratings, precision)
