"""Find the requests that ClickHouse refuses among those of a segment: bounded, and each step can be the last one.

What lies in ``rejected/`` has no rows in any table that names segments. A refused INSERT may have left some: a view
that fails leaves those of its source table (docs/adr/0008).
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field
from typing import Final, Protocol

from otel_feedback.clickhouse.segments import Signal
from otel_feedback.errors import DatabaseError
from otel_feedback.service.durable_queue.queue import DurableQueue
from otel_feedback.service.durable_queue.segment_log import Claimed
from otel_feedback.service.telemetry import WriterMetrics

logger = logging.getLogger(__name__)

MOST_REFUSALS: Final = 200
"""Refused INSERTs of one segment, some 20 seconds, after which what is refused is kept as it is, not taken apart."""
FUTILE_REFUSALS: Final = 24
"""The same where nothing at all of the segment could be stored: then it is hardly single requests' fault."""


@dataclass(slots=True)
class Search:
    """What was seen while the parts of one segment were written.

    Attributes:
        codes: ClickHouse's error codes that came again and again; of parts they are believed at once.
    """

    refused: int = 0
    stored: int = 0
    codes: set[int] = field(default_factory=set)

    @property
    def is_over(self) -> bool:
        """Whether to go on would cost more than it is likely to bring."""
        return self.refused >= (MOST_REFUSALS if self.stored else FUTILE_REFUSALS)


class RefusedRows(Protocol):
    """The part of the database that is needed here."""

    def forget_segment(self, signal: Signal, token: str) -> None:
        """Delete the rows of a segment of which the INSERT was refused.

        Raises:
            DatabaseError: some may be there still.
        """


def refusal_reason(signal: Signal, segment: Claimed, error: DatabaseError) -> str:
    """Why a segment, or a part of one, is refused, for people."""
    when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    return f"ClickHouse refused {signal} {segment.token} for good at {when} (code {error.code}): {error}"


def take_apart(
    signal: Signal, refused: Claimed, queue: DurableQueue, database: RefusedRows, metrics: WriterMetrics, search: Search
) -> list[Claimed]:
    """What is left to write of a refused segment: its halves; nothing if it is one request, which is set aside.

    Can be interrupted anywhere and called again.

    Raises:
        DatabaseError: its rows can't be deleted.
        OSError: the disk refused.
    """
    queue.sync()  # without it a power loss could bring back the old name, of which the rows are about to be deleted
    database.forget_segment(signal, refused.token)
    reason = queue.reason(refused)
    if not search.is_over:
        halves = queue.split(refused)
        if halves:
            metrics.segments_split.labels(signal).inc()
            return halves
    else:
        reason += (
            f"\nIt may hold good requests: after {search.refused} refusals it was not taken apart any further. "
            "Once the cause is mended, put it back"
        )
    kept = queue.reject(refused, reason)
    metrics.segments_rejected.labels(signal).inc()
    logger.error(
        "%s. It is kept in %s; see: otel-feedback doctor rejected show %s",
        reason,
        kept,
        kept.name,
        extra={"signal": signal, "segment": refused.token},
    )
    return []
