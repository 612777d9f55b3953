"""Delete what has passed its time: unrated traces after OTEL_FEEDBACK_RETENTION, rated ones after _RETENTION_RATED.

A trace is as old as its newest span and goes as a whole, with the log records and everything else that names it.
Whether it is rated is asked when it would go, so a rating may come at any time before. docs/adr/0017 says why no TTL
does this.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from otel_feedback.clickhouse import deletion, statements
from otel_feedback.clickhouse.cluster import ClusterDatabase
from otel_feedback.clickhouse.database import Database, Values
from otel_feedback.clickhouse.deletion import Deleted
from otel_feedback.settings import Settings

logger = logging.getLogger(__name__)

TIME_COLUMNS: Final = {
    "llm_call_messages": "Timestamp",
    "llm_call_spans": "Timestamp",
    "otel_logs": "Timestamp",
    "otel_traces_trace_id_ts": "End",
    "otel_traces": "Timestamp",
}
_FOUND_IN: Final = ("otel_traces", "otel_logs", "llm_call_spans", "otel_traces_trace_id_ts")
"""Where traces are looked for, by partitions of days and weeks. All else of a trace came with one of these."""
_WITHOUT_TRACES: Final = ("otel_logs", "otel_traces")
_AT_ONCE: Final = 4
"""Partitions; the first sweep over a large backlog notes millions of traces."""
_LARGEST_STEP_SECONDS: Final = 86_400
_SQL_TIME: Final = "%Y-%m-%d %H:%M:%S"


@dataclass(frozen=True, slots=True)
class Limits:
    """Moments in UTC: what is from before them goes, unrated or rated. 1970 for what is kept for ever."""

    unrated_before: str
    rated_before: str

    @classmethod
    def at(cls, now_unix: float, settings: Settings) -> Limits:
        """The limits at a moment. They move in steps of a tenth of the retention, of a day at most.

        So nothing lives a day longer than it has to, and a day's rows are written anew once, not at every sweep.
        What is rated never goes before what is not.
        """
        unrated, rated = settings.retention_seconds, settings.retention_rated_seconds
        if not unrated or not rated:
            rated = 0
        return cls(_before(now_unix, unrated), _before(now_unix, max(unrated, rated) if rated else 0))


def _before(now_unix: float, retention_seconds: int) -> str:
    step = max(1, min(_LARGEST_STEP_SECONDS, retention_seconds // 10))
    limit = int(now_unix - retention_seconds) // step * step if retention_seconds else 0
    return datetime.fromtimestamp(max(0, limit), UTC).strftime(_SQL_TIME)


def sweep(
    database: Database, settings: Settings, *, now_unix: float | None = None, dry_run: bool = False
) -> list[Deleted]:
    """Delete what has passed its time, or only count it; how many rows of each table that is.

    Safe beside INSERTs and other sweeps. One that was killed is completed by the next. Where nothing has expired it
    costs a pass over the ratings, and over the trace ids of what is left in old partitions. Of a cluster each node
    that answers sweeps its own share; the ratings that keep traces are those of all shards.

    Raises:
        DatabaseError: ClickHouse refused it, or did not answer in time; the next sweep completes it.
    """
    limits = Limits.at(time.time() if now_unix is None else now_unix, settings)
    if not isinstance(database, ClusterDatabase):
        return _sweep(database, limits, dry_run=dry_run)
    rows = dict.fromkeys(deletion.TABLES, 0)
    for node in database.nodes(database.members()):
        try:
            for each in _sweep(node.shard, limits, dry_run=dry_run):
                rows[each.table] += each.removed
        finally:
            node.close()
    return [Deleted(table, removed) for table, removed in rows.items()]


def _sweep(database: Database, limits: Limits, *, dry_run: bool) -> list[Deleted]:
    deletion.forget_stale(database)
    run = deletion.new_run("sweep")
    _note(database, run, limits)
    if dry_run:
        counted = [_delete(database, table, [run], limits, dry_run=True) for table in deletion.TABLES]
        deletion.forget(database, [run])
        return counted
    deletion.mark(database, run, "ready")
    runs = [row["Run"] for row in database.query(statements.load("deletion/ready_runs.sql"))]
    deleted = [_delete(database, table, runs, limits, dry_run=False) for table in deletion.TABLES]
    deletion.forget(database, runs)
    return deleted


def _note(database: Database, run: str, limits: Limits) -> None:
    old = {table: deletion.partitions(database, table, limits.unrated_before)[1] for table in _FOUND_IN}
    if not any(old.values()):
        return
    database.command(
        statements.load("retention/keep_rated_traces.sql"), {"run": run, "rated_before": limits.rated_before}
    )
    noted = {"run": run, "before": limits.unrated_before}
    for table, old_partitions in old.items():
        time_column = TIME_COLUMNS[table]
        unkept = statements.render("conditions/unkept_rows.sql", time=time_column)
        statement = statements.render("retention/note_expired_traces.sql", table=table, time=time_column)
        for partition in deletion.count_rows(database, table, unkept, noted, old_partitions):
            database.command(statement, {**noted, "partition": partition})


def _delete(database: Database, table: str, runs: list[str], limits: Limits, *, dry_run: bool) -> Deleted:
    condition, parameters, within = _what_goes(database, table, runs, limits)
    if dry_run:
        counts = deletion.count_rows(database, table, condition, parameters, within)
        return Deleted(table, sum(counts.values()))
    return Deleted(table, deletion.delete_rows(database, table, condition, parameters, within, at_once=_AT_ONCE))


def _what_goes(database: Database, table: str, runs: list[str], limits: Limits) -> tuple[str, Values, list[str]]:
    """The condition for rows of a table, its parameters, and the partitions in which there may be some."""
    if table == "rating_deliveries":
        within, _ = deletion.partitions(database, table, limits.rated_before)
        return statements.load("conditions/expired_ratings.sql"), {"rated_before": limits.rated_before}, within
    (noted,) = database.query(statements.load("deletion/count_noted.sql"), {"runs": runs})
    every, old = deletion.partitions(database, table, limits.unrated_before)
    within = every if noted["Traces"] else old if table in _WITHOUT_TRACES else []
    condition = statements.render("conditions/expired_rows.sql", time=TIME_COLUMNS[table])
    return condition, {"runs": runs, "before": limits.unrated_before}, within
