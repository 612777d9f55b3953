"""What can be said of a difference however often one looks, and whenever one stops.

A p-value of a fixed sample is right once. Who looks after every rating and stops when it is small enough finds a
difference where there is none, sooner or later. Here instead pairs of votes are bet on, one from each arm: under the
hypothesis that the arms differ by m, a gambler's capital is a nonnegative martingale, which ever reaches 1/a with
probability a at most (Ville 1939). So the largest capital so far is evidence that needs no plan of when to look, and
the values of m against which it never got large are a confidence sequence (Howard, Ramdas, McAuliffe and Sekhon 2021).
The bets are those of Waudby-Smith and Ramdas (2023, "Estimating means of bounded random variables by betting"):
a fixed mixture of stakes, on either side, which holds for values of any distribution within their bounds.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from otel_feedback.insights.statistics import Numbers

STAKES: Final = np.geomspace(0.01, 0.95, 16)
"""Parts of the most that may be bet without ever losing everything; small ones find small differences."""
_STEPS_OF_BISECTION: Final = 40
_EDGE: Final = 1 - 1e-9


@dataclass(frozen=True, slots=True)
class AnytimeResult:
    """What may be believed at any moment, this one included.

    Attributes:
        pairs: pairs of votes, one of each arm; no person is in two of them.
        difference: their mean difference; None where there is no pair.
        low: of the confidence sequence, to ``high``: all moments' intervals hold the true difference at once, with
            the level asked for.
        p: the smallest level at which no difference is ruled out, at any moment so far.
    """

    pairs: int
    difference: float | None
    low: float
    high: float
    p: float


def pair_votes(
    is_treated: NDArray[np.bool_], values: Numbers, people: Sequence[str], conversations: Sequence[str]
) -> Numbers:
    """Differences of votes, the treated one less the other, of pairs as they come about in the order of time.

    Only the first vote of a person, and of a conversation, is looked at, since later ones are like it. It waits for
    the same person's first vote on the other arm, or for that of somebody who has not voted before, whichever comes
    first; of those who wait the first is taken. Each person and conversation is in one pair at most, and who is
    paired with whom depends on no vote, so the differences are independent, and their mean is the arms' difference.

    Args:
        is_treated: for each vote, in the order of time, whether it is on the arm in question.
        values: the votes, 0 to 1.
        people: who voted; "" where nobody is named.
        conversations: in which conversation.
    """
    waiting: tuple[deque[_Voter], deque[_Voter]] = deque(), deque()
    voters: dict[tuple[str, str], _Voter] = {}
    differences = []
    for arm, value, person, conversation in zip(
        is_treated.tolist(), values.tolist(), people, conversations, strict=True
    ):
        names = [name for name in (("person", person), ("conversation", conversation)) if name[1]]
        known = [voters[name] for name in names if name in voters]
        if not known:
            other = _next(waiting[not arm])
            voter = _Voter(arm, value, has_pair=other is not None)
            if other is None:
                waiting[arm].append(voter)
        else:
            voter = known[0]
            others = [each for each in known if each.is_treated != arm]
            other = others[0] if others and not any(each.has_pair for each in known) else None
            for each in known if other is not None else ():
                each.has_pair = True
        for name in names:
            voters.setdefault(name, voter)
        if other is not None:
            other.has_pair = True
            differences.append(value - other.value if arm else other.value - value)
    return np.array(differences, dtype=np.float64)


@dataclass(slots=True)
class _Voter:
    is_treated: bool
    value: float
    has_pair: bool


def _next(queue: deque[_Voter]) -> _Voter | None:
    while queue:
        if not (voter := queue.popleft()).has_pair:
            return voter
    return None


def anytime(differences: Numbers, alpha: float = 0.05) -> AnytimeResult:
    """What these differences (-1 to 1, in the order of time) say at every moment.

    Args:
        differences: independent of each other.
        alpha: one less the level of the confidence sequence.
    """
    if not len(differences):
        return AnytimeResult(0, None, -1.0, 1.0, 1.0)
    capital = _capital_over_time(differences)
    best = int(np.argmax(capital))
    limit = float(-np.log(alpha))
    low, high = _interval(differences, limit)
    # Intervals of other moments hold as well; that of the most telling one rules out 0 if p says so.
    low_then, high_then = _interval(differences[: best + 1], limit)
    if max(low, low_then) < min(high, high_then):
        low, high = max(low, low_then), min(high, high_then)
    p = float(np.exp(-max(float(capital[best]), 0.0)))
    return AnytimeResult(len(differences), float(differences.mean()), low, high, p)


def pairs_needed(difference: float, spread: float, alpha: float = 0.05, power: float = 0.8) -> int:
    """About how many pairs it takes until a difference is found with this probability, looking after each of them.

    Args:
        difference: of the arms; more than 0.
        spread: mean of the squared differences of pairs.
        alpha: at which level.
        power: the probability.
    """
    step = min(difference / spread, 0.95)
    up, down = (spread + difference) / 2, max((spread - difference) / 2, 0.0)
    gains = np.array([np.log1p(step), np.log1p(-step), 0.0])
    weights = np.array([up, down, 1 - up - down])
    mean = float(weights @ gains)
    deviation = float(np.sqrt(weights @ (gains - mean) ** 2))
    # The capital's logarithm is a random walk; the mixture costs what the stakes that are no good take with them.
    goal = -np.log(alpha) + np.log(2 * len(STAKES) / 4)
    few, many = 1, 2
    while _chance_to_reach(goal, mean, deviation, many) < power:
        few, many = many, 2 * many
    while many - few > 1:
        half = (few + many) // 2
        few, many = (half, many) if _chance_to_reach(goal, mean, deviation, half) < power else (few, half)
    return many


def _chance_to_reach(goal: float, mean: float, deviation: float, steps: int) -> float:
    """Whether a Brownian motion with this drift reaches the goal within so many steps (Bachelier, Levy)."""
    spread = max(deviation, 1e-9) * np.sqrt(steps)
    again = 2 * mean * goal / max(deviation, 1e-9) ** 2 + stats.norm.logcdf((-goal - mean * steps) / spread)
    return float(stats.norm.cdf((mean * steps - goal) / spread) + np.exp(min(again, 0.0)))


def _capital_over_time(differences: Numbers) -> Numbers:
    """The logarithm of the capital against "no difference", after each pair."""
    total = np.full(len(differences), -np.inf)
    for stake in (*STAKES, *-STAKES):
        total = np.logaddexp(total, np.cumsum(np.log1p(stake * differences)))
    return np.asarray(total - np.log(2 * len(STAKES)))


def _interval(differences: Numbers, limit: float) -> tuple[float, float]:
    """The differences against which the capital's logarithm is below the limit.

    Bets on more are products of positive decreasing convex functions of m, those on less of increasing ones; so the
    capital is convex in m, and at the mean it is at most 1.
    """
    values, counts = np.unique(differences, return_counts=True)
    middle = float(np.clip(differences.mean(), -_EDGE, _EDGE))

    def end(outside: float) -> float:
        if _capital(values, counts, outside) < limit:
            return round(outside)
        inside = middle
        for _ in range(_STEPS_OF_BISECTION):
            half = (inside + outside) / 2
            inside, outside = (half, outside) if _capital(values, counts, half) < limit else (inside, half)
        return outside

    return end(-_EDGE), end(_EDGE)


def _capital(values: Numbers, counts: NDArray[np.int64], mean: float) -> float:
    """The logarithm of the capital against this mean."""
    stakes = np.concatenate([STAKES / (1 + mean), -STAKES / (1 - mean)])
    gains = np.log1p(stakes[:, None] * (values - mean)) @ counts
    return float(np.logaddexp.reduce(gains) - np.log(len(stakes)))
