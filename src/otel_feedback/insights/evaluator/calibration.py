"""Scores as probabilities, and the scores from which on an answer is called negative.

Both are found on scores of calls that their judge has not learned from.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal, Self

import numpy as np
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from otel_feedback.insights.statistics import Numbers

ENOUGH_FOR_ISOTONIC: Final = 1000
"""Below it a curve of two numbers is fitted: isotonic regression overfits few (Niculescu-Mizil and Caruana 2005)."""
FEWEST_CALLED: Final = 10
_FEWEST_CALLED_SHARE: Final = 0.005


@dataclass(frozen=True, slots=True)
class Calibration:
    """A curve from scores to the probability that people dislike the answer.

    Attributes:
        kind: ``isotonic``: straight lines between these points, constant beyond them; ``sigmoid``:
            1 / (1 + exp(-(a * score + b))).
        scores: of the points; for a sigmoid (a,).
        shares: at the points; for a sigmoid (b,).
    """

    kind: Literal["isotonic", "sigmoid"]
    scores: tuple[float, ...]
    shares: tuple[float, ...]

    @classmethod
    def of(cls, scores: Numbers, is_negative: Numbers) -> Self:
        """The curve of these scores and what people said; it never falls."""
        if not 0 < is_negative.sum() < len(scores):
            return cls._constant(float(is_negative.mean()) if len(scores) else 0.5)
        if len(scores) >= ENOUGH_FOR_ISOTONIC:
            return cls("isotonic", *_centred(scores, is_negative))
        spread = float(scores.std())
        if spread > 0:
            line = LogisticRegression(C=100.0).fit(((scores - scores.mean()) / spread)[:, None], is_negative)
            slope = float(line.coef_[0, 0]) / spread
            if slope > 0:
                return cls("sigmoid", (slope,), (float(line.intercept_[0]) - slope * float(scores.mean()),))
        return cls._constant(float(is_negative.mean()))

    @classmethod
    def _constant(cls, share: float) -> Self:
        share = float(np.clip(share, 1e-6, 1 - 1e-6))
        return cls("sigmoid", (0.0,), (float(np.log(share / (1 - share))),))

    def shares_of(self, scores: Numbers) -> Numbers:
        """The probability of each score."""
        if self.kind == "isotonic":
            return np.asarray(np.interp(scores, self.scores, self.shares))
        return np.asarray(1 / (1 + np.exp(-np.clip(self.scores[0] * scores + self.shares[0], -500, 500))))

    def told(self) -> dict[str, Any]:
        """As it stands in a manifest."""
        return {"kind": self.kind, "scores": list(self.scores), "shares": list(self.shares)}

    @classmethod
    def read(cls, told: dict[str, Any]) -> Self:
        """What ``told`` said."""
        kind = told["kind"]
        if kind not in {"isotonic", "sigmoid"} or len(told["scores"]) != len(told["shares"]) or not told["scores"]:
            raise ValueError("no calibration")
        return cls(kind, tuple(map(float, told["scores"])), tuple(map(float, told["shares"])))


def _centred(scores: Numbers, is_negative: Numbers) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Isotonic regression, each level at the middle of its scores with straight lines between (Oron, Flournoy 2017).

    Plain isotonic regression gives hundreds of calls one probability, and a limit could only take all of them or none.
    """
    levels = IsotonicRegression(y_min=0.0, y_max=1.0).fit_transform(scores, is_negative)
    values, level_of = np.unique(levels, return_inverse=True)
    middles = np.bincount(level_of, weights=scores) / np.bincount(level_of)
    return tuple(middles.tolist()), tuple(values.tolist())


@dataclass(frozen=True, slots=True)
class Verdicts:
    """From which probability on an answer is called negative, and up to which positive; neutral between.

    Attributes:
        negative_from: ``inf`` where no probability gives the precision that was asked for.
    """

    negative_from: float
    positive_below: float

    @classmethod
    def of(cls, shares: Numbers, is_negative: Numbers, precision: float | None) -> Self:
        """By what is told of calls that were not learned from.

        Without a precision the limit is the share of negatives: where probabilities are right, no other limit has a
        higher balanced accuracy.
        """
        usual = float(is_negative.mean())
        if precision is None:
            return cls(usual, usual)
        limit = limit_for(shares, precision)
        return cls(limit, min(limit, usual))

    def labels(self, shares: Numbers) -> list[str]:
        """The verdict of each probability."""
        return [
            "negative" if share >= self.negative_from else "positive" if share < self.positive_below else "neutral"
            for share in shares.tolist()
        ]


def limit_for(shares: Numbers, precision: float) -> float:
    """The lowest probability from which on those that are called negative are so at this rate; ``inf`` if none is.

    By the probabilities alone, which are smoother than what came: the best of many noisy rates would promise too much.
    At least FEWEST_CALLED calls, or one of 200, must be called.
    """
    ordered = np.sort(shares)[::-1]
    rates = np.cumsum(ordered) / np.arange(1, len(ordered) + 1)
    last_of_equal = np.concatenate([ordered[1:] != ordered[:-1], [True]])
    fewest = max(FEWEST_CALLED, int(_FEWEST_CALLED_SHARE * len(shares)))
    enough = (rates >= precision) & last_of_equal & (np.arange(1, len(ordered) + 1) >= fewest)
    return float(ordered[np.flatnonzero(enough)[-1]]) if enough.any() else float("inf")
