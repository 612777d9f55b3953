"""Move closed segments into ClickHouse: claim, INSERT with the segment's token, remove; or reject with a reason."""

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
from otel_feedback.service.flat_segment import flat_segment
from otel_feedback.service.telemetry import Counters

logger = logging.getLogger(__name__)

ATTEMPTS_BEFORE_REJECTING: Final = 5
FIRST_PAUSE_SECONDS: Final = 0.1
LONGEST_PAUSE_SECONDS: Final = 10.0

# ClickHouse's error codes that speak of the server's state, not of the segment; waiting helps, or a person does.
NOT_THE_SEGMENTS_FAULT: Final = frozenset(
    {
        60,  # UNKNOWN_TABLE: not migrated (yet)
        81,  # UNKNOWN_DATABASE
        159,  # TIMEOUT_EXCEEDED
        164,  # READONLY
        202,  # TOO_MANY_SIMULTANEOUS_QUERIES
        209,  # SOCKET_TIMEOUT
        210,  # NETWORK_ERROR
        225,  # NO_ZOOKEEPER
        236,  # ABORTED
        241,  # MEMORY_LIMIT_EXCEEDED
        242,  # TABLE_IS_READ_ONLY
        243,  # NOT_ENOUGH_SPACE
        252,  # TOO_MANY_PARTS
        285,  # TOO_FEW_LIVE_REPLICAS
        319,  # UNKNOWN_STATUS_OF_INSERT
        394,  # QUERY_WAS_CANCELLED
        425,  # SYSTEM_ERROR
        497,  # ACCESS_DENIED
        516,  # AUTHENTICATION_FAILED
        999,  # KEEPER_EXCEPTION
    }
)


class SegmentStore(Protocol):
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

    def __init__(self, signal: Signal, queue: DurableQueue, database: SegmentStore, counters: Counters) -> None:
        self._signal = signal
        self._queue = queue
        self._database = database
        self._counters = counters
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
            while not self._hurry.is_set():
                try:
                    self._write(segment)
                    break
                except OSError as error:
                    # Removing or moving the file failed; the database knows by the token whether it has the rows.
                    logger.error("%s: %s; trying again", segment.path, error)  # noqa: TRY400  # the text says it all
                    self._hurry.wait(LONGEST_PAUSE_SECONDS)

    def _write(self, segment: Claimed) -> None:
        """Write one segment until it is stored or rejected, or the service stops.

        After a failure, of this process or a former one, some tables may have the rows and others not. The same INSERT
        under the same token completes it; whether rows are there says nothing. Only where ClickHouse may have forgotten
        the token is it asked for rows first, and only before the first INSERT.
        """
        is_in_doubt = segment.is_in_doubt
        refusals = 0
        pause_seconds = FIRST_PAUSE_SECONDS
        while not self._hurry.is_set():
            try:
                if is_in_doubt and self._database.segment_is_stored(self._signal, segment.token):
                    self._counters.add("segments_already_stored_total", signal=self._signal)
                else:
                    is_in_doubt = False
                    self._insert(segment)
                    self._counters.add("segments_written_total", signal=self._signal)
            except DatabaseError as error:
                self._counters.add("insert_failures_total", signal=self._signal)
                refusals += not is_transient(error)
                if refusals >= ATTEMPTS_BEFORE_REJECTING:
                    self._reject(segment, error)
                    return
                logger.warning("%s is not stored yet, trying again in %.1f s: %s", segment.path, pause_seconds, error)
            else:
                self._queue.remove(segment)
                return
            self._hurry.wait(pause_seconds)
            pause_seconds = min(pause_seconds * 2, LONGEST_PAUSE_SECONDS)

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
        copy = segment.path.with_suffix(files.UNFINISHED_SUFFIX)
        try:
            copy.write_bytes(flat)
            self._database.insert_segment(self._signal, copy, segment.token)
        finally:
            copy.unlink(missing_ok=True)

    def _reject(self, segment: Claimed, error: DatabaseError) -> None:
        reason = (
            f"ClickHouse refused the {self._signal} segment {segment.token} {ATTEMPTS_BEFORE_REJECTING} times "
            f"(code {error.code}), last at {time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())}: {error}"
        )
        kept = self._queue.reject(segment, reason)
        self._counters.add("segments_rejected_total", signal=self._signal)
        logger.error("%s. It is kept in %s", reason, kept)


def is_transient(error: DatabaseError) -> bool:
    """Whether the same INSERT may succeed later without a change to the segment."""
    return isinstance(error, DatabaseUnavailableError) or error.code in NOT_THE_SEGMENTS_FAULT
