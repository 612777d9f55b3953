"""Ratings of arms of which it is known how much better one is, given by people who are alike, busy, or both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import pyarrow as pa

from otel_feedback.insights.experiment import Counted

START_SECONDS: Final = 1_790_000_000
_MINUTE: Final = 60


@dataclass(frozen=True)
class Ballot:
    """How votes are made up.

    ``shares`` are those of positive votes on the arms. ``likeness`` is how alike the votes of one person are, 0 to 1.
    Where ``busy`` is true some people vote a hundred times as often as others. Arms are given to each person for good,
    to each vote anew, or one after the other.
    """

    votes: int = 400
    people: int = 200
    shares: tuple[float, ...] = (0.7, 0.7)
    likeness: float = 0.0
    busy: bool = False
    given: Literal["to people", "to votes", "in turn"] = "to people"

    @property
    def arms(self) -> list[str]:
        return [f"v{number}" for number in range(1, len(self.shares) + 1)]

    def counted(self) -> list[Counted]:
        return [Counted(arm, 2 * self.votes, START_SECONDS, START_SECONDS + self.votes * _MINUTE) for arm in self.arms]


def made_votes(recipe: Ballot, seed: int) -> tuple[pa.Table, pa.Table]:
    """What ``insights/experiment_ratings.sql`` and ``insights/experiment_calls.sql`` answer; every call is rated."""
    chance = np.random.default_rng(seed)
    weight = chance.pareto(1.0, recipe.people) + 1 if recipe.busy else np.ones(recipe.people)
    people = chance.choice(recipe.people, recipe.votes, p=weight / weight.sum())
    count = len(recipe.shares)
    if recipe.given == "to people":
        arm = chance.integers(0, count, recipe.people)[people]
    elif recipe.given == "to votes":
        arm = chance.integers(0, count, recipe.votes)
    else:
        arm = np.arange(recipe.votes) * count // recipe.votes
    # For some votes people have one mood, for the others they draw one each. Below the share it is liked.
    own = chance.random(recipe.people)[people]
    has_own = chance.random(recipe.votes) < np.sqrt(recipe.likeness)
    mood = np.where(has_own, own, chance.random(recipe.votes))
    is_positive = mood < np.array(recipe.shares)[arm]
    seconds = START_SECONDS + np.arange(recipe.votes) * _MINUTE
    same: dict[str, Any] = {
        "Arm": [recipe.arms[each] for each in arm],
        "TimeUnixNano": seconds * 1_000_000_000,
        "Person": [f"person-{each}" for each in people],
        "Conversation": [f"session-{each}-{number // 3}" for number, each in enumerate(people)],
    }
    ratings = {
        "Name": ["thumbs"] * recipe.votes,
        "Label": ["positive" if each else "negative" for each in is_positive],
        "Value": is_positive.astype(float),
        "ScoreMin": np.zeros(recipe.votes),
        "ScoreMax": np.ones(recipe.votes),
    }
    calls = {
        "IsRated": np.ones(recipe.votes, dtype=np.uint8),
        "IsNegative": (~is_positive).astype(np.uint8),
        "IsPositive": is_positive.astype(np.uint8),
        "service": ["shop"] * recipe.votes,
        "model": chance.choice(["small", "large"], recipe.votes),
        "IsError": (chance.random(recipe.votes) < 0.02).astype(np.uint8),
        "seconds": chance.gamma(2, 1, recipe.votes),
        "seconds_to_first_chunk": chance.gamma(2, 0.2, recipe.votes),
        "input_tokens": chance.integers(10, 500, recipe.votes).astype(float),
        "output_tokens": chance.integers(10, 500, recipe.votes).astype(float),
    }
    return pa.table({**same, **ratings}), pa.table({**same, **calls})
