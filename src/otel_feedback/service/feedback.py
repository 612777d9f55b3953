"""Ratings given to the service itself, by browsers and annotators: appended to the queues, read back from the database.

A rating is durable when ``submit`` returns but shows in SQL only seconds later, so what came through this process in
the last minutes is laid over what the database answers.
"""

from __future__ import annotations

import asyncio
import contextlib
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from otel_feedback.clickhouse import statements
from otel_feedback.clickhouse.database import Database
from otel_feedback.errors import DatabaseError, RejectedRequestError
from otel_feedback.rating import Rating, Target
from otel_feedback.recent_ratings import RecentRatings
from otel_feedback.redaction import Redactor, redacted
from otel_feedback.service import rating_log, rating_span
from otel_feedback.service.durable_queue.busy import QueueBusyError
from otel_feedback.service.durable_queue.queue import DurableQueue
from otel_feedback.service.telemetry import Telemetry

REMEMBERED_SECONDS: Final = 300.0
MOST_QUESTIONS: Final = 4
"""At once, in threads of their own: a database that does not answer must not hold those that requests need."""
ANSWER_SECONDS: Final = 10.0
_QUERY: Final = "queries/feedback_of_rater.sql"


class ServiceRatingStore:
    """The RatingStore behind the service's ``/v1/feedback``, and behind the dashboard's annotations.

    With ``spans`` a rating goes out as its carrier span, too, so that it is seen in the trace that it rates.
    """

    def __init__(
        self,
        logs: DurableQueue,
        database: Database,
        telemetry: Telemetry,
        redact: Redactor | None = None,
        *,
        spans: DurableQueue | None = None,
    ) -> None:
        self._logs = logs
        self._spans = spans
        self._database = database
        self._redact = redact
        self._ratings = telemetry.receiver.ratings
        self._threads = ThreadPoolExecutor(MOST_QUESTIONS, thread_name_prefix="ratings")
        self._recent = RecentRatings(seconds=REMEMBERED_SECONDS)

    async def submit(self, rating: Rating) -> None:
        """Take the rating; once this returns it is on disk, its texts redacted.

        Raises:
            RejectedRequestError: 400 for a target that OTLP can't express, 503 while the queue is full or stopping.
        """
        rating = redacted(rating, self._redact)
        try:
            record = rating_log.export_request(rating)
            span = rating_span.export_request(rating) if self._spans is not None else None
        except ValueError:
            raise RejectedRequestError(
                400, "invalid_rating", "the token's target or the rating's text can't be expressed in OTLP"
            ) from None
        try:
            await self._logs.append(record)
        except QueueBusyError as error:
            raise RejectedRequestError(503, "busy", f"{error}; try again") from None
        if self._spans is not None and span is not None:
            with contextlib.suppress(QueueBusyError):  # the record alone is the whole rating
                await self._spans.append(span)
        self._recent.remember(rating)
        self._ratings.inc()

    async def current(self, target: Target, rater_id: str) -> list[Rating]:
        """The rater's current ratings of the target, retracted ones left out, ordered by name.

        Raises:
            RejectedRequestError: 503 while the database can't be asked.
        """
        try:
            asked = asyncio.get_running_loop().run_in_executor(self._threads, self._stored, target, rater_id)
            rows = await asyncio.wait_for(asked, ANSWER_SECONDS)
        except TimeoutError:
            message = f"the database did not answer within {ANSWER_SECONDS:g} s"
            raise RejectedRequestError(503, "database_unavailable", message) from None
        except DatabaseError as error:
            raise RejectedRequestError(503, "database_unavailable", f"the database can't be asked: {error}") from None
        return self._recent.laid_over([_rating_of(row, target) for row in rows], target, rater_id)

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
