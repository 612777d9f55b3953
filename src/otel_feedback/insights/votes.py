"""Ratings of an experiment's arms, and what is asked of them again and again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from otel_feedback.insights import clusters
from otel_feedback.insights.statistics import Numbers


@dataclass(frozen=True, slots=True)
class Votes:
    """Ratings in the order of time, as ``insights/experiment_ratings.sql`` answers them."""

    table: pa.Table

    def only(self, arms: Sequence[str]) -> Votes:
        """Those of some arms."""
        return Votes(of_arms(self.table, arms))

    def judged(self) -> Votes:
        """Those that are positive or negative."""
        return Votes(self.table.filter(pc.is_in(self.table.column("Label"), pa.array(["positive", "negative"]))))

    @property
    def is_positive(self) -> Numbers:
        """1.0 for each positive one."""
        return self._is("Label", "positive").astype(float)

    def is_of(self, arm: str) -> NDArray[np.bool_]:
        """Which are of this arm."""
        return self._is("Arm", arm)

    @property
    def people(self) -> list[str]:
        """Who gave each; "" where nobody is named."""
        return list(self.table.column("Person").to_pylist())

    @property
    def conversations(self) -> list[str]:
        """In which conversation each was given."""
        return list(self.table.column("Conversation").to_pylist())

    @property
    def who(self) -> NDArray[np.int64]:
        """The cluster of each."""
        return clusters.cluster_of(self.people, self.conversations)

    def _is(self, column: str, value: str) -> NDArray[np.bool_]:
        found = pc.equal(self.table.column(column), value).to_numpy(zero_copy_only=False)
        return np.asarray(found, dtype=bool)


def of_arms(table: pa.Table, arms: Sequence[str]) -> pa.Table:
    """The rows whose Arm is one of these."""
    return table.filter(pc.is_in(table.column("Arm"), pa.array(list(arms), pa.string())))
