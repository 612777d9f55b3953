"""What ratings the database holds: how many still wait for what they rate, and how people rated in the last day.

Asked now and then, never when Prometheus asks.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable
from typing import Final

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from otel_feedback.clickhouse import statements
from otel_feedback.clickhouse.database import Database
from otel_feedback.errors import DatabaseError
from otel_feedback.service.telemetry import NAMESPACE

logger = logging.getLogger(__name__)

STATES: Final = ("linked", "waiting", "unmatched")
PAUSE_SECONDS: Final = 30.0
PAUSE_PER_QUERY_SECOND: Final = 50.0
"""However many ratings there are, counting them takes no more than a fiftieth of one core."""
LIMITS: Final = {"max_execution_time": 15, "max_threads": 1}

MOST_SERIES: Final = 200
"""Of recent ratings, before the rest is told together: names are strangers' words, and Prometheus keeps each series."""
LABELS: Final = ("service", "model", "name", "label")

_BY_STATE: Final = "queries/ratings_by_state.sql"
_RECENT: Final = "queries/recent_ratings.sql"


class StoredRatings(Collector):
    """Gauges of what was counted last, and when. Before the first count has succeeded they have no value."""

    def __init__(self, database: Database, *, pause_seconds: float = PAUSE_SECONDS) -> None:
        self._database = database
        self._pause_seconds = pause_seconds
        self._counted: tuple[dict[str, int], list[tuple[list[str], int]], float] | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._count_now_and_then, name="count-ratings", daemon=True)

    def start(self) -> None:
        """Count in a thread of its own, which a database that hangs may hold up as long as it likes."""
        self._thread.start()

    def stop(self, timeout_seconds: float) -> None:
        """Count no more; waits for the count under way, but no longer than this."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join(timeout_seconds)

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """What was counted last; costs nothing."""
        ratings = GaugeMetricFamily(
            f"{NAMESPACE}_stored_ratings",
            "Current ratings in the database: linked to what they rate, waiting for it, or unmatched for too long.",
            labels=["state"],
        )
        counted_at = GaugeMetricFamily(
            f"{NAMESPACE}_stored_ratings_timestamp_seconds", "When the stored ratings were counted last."
        )
        recent = GaugeMetricFamily(
            f"{NAMESPACE}_recent_ratings",
            "Current ratings that users gave in the last 24 hours; rare combinations together as other.",
            labels=LABELS,
        )
        if self._counted is not None:
            by_state, of_last_day, time_seconds = self._counted
            for state in STATES:
                ratings.add_metric([state], by_state.get(state, 0))
            for names, count in of_last_day:
                recent.add_metric(names, count)
            counted_at.add_metric([], time_seconds)
        return ratings, recent, counted_at

    def _count_now_and_then(self) -> None:
        while not self._stopping.is_set():
            began = time.monotonic()
            try:
                states = self._database.query(statements.load(_BY_STATE), settings=LIMITS)
                series = {"series": MOST_SERIES}
                recent = self._database.query(statements.load(_RECENT), series, settings=LIMITS) if states else []
            except DatabaseError as error:
                logger.debug("the stored ratings could not be counted: %s", error)
            else:
                of_last_day = [([row[name.capitalize()] for name in LABELS], int(row["Ratings"])) for row in recent]
                self._counted = {row["State"]: row["Ratings"] for row in states}, of_last_day, time.time()
            # A database that is away may take minutes to say so, at no cost to it.
            took_seconds = min(time.monotonic() - began, LIMITS["max_execution_time"])
            self._stopping.wait(max(self._pause_seconds, took_seconds * PAUSE_PER_QUERY_SECOND))
