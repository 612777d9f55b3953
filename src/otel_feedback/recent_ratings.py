"""Ratings that came through this process a moment ago, to lay over what a slower source answers."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Iterable

from otel_feedback.fork_safe_lock import ForkSafeLock
from otel_feedback.rating import Action, Rating, Scope, Target


class RecentRatings:
    """The newest rating of each (target, rater, name) that came within ``seconds``, at most ``most``. Thread-safe."""

    def __init__(self, *, seconds: float = float("inf"), most: int = 4096) -> None:
        self._seconds = seconds
        self._most = most
        self._ratings: OrderedDict[tuple[object, ...], tuple[float, Rating]] = OrderedDict()
        self._lock = ForkSafeLock()

    def remember(self, rating: Rating) -> None:
        """Keep it, unless a newer one of the same name is kept already."""
        key = (*target_key(rating.target), rating.rater_id, rating.name)
        with self._lock:
            known = self._ratings.pop(key, None)
            newest = rating if known is None or order(rating) >= order(known[1]) else known[1]
            self._ratings[key] = (time.monotonic(), newest)
            self._forget_old()

    def laid_over(self, stored: Iterable[Rating], target: Target, rater_id: str) -> list[Rating]:
        """The rater's current ratings of the target: of each name the newest one, retracted ones left out, by name."""
        newest = {rating.name: rating for rating in stored}
        wanted = (*target_key(target), rater_id)
        with self._lock:
            self._forget_old()
            recent = [rating for key, (_, rating) in self._ratings.items() if key[:-1] == wanted]
        for rating in recent:
            known = newest.get(rating.name)
            if known is None or order(rating) >= order(known):
                newest[rating.name] = rating
        return [newest[name] for name in sorted(newest) if newest[name].action is Action.SUBMIT]

    def _forget_old(self) -> None:
        too_old = time.monotonic() - self._seconds
        while self._ratings:
            key, (remembered, _) = next(iter(self._ratings.items()))
            if remembered >= too_old and len(self._ratings) <= self._most:
                return
            del self._ratings[key]


def target_key(target: Target) -> tuple[object, ...]:
    """The identity of what is rated; a rating's date and the other ids of its target are no part of it."""
    match target.scope:
        case Scope.SESSION:
            return (target.scope, target.session_id)
        case Scope.TRACE:
            return (target.scope, target.trace_id)
    if target.trace_id and target.span_id:
        return (target.scope, target.trace_id, target.span_id)
    return (target.scope, target.response_id)


def order(rating: Rating) -> tuple[int, str]:
    """What decides which of two ratings of one (target, name, rater) is newer: the time, then the id."""
    return rating.time_unix_nano, rating.id
