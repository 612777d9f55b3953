"""Ratings given to the service itself: appended to the logs queue, read back from the database.

A rating is durable when ``submit`` returns but shows in SQL only seconds later, so what came through this process in
the last minutes is laid over what the database answers.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from typing import Any, Final

from otel_feedback.clickhouse import statements
from otel_feedback.clickhouse.client import Database
from otel_feedback.errors import DatabaseError, RejectedRequestError
from otel_feedback.rating import Action, Rating, Scope, Target
from otel_feedback.service.durable_queue.queue import DurableQueue, QueueBusyError
from otel_feedback.service.rating_log import export_request
from otel_feedback.service.telemetry import Counters

REMEMBERED_SECONDS: Final = 300.0
REMEMBERED_RATINGS: Final = 4096
_QUERY: Final = "queries/feedback_of_rater.sql"


class ServiceRatingStore:
    """The RatingStore behind the service's ``/v1/feedback``."""

    def __init__(self, logs: DurableQueue, database: Database, counters: Counters) -> None:
        self._logs = logs
        self._database = database
        self._counters = counters
        self._recent = RecentRatings()

    async def submit(self, rating: Rating) -> None:
        """Take the rating; once this returns it is on disk.

        Raises:
            RejectedRequestError: 400 for a target that OTLP can't express, 503 while the queue is full or stopping.
        """
        try:
            request = export_request(rating)
        except ValueError:
            raise RejectedRequestError(
                400, "invalid_rating", "the token's target or the rating's text can't be expressed in OTLP"
            ) from None
        try:
            await self._logs.append(request)
        except QueueBusyError as error:
            raise RejectedRequestError(503, "busy", f"{error}; try again") from None
        self._recent.remember(rating)
        self._counters.add("ratings_total")

    async def current(self, target: Target, rater_id: str) -> list[Rating]:
        """The rater's current ratings of the target, retracted ones left out, ordered by name.

        Raises:
            RejectedRequestError: 503 while the database can't be asked.
        """
        try:
            rows = await asyncio.to_thread(self._stored, target, rater_id)
        except DatabaseError as error:
            raise RejectedRequestError(503, "database_unavailable", f"the database can't be asked: {error}") from None
        newest = {row["Name"]: _rating_of(row, target) for row in rows}
        for recent in self._recent.of(target, rater_id):
            stored = newest.get(recent.name)
            if stored is None or _order(recent) >= _order(stored):
                newest[recent.name] = recent
        return [newest[name] for name in sorted(newest) if newest[name].action is Action.SUBMIT]

    def _stored(self, target: Target, rater_id: str) -> list[dict[str, Any]]:
        return self._database.query(
            statements.load(_QUERY),
            {
                "scope": str(target.scope),
                "trace_id": target.trace_id,
                "span_id": target.span_id,
                "session_id": target.session_id,
                "response_id": target.response_id,
                "rater_id": rater_id,
            },
        )


class RecentRatings:
    """The newest rating of each (target, rater, name) that came within the last minutes; bounded."""

    def __init__(self, seconds: float = REMEMBERED_SECONDS, most: int = REMEMBERED_RATINGS) -> None:
        self._seconds = seconds
        self._most = most
        self._ratings: OrderedDict[tuple[object, ...], tuple[float, Rating]] = OrderedDict()

    def remember(self, rating: Rating) -> None:
        """Keep it unless a newer one of the same name is kept already."""
        key = (*_target_key(rating.target), rating.rater_id, rating.name)
        known = self._ratings.pop(key, None)
        newest = rating if known is None or _order(rating) >= _order(known[1]) else known[1]
        self._ratings[key] = (time.monotonic(), newest)
        self._forget_old()

    def of(self, target: Target, rater_id: str) -> list[Rating]:
        """What is kept of this rater's on this target, retractions too."""
        self._forget_old()
        wanted = (*_target_key(target), rater_id)
        return [rating for key, (_, rating) in self._ratings.items() if key[:-1] == wanted]

    def _forget_old(self) -> None:
        too_old = time.monotonic() - self._seconds
        while self._ratings:
            key, (remembered, _) = next(iter(self._ratings.items()))
            if remembered >= too_old and len(self._ratings) <= self._most:
                return
            del self._ratings[key]


def _target_key(target: Target) -> tuple[object, ...]:
    """The identity of what is rated; a rating's date and the other ids of its target are no part of it."""
    match target.scope:
        case Scope.SESSION:
            return (target.scope, target.session_id)
        case Scope.TRACE:
            return (target.scope, target.trace_id)
    if target.trace_id and target.span_id:
        return (target.scope, target.trace_id, target.span_id)
    return (target.scope, target.response_id)


def _order(rating: Rating) -> tuple[int, str]:
    return rating.time_unix_nano, rating.id


def _rating_of(row: dict[str, Any], target: Target) -> Rating:
    return Rating(
        name=row["Name"],
        target=target,
        value=row["Value"],
        label=row["Label"],
        comment=row["Comment"],
        correction=row["Correction"],
        reasons=tuple(row["Reasons"]),
        score_min=row["ScoreMin"],
        score_max=row["ScoreMax"],
        rater_id=row["RaterId"],
        source=row["Source"],
        time_unix_nano=int(row["TimeUnixNano"]),
        id=row["EventId"],
    )
