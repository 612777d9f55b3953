"""Two or more arms (versions of a prompt, models, variants) compared by how people rated their answers.

Each arm is compared with a control: the first one, or the one before it. Votes of one person count for what they are
worth together (``clusters``), what is said at any moment holds however often one looked before (``sequential``), and
with several arms each comparison is held to a level that keeps all of them together to ``Design.alpha``.
docs/insights.md says what each number means, docs/adr/0026 why it is found so.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy import sparse

from otel_feedback.insights import clusters, statistics
from otel_feedback.insights.confounding import Caution, Sides, cautions, reweighted_difference
from otel_feedback.insights.guards import Guard, guards
from otel_feedback.insights.sample_size import Needed, needed
from otel_feedback.insights.scores import Score, scores
from otel_feedback.insights.sequential import AnytimeResult, anytime, pair_votes
from otel_feedback.insights.statistics import Numbers
from otel_feedback.insights.votes import Votes, of_arms

Verdict: TypeAlias = Literal[
    "better", "worse", "looks better", "looks worse", "alike", "no difference shown", "too few"
]
"""``looks``: true of the only look, not of one of many. ``alike``: the whole interval is within ``Design.detect``."""

FEWEST_PEOPLE: Final = 5
_GUARD_ALPHA: Final = 0.01


@dataclass(frozen=True, slots=True)
class Design:
    """How arms are compared.

    Attributes:
        alpha: how often any difference may be found where there is none, all comparisons taken together.
        detect: the difference of shares that matters; ``Comparison.needed`` tells what it takes to find it.
        power: how often it is to be found then.
        to_previous: whether each arm is compared with the one before it, not with the first one.
        split: which shares of people were meant to get the arms, in their order; empty where nothing is known of it.
    """

    alpha: float = 0.05
    detect: float = 0.1
    power: float = 0.8
    to_previous: bool = False
    split: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Counted:
    """An arm's name, how many calls of the period it has, and when the first and the last one were (Unix seconds)."""

    value: str
    calls: int
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Arm:
    """What came of one arm.

    Attributes:
        value: its name.
        calls: all of the period; ``ratings`` of them, of which ``positive`` and ``negative``.
        people: who rated, or conversations where nobody is named.
        share: of positive ratings among positive and negative ones, each vote of a busy person counted less, with its
            interval ``low`` to ``high``; None where there are none.
        first: when it was first called, in Unix seconds; ``last`` likewise.
    """

    value: str
    calls: int
    ratings: int
    positive: int
    negative: int
    people: int
    share: float | None
    low: float
    high: float
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """An arm beside its control. Shares and differences are 0 to 1.

    Attributes:
        arm: its name; ``control`` that of the other.
        verdict: what can be said; ``words`` say it.
        difference: of the shares of positive ratings, ``arm`` less ``control``, with its interval ``low`` to ``high``
            for one look; None where one of them has no rating.
        p: of the stricter of two tests for one look.
        anytime: what holds however often one looks, of the first votes of people.
        reweighted: the difference if services and models were mixed alike; None where there is nothing to be mixed.
        scores: means of ratings that are numbers.
        guards: what must not get worse, of calls that were read.
        cautions: what else may be behind the difference.
        needed: what it takes to find ``Design.detect``.
        level: of the intervals, so that all comparisons hold together; ``guard_level`` of the guards'.
    """

    arm: str
    control: str
    verdict: Verdict
    words: str
    difference: float | None
    low: float
    high: float
    p: float
    anytime: AnytimeResult
    reweighted: float | None
    scores: tuple[Score, ...]
    guards: tuple[Guard, ...]
    cautions: tuple[Caution, ...]
    needed: Needed
    level: float
    guard_level: float


@dataclass(frozen=True, slots=True)
class Experiment:
    """Arms, and each beside its control."""

    arms: tuple[Arm, ...]
    comparisons: tuple[Comparison, ...]


def compare(
    counted: Sequence[Counted], ratings: pa.Table, calls: pa.Table, design: Design, mixed_by: Sequence[str] = ()
) -> Experiment:
    """Compare these arms.

    Args:
        counted: the arms, the control first.
        ratings: what ``insights/experiment_ratings.sql`` answers, in the order in which they were given.
        calls: what ``insights/experiment_calls.sql`` answers, all of them or some.
        design: how.
        mixed_by: columns of the calls whose mix matters, of ``service`` and ``model``: those that are no arms.
    """
    arms = [each.value for each in counted]
    pairs = [(arms[number - 1] if design.to_previous else arms[0], arms[number]) for number in range(1, len(arms))]
    alpha = design.alpha / max(len(pairs), 1)
    votes = Votes(ratings)
    told = tuple(_arm(each, votes.only((each.value,)), 1 - alpha) for each in counted)
    shares = dict(zip(arms, design.split, strict=False))
    found = []
    for control, arm in pairs:
        split = (shares[control], shares[arm]) if len(shares) == len(arms) else None
        of_both = of_arms(calls, (control, arm))
        is_treated = Votes(of_both).is_of(arm)
        who = clusters.cluster_of(of_both.column("Person").to_pylist(), of_both.column("Conversation").to_pylist())
        sides = Sides((control, arm), of_both, is_treated, who, mixed_by)
        found.append(_comparison(votes.only((control, arm)), sides, design, alpha, len(pairs), split))
    return Experiment(told, tuple(found))


def _arm(counted: Counted, votes: Votes, level: float) -> Arm:
    judged = votes.judged()
    positive, who = judged.is_positive, judged.who
    share, low, high = None, 0.0, 1.0
    if len(positive):
        found = clusters.weigh(sparse.csc_array(np.ones((len(positive), 1))), positive, who)
        share = float(found.cases_with[0] / found.calls_with[0])
        low, high = (float(each[0]) for each in statistics.wilson(found.cases_with, found.calls_with, level=level))
    return Arm(
        counted.value,
        counted.calls,
        votes.table.num_rows,
        int(positive.sum()),
        int(len(positive) - positive.sum()),
        len(np.unique(who)),
        share,
        low,
        high,
        counted.first,
        counted.last,
    )


def _comparison(
    votes: Votes, sides: Sides, design: Design, alpha: float, comparisons: int, split: tuple[float, float] | None
) -> Comparison:
    control, arm = sides.names
    judged = votes.judged()
    is_treated, positive, who = judged.is_of(arm), judged.is_positive, judged.who
    guard_level = 1 - _GUARD_ALPHA / comparisons
    at_once = _at_once(positive, is_treated, who, 1 - alpha)
    always = anytime(pair_votes(is_treated, positive, judged.people, judged.conversations), alpha)
    people = [len(np.unique(who[side])) for side in (~is_treated, is_treated)]
    verdict = _verdict(at_once, always, people, alpha, design.detect)
    return Comparison(
        arm,
        control,
        verdict,
        "".join(_words(verdict, sides.names, people, design.detect)),
        at_once.difference,
        at_once.low,
        at_once.high,
        at_once.p,
        always,
        reweighted_difference(sides),
        scores(votes.table, votes.is_of(arm), votes.who, alpha),
        guards(sides.calls, sides.is_treated, sides.who, level=guard_level),
        cautions(sides, split),
        needed(positive, is_treated, who, difference=design.detect, alpha=alpha, power=design.power),
        1 - alpha,
        guard_level,
    )


@dataclass(frozen=True, slots=True)
class _AtOnce:
    difference: float | None
    low: float
    high: float
    p: float


def _at_once(positive: Numbers, is_treated: NDArray[np.bool_], who: NDArray[np.int64], level: float) -> _AtOnce:
    """The two tests and the interval that a contrast has, for one look."""
    if not is_treated.any() or is_treated.all():
        return _AtOnce(None, -1.0, 1.0, 1.0)
    found = clusters.weigh(sparse.csc_array(is_treated[:, None].astype(float)), positive, who)
    table = found.cases_with, found.calls_with, found.cases_without, found.calls_without
    low, high = statistics.newcombe(*table, level=level)
    difference = found.cases_with / found.calls_with - found.cases_without / found.calls_without
    p = np.maximum(found.p_score, statistics.fisher(*table))
    return _AtOnce(float(difference[0]), float(low[0]), float(high[0]), float(p[0]))


def _verdict(at_once: _AtOnce, always: AnytimeResult, people: Sequence[int], alpha: float, detect: float) -> Verdict:
    if at_once.difference is None or min(people) < FEWEST_PEOPLE:
        return "too few"
    # The two look at votes in different ways; where they point to different sides, neither is believed.
    if always.p <= alpha and always.difference is not None and always.difference * at_once.difference > 0:
        return "better" if at_once.difference > 0 else "worse"
    if at_once.p <= alpha and at_once.low * at_once.high > 0:
        return "looks better" if at_once.difference > 0 else "looks worse"
    return "alike" if -detect < at_once.low and at_once.high < detect else "no difference shown"


def _words(verdict: Verdict, names: tuple[str, str], people: Sequence[int], detect: float) -> Iterator[str]:
    control, arm = names
    if verdict == "too few":
        yield f"Too few: {arm} was rated by {people[1]} and {control} by {people[0]} people or conversations, "
        yield f"and it takes {FEWEST_PEOPLE} of each"
    elif verdict == "no difference shown":
        yield f"No difference could be shown between {arm} and {control}"
    elif verdict == "alike":
        yield f"{arm} and {control} differ by less than {detect * 100:g} points"
    elif verdict in {"better", "worse"}:
        yield f"{arm} is {verdict} than {control}, and it does not matter how often one looked"
    else:
        yield f"{arm} {verdict} than {control} if this is the only look; it is not yet sure for who looks often"
