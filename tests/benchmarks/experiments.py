"""How often `otel-feedback experiment` finds a difference where there is none, and where there is one, over many seeds.

Whoever looks after every rating believes what any of these looks says: a test of one look is asked after each tenth
rating here, beside the verdict that holds at every moment.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Final

import numpy as np
from scipy import sparse
from tests.support.made_votes import Ballot, made_votes

from otel_feedback.insights import Comparison, Design, clusters, statistics
from otel_feedback.insights.experiment import FEWEST_PEOPLE, compare
from otel_feedback.insights.statistics import Numbers

_LOOKS_APART: Final = 10
BALLOTS: Final = {
    "no difference, a rating a person": Ballot(votes=500, people=50_000),
    "no difference, busy people": Ballot(votes=500, people=200, likeness=0.5, busy=True),
    "no difference, busy people on both": Ballot(votes=500, people=200, likeness=0.5, busy=True, given="to votes"),
    "no difference, one after the other": Ballot(votes=500, people=200, likeness=0.5, busy=True, given="in turn"),
    "+15 points, a rating a person, 300": Ballot(votes=300, people=50_000, shares=(0.6, 0.75)),
    "+15 points, a rating a person, 600": Ballot(votes=600, people=50_000, shares=(0.6, 0.75)),
    "+15 points, busy people, 600": Ballot(votes=600, people=200, shares=(0.6, 0.75), likeness=0.5, busy=True),
}


def rows(seeds: int) -> Iterator[str]:
    """The lines of the table, each once it is known."""
    yield "| ratings | found, any looks | found, one look | found, one look again and again | truth in both intervals |"
    yield "|---|---|---|---|---|"
    for name, ballot in BALLOTS.items():
        truth = ballot.shares[1] - ballot.shares[0]
        runs = [_run(ballot, seed) for seed in range(seeds)]
        found = [comparison for comparison, _ in runs]
        sure = np.mean([each.anytime.p <= 0.05 for each in found])
        once = np.mean([each.p <= 0.05 for each in found])
        peeked = np.mean([was_small for _, was_small in runs])
        held = np.mean([each.low <= truth <= each.high for each in found])
        always = np.mean([each.anytime.low <= truth <= each.anytime.high for each in found])
        yield f"| {name} | {sure:.3f} | {once:.3f} | {peeked:.3f} | {held:.3f}, {always:.3f} |"


def _run(ballot: Ballot, seed: int) -> tuple[Comparison, bool]:
    ratings, calls = made_votes(ballot, seed)
    found = compare(ballot.counted(), ratings, calls, Design()).comparisons[0]
    positive = ratings.column("Value").to_numpy()
    is_treated = np.array(ratings.column("Arm").to_pylist()) == "v2"
    who = clusters.cluster_of(ratings.column("Person").to_pylist(), ratings.column("Conversation").to_pylist())
    looks = range(2 * _LOOKS_APART, ballot.votes + 1, _LOOKS_APART)
    return found, any(_p_now(positive[:count], is_treated[:count], who[:count]) <= 0.05 for count in looks)


def _p_now(positive: Numbers, is_treated: np.ndarray, who: np.ndarray) -> float:
    """As a comparison has it for one look."""
    if min(len(np.unique(who[side])) for side in (is_treated, ~is_treated)) < FEWEST_PEOPLE:
        return 1.0
    found = clusters.weigh(sparse.csc_array(is_treated[:, None].astype(float)), positive, who)
    exact = statistics.fisher(found.cases_with, found.calls_with, found.cases_without, found.calls_without)
    return float(max(found.p_score[0], exact[0]))


def main(argv: list[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=400)
    for line in rows(parser.parse_args(argv).seeds):
        print(line, flush=True)


if __name__ == "__main__":
    main()
