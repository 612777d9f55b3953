"""Deletes what has passed its time, a while after a start and then every hour; never in the way of what comes in."""

from __future__ import annotations

import logging
import threading
from typing import Final

from otel_feedback.clickhouse.database import Database
from otel_feedback.clickhouse.retention import sweep
from otel_feedback.errors import ConfigurationError, DatabaseError
from otel_feedback.service.telemetry import RetentionMetrics
from otel_feedback.settings import Settings

logger = logging.getLogger(__name__)

FIRST_SECONDS: Final = 900.0
"""After a start: what waits in the queue is written first, and whoever sees a wrong setting has time to stop it."""
PAUSE_SECONDS: Final = 3600.0


class Sweeper:
    """Sweeps in a thread of its own. A sweep that fails is told and counted, and the next one completes it."""

    def __init__(
        self,
        database: Database,
        settings: Settings,
        metrics: RetentionMetrics,
        *,
        first_seconds: float = FIRST_SECONDS,
        pause_seconds: float = PAUSE_SECONDS,
    ) -> None:
        self._database = database
        self._settings = settings
        self._metrics = metrics
        self._first_seconds = first_seconds
        self._pause_seconds = pause_seconds
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._sweep_now_and_then, name="sweep", daemon=True)

    def start(self) -> None:
        """Begin; the database must be migrated. A database that hangs may hold the thread up as long as it likes."""
        self._thread.start()

    def stop(self, timeout_seconds: float) -> None:
        """Sweep no more; waits for the sweep under way, but no longer than this. It may be killed at any moment."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join(timeout_seconds)

    def _sweep_now_and_then(self) -> None:
        pause_seconds = self._first_seconds
        while not self._stopping.wait(pause_seconds):
            pause_seconds = self._pause_seconds
            try:
                deleted = sweep(self._database, self._settings)
            except (DatabaseError, ConfigurationError) as error:
                self._metrics.failures.inc()
                logger.warning("what has expired could not be deleted, trying again in an hour: %s", error)
                continue
            for each in deleted:
                self._metrics.rows.labels(each.table).inc(each.removed)
            if any(each.removed for each in deleted):
                told = ", ".join(f"{each.removed} of {each.table}" for each in deleted if each.removed)
                logger.info("deleted what has expired: %s row(s)", told)
            self._metrics.last_sweep.set_to_current_time()
