"""Move closed segments into ClickHouse: claim, INSERT with the segment's token, remove; or find what is refused."""

from __future__ import annotations

import logging
import threading
import time
from pathlib import Path
from typing import Final, Protocol

from otel_feedback.clickhouse.segments import Signal
from otel_feedback.errors import DatabaseError, DatabaseUnavailableError, NotFlatError
from otel_feedback.service.durable_queue import files
from otel_feedback.service.durable_queue.queue import DurableQueue
from otel_feedback.service.durable_queue.segment_log import Claimed
from otel_feedback.service.flat_segment import flat_segment, plain_segment
from otel_feedback.service.isolation import RefusedRows, Search, refusal_reason, take_apart
from otel_feedback.service.segment_copy import readable_copy
from otel_feedback.service.telemetry import Telemetry

logger = logging.getLogger(__name__)

ATTEMPTS_BEFORE_REJECTING: Final = 5
FIRST_PAUSE_SECONDS: Final = 0.1
LONGEST_PAUSE_SECONDS: Final = 10.0

# ClickHouse's error codes that speak of the server's state, not of the segment; waiting helps, or a person does.
NOT_THE_SEGMENTS_FAULT: Final = frozenset(
    {
        60,  # UNKNOWN_TABLE: not migrated (yet)
        74,  # CANNOT_READ_FROM_FILE_DESCRIPTOR
        75,  # CANNOT_WRITE_TO_FILE_DESCRIPTOR
        76,  # CANNOT_OPEN_FILE
        81,  # UNKNOWN_DATABASE
        159,  # TIMEOUT_EXCEEDED
        164,  # READONLY
        173,  # CANNOT_ALLOCATE_MEMORY
        198,  # DNS_ERROR
        201,  # QUOTA_EXCEEDED
        202,  # TOO_MANY_SIMULTANEOUS_QUERIES
        209,  # SOCKET_TIMEOUT
        210,  # NETWORK_ERROR
        225,  # NO_ZOOKEEPER
        236,  # ABORTED
        241,  # MEMORY_LIMIT_EXCEEDED
        242,  # TABLE_IS_READ_ONLY
        243,  # NOT_ENOUGH_SPACE
        252,  # TOO_MANY_PARTS
        279,  # ALL_CONNECTION_TRIES_FAILED
        285,  # TOO_FEW_LIVE_REPLICAS
        319,  # UNKNOWN_STATUS_OF_INSERT
        394,  # QUERY_WAS_CANCELLED
        425,  # SYSTEM_ERROR
        439,  # CANNOT_SCHEDULE_TASK
        473,  # DEADLOCK_AVOIDED
        497,  # ACCESS_DENIED
        516,  # AUTHENTICATION_FAILED
        701,  # CLUSTER_DOESNT_EXIST
        999,  # KEEPER_EXCEPTION
        1001,  # STD_EXCEPTION: of the C++ library, such as a full disk
    }
)

TOO_MANY_DAYS: Final = "Too many partitions for single INSERT block"
"""What ClickHouse says, under the code of TOO_MANY_PARTS, of a segment whose times are all over the calendar."""


class SegmentStore(RefusedRows, Protocol):
    """The part of the database that a writer needs."""

    def insert_segment(self, signal: Signal, path: Path, token: str) -> None:
        """Store every record of the segment; a second call with the same token stores nothing.

        Raises:
            NotFlatError: ClickHouse does not decode all of its values; nothing was stored.
            DatabaseError: it is not stored, or not completely.
        """

    def segment_is_stored(self, signal: Signal, token: str) -> bool:
        """Whether the segment's rows are in the tables."""


class Writer:
    """One thread that writes segments of one signal, the oldest that nobody else has; several may share a queue."""

    def __init__(self, signal: Signal, queue: DurableQueue, database: SegmentStore, telemetry: Telemetry) -> None:
        self._signal = signal
        self._queue = queue
        self._database = database
        self._metrics = telemetry.writer
        self._flattens_first = False
        self._hurry = threading.Event()
        self._thread = threading.Thread(target=self._write_segments, name=f"write-{signal}", daemon=True)

    def start(self) -> None:
        """Write segments as they close."""
        self._thread.start()

    def stop(self, timeout_seconds: float) -> bool:
        """Write what is left of the closed queue; whether all of it was written in time.

        What was not stays on disk and is written after the next start.
        """
        if self._thread.ident is None:
            return True
        self._thread.join(timeout_seconds)
        self._hurry.set()
        return not self._thread.is_alive()

    def _write_segments(self) -> None:
        while (segment := self._queue.claim()) is not None:
            search = Search()
            unsettled = [segment]
            while unsettled and not self._hurry.is_set():
                try:
                    unsettled[-1:] = reversed(self._settle(unsettled[-1], search))
                except (OSError, DatabaseError) as error:
                    # Removing, splitting or moving the file failed, or deleting rows: each can be done again.
                    logger.error("%s: %s; trying again", unsettled[-1].path, error)  # noqa: TRY400  # one line
                    self._hurry.wait(LONGEST_PAUSE_SECONDS)

    def _settle(self, segment: Claimed, search: Search) -> list[Claimed]:
        """Take one durable step with a segment or a part of one; what is then left to settle of it."""
        if segment.is_refused:
            return take_apart(self._signal, segment, self._queue, self._database, self._metrics, search)
        refused = self._write(segment, search)
        return [refused] if refused else []

    def _write(self, segment: Claimed, search: Search) -> Claimed | None:
        """Write one segment until it is stored or the service stops; the segment, marked, if it is refused for good.

        After a failure, of this process or a former one, some tables may have the rows and others not. The same INSERT
        under the same token completes it; whether rows are there says nothing. Only where ClickHouse may have forgotten
        the token is it asked for rows first, and only before the first INSERT.
        """
        refusals = 0
        pause_seconds = FIRST_PAUSE_SECONDS
        while not self._hurry.is_set():
            try:
                if segment.is_in_doubt and self._database.segment_is_stored(self._signal, segment.token):
                    self._metrics.segments_already_stored.labels(self._signal).inc()
                else:
                    self._queue.trust(segment)
                    began = time.perf_counter()
                    self._insert_in_any_form(segment)
                    self._count_stored(segment, time.perf_counter() - began)
            except DatabaseError as error:
                self._metrics.insert_failures.labels(self._signal).inc()
                is_refusal = not is_transient(error)
                refusals += is_refusal
                if is_refusal and (refusals >= ATTEMPTS_BEFORE_REJECTING or error.code in search.codes):
                    search.refused += 1
                    search.codes.add(error.code)
                    return self._queue.refuse(segment, refusal_reason(self._signal, segment, error))
                logger.warning(
                    "%s is not stored yet, trying again in %.1f s: %s",
                    segment.path,
                    pause_seconds,
                    error,
                    extra={"signal": self._signal, "segment": segment.token, "error_code": error.code},
                )
            else:
                search.stored += 1
                self._queue.remove(segment)
                return None
            self._hurry.wait(pause_seconds)
            pause_seconds = min(pause_seconds * 2, LONGEST_PAUSE_SECONDS)
        return None

    def _insert_in_any_form(self, segment: Claimed) -> None:
        """Insert the segment; if ClickHouse refuses the way in which it is encoded, encoded anew."""
        try:
            self._insert(segment)
        except DatabaseError as error:
            plain = None if is_transient(error) else plain_segment(self._signal, segment.path.read_bytes())
            if plain is None:
                raise
            self._insert_copy(segment, plain)

    def _insert(self, segment: Claimed) -> None:
        """Insert the segment as it is; if it holds values that ClickHouse does not decode, a flattened copy of it.

        Those come from certain instrumentations, so after one such segment the next ones are flattened at once.
        """
        if not self._flattens_first:
            try:
                self._database.insert_segment(self._signal, segment.path, segment.token)
            except NotFlatError:
                self._flattens_first = True
            else:
                return
        flat = flat_segment(self._signal, segment.path.read_bytes())
        if flat is None:
            self._flattens_first = False
            self._database.insert_segment(self._signal, segment.path, segment.token)
            return
        self._insert_copy(segment, flat)

    def _insert_copy(self, segment: Claimed, content: bytes) -> None:
        with readable_copy(content) as copy:
            self._database.insert_segment(self._signal, copy, segment.token)

    def _count_stored(self, segment: Claimed, insert_seconds: float) -> None:
        self._metrics.segments_written.labels(self._signal).inc()
        self._metrics.insert_seconds.labels(self._signal).observe(insert_seconds)
        self._metrics.segment_bytes.labels(self._signal).observe(segment.size_bytes)
        self._metrics.freshness_seconds.labels(self._signal).observe(files.age_seconds(segment.path))


def is_transient(error: DatabaseError) -> bool:
    """Whether the same INSERT may succeed later without a change to the segment."""
    if TOO_MANY_DAYS in str(error):
        return False
    return isinstance(error, DatabaseUnavailableError) or error.code in NOT_THE_SEGMENTS_FAULT
