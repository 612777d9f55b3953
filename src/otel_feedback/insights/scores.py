"""Ratings that are numbers within bounds, such as stars: means of two arms, by the name of the rating."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from otel_feedback.insights.cluster_means import compare_means
from otel_feedback.insights.sequential import AnytimeResult, anytime, pair_votes

_MOST_NAMES: Final = 5
_FEWEST_LEVELS: Final = 3
"""Two make a thumb, whose mean is its share of positive ratings."""


@dataclass(frozen=True, slots=True)
class Score:
    """Means of a rating, in its own unit.

    Attributes:
        name: of the rating.
        minimum: its lower bound; ``maximum`` its upper one.
        ratings: how many there are on both arms.
        control: the mean of the control; ``treated`` of the other arm.
        difference: ``treated`` less ``control``, with its interval ``low`` to ``high`` for one look; None of too few
            people.
        anytime: what holds however often one looks, of the first scores of people.
    """

    name: str
    minimum: float
    maximum: float
    ratings: int
    control: float
    treated: float
    difference: float
    low: float | None
    high: float | None
    anytime: AnytimeResult


def scores(votes: pa.Table, is_treated: NDArray[np.bool_], who: NDArray[np.int64], alpha: float) -> tuple[Score, ...]:
    """Compare each kind of score that both arms have; of one with several bounds that which is most common.

    Args:
        votes: what ``insights/experiment_ratings.sql`` answers, of two arms.
        is_treated: which are the other arm's.
        who: the cluster of each.
        alpha: one less the level of the intervals.
    """
    columns = (votes.column(name).to_numpy(zero_copy_only=False) for name in ("Value", "ScoreMin", "ScoreMax"))
    values, low, high = (np.asarray(each, dtype=np.float64) for each in columns)
    names = np.array(votes.column("Name").to_pylist(), dtype=object)
    is_score = np.isfinite(values) & np.isfinite(low) & np.isfinite(high) & (low < high)
    found = []
    for name in _most_common(names[is_score]):
        bounds = np.stack([low, high], axis=1)
        of_name = is_score & (names == name)
        kinds, counts = np.unique(bounds[of_name], axis=0, return_counts=True)
        least, most = kinds[np.argmax(counts)].tolist()
        chosen = np.flatnonzero(of_name & (low == least) & (high == most))
        score = _score(name, (least, most), votes.take(pa.array(chosen)), (is_treated[chosen], who[chosen]), alpha)
        found += [score] if score is not None else []
    return tuple(found)


def _score(
    name: str,
    bounds: tuple[float, float],
    votes: pa.Table,
    sides: tuple[NDArray[np.bool_], NDArray[np.int64]],
    alpha: float,
) -> Score | None:
    least, most = bounds
    values = np.clip(votes.column("Value").to_numpy(zero_copy_only=False).astype(float), least, most)
    means = compare_means(values, *sides, level=1 - alpha)
    if means is None or len(np.unique(values)) < _FEWEST_LEVELS:
        return None
    width = most - least
    pairs = pair_votes(
        sides[0], (values - least) / width, votes.column("Person").to_pylist(), votes.column("Conversation").to_pylist()
    )
    always = anytime(pairs, alpha)
    in_unit = AnytimeResult(
        always.pairs,
        None if always.difference is None else always.difference * width,
        always.low * width,
        always.high * width,
        always.p,
    )
    return Score(
        name, least, most, len(values), means.control, means.treated, means.difference, means.low, means.high, in_unit
    )


def _most_common(names: NDArray[np.object_]) -> list[str]:
    found, counts = np.unique(names, return_counts=True)
    return [str(each) for each in found[np.argsort(-counts, kind="stable")][:_MOST_NAMES]]
