"""Delete rows for good: what is about to go is noted first, then rows go table by table, partition by partition.

``erasure`` and ``retention`` say which rows. Their conditions look up ids in the table ``deletions``, by run.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, Literal

from otel_feedback.clickhouse import statements
from otel_feedback.clickhouse.database import Database, Values
from otel_feedback.errors import DatabaseError

TABLES: Final = (
    "llm_call_messages",
    "llm_call_spans",
    "rating_deliveries",
    "otel_logs",
    "otel_traces_trace_id_ts",
    "otel_traces",
)
"""Every table that holds what came in, in the order in which rows go: spans, which find everything else, are last."""

NOTES: Final = "deletions"
MUTATION_SETTINGS: Final[Values] = {"mutations_sync": 0, "allow_nondeterministic_mutations": 1, "log_queries": 0}
"""Replicas would call what a subquery finds nondeterministic; notes do not change meanwhile."""
QUIETLY: Final[Values] = {"log_queries": 0}
"""A server's query log must not keep whom an erasure is about."""

FAILING_SECONDS: Final = 60.0
_POLL_SECONDS: Final = 0.1
_NO_SUCH_PART: Final = 232


@dataclass(frozen=True, slots=True)
class Deleted:
    """What went from one table: rows, and ratings' events that were taken out of rows which stay."""

    table: str
    removed: int
    blanked: int = 0


def new_run(purpose: Literal["sweep", "erasure"]) -> str:
    """A name for a deletion, which no other has."""
    return f"{purpose}-{secrets.token_hex(8)}"


def forget_stale(database: Database) -> None:
    """Forget what deletions noted that will never be completed, because they had removed nothing, or all.

    Raises:
        DatabaseError: ClickHouse refused it.
    """
    forget(database, [row["Run"] for row in database.query(statements.load("deletion/stale_runs.sql"))])


def mark(database: Database, run: str, kind: Literal["ready", "erasing"]) -> None:
    """Note that from now on this deletion is to be completed, by whomever.

    Raises:
        DatabaseError: ClickHouse refused it.
    """
    database.command(statements.load("deletion/note_mark.sql"), {"run": run, "mark": kind})


def partitions(database: Database, table: str, before: str) -> tuple[list[str], list[str]]:
    """All partitions of a table, and those that may hold rows from before a moment (UTC).

    Raises:
        DatabaseError: ClickHouse refused the query.
    """
    rows = database.query(statements.load("deletion/partitions.sql"), {"table": table, "before": before})
    return [row["Partition"] for row in rows], [row["Partition"] for row in rows if row["IsOld"]]


def count_rows(
    database: Database, table: str, condition: str, parameters: Values, within: Iterable[str]
) -> dict[str, int]:
    """How many rows meet the condition, by partition; those without any are left out.

    Raises:
        DatabaseError: ClickHouse refused the query.
    """
    statement = statements.render("deletion/count_rows.sql", table=table, condition=condition)
    rows = database.query(statement, {**parameters, "partitions": list(within)}, settings=QUIETLY)
    return {row["Partition"]: int(row["Rows"]) for row in rows}


def delete_rows(
    database: Database, table: str, condition: str, parameters: Values, within: Iterable[str], *, at_once: int
) -> int:
    """Delete the rows in these partitions that meet the condition, and wait for it; how many they were.

    A partition of which every row goes is dropped part by part, so that what is inserted meanwhile stays. Others have
    the parts that hold such rows written anew, ``at_once`` of them at a time: the embedded engine takes ten seconds
    to begin, and each holds the noted ids in memory. Old parts stay on disk for a while: see ``old_parts``.

    Raises:
        DatabaseError: ClickHouse refused it, or can't finish it; running it again completes it.
    """
    statement = statements.render("deletion/delete_rows.sql", table=table, condition=condition)
    found = count_rows(database, table, condition, parameters, within)
    begun = 0
    for partition, rows in found.items():
        if not _drop_parts(database, table, partition, condition, {**parameters, "rows": rows}):
            database.command(statement, {**parameters, "partition": partition}, settings=MUTATION_SETTINGS)
            begun += 1
            if begun % at_once == 0:
                wait_for_mutations(database, table)
    if begun:
        wait_for_mutations(database, table)
    return sum(found.values())


def wait_for_mutations(database: Database, table: str) -> None:
    """Wait until the table's mutations that are under way now are done.

    One that another deletion broke off, by dropping a part, is taken up again by ClickHouse itself.

    Raises:
        DatabaseError: one of them has failed for FAILING_SECONDS.
    """
    mine = None
    failing_since: float | None = None
    while True:
        rows = database.query(statements.load("deletion/mutations.sql"), {"table": table})
        under_way = {row["Mutation"]: row["Reason"] for row in rows if mine is None or row["Mutation"] in mine}
        mine = set(under_way)
        if not mine:
            return
        reasons = [reason for reason in under_way.values() if reason]
        failing_since = (failing_since or time.monotonic()) if reasons else None
        if failing_since is not None and time.monotonic() - failing_since > FAILING_SECONDS:
            raise DatabaseError(f"{table} can't be written anew: {reasons[0]}")
        time.sleep(_POLL_SECONDS)


def _drop_parts(database: Database, table: str, partition: str, condition: str, parameters: dict[str, Any]) -> bool:
    """Whether every row of the partition met the condition, and all of its parts are gone."""
    place = {"table": table, "partition": partition}
    parts = {row["Part"]: int(row["Rows"]) for row in database.query(statements.load("deletion/parts.sql"), place)}
    if sum(parts.values()) != parameters.pop("rows"):
        return False
    counted = statements.render("deletion/count_rows_of_parts.sql", table=table, condition=condition)
    (row,) = database.query(counted, {**parameters, "parts": list(parts)}, settings=QUIETLY)
    if row["Rows"] != sum(parts.values()):
        return False
    statement = statements.render("deletion/drop_part.sql", table=table)
    try:
        for part in parts:
            database.command(statement, {"part": part})
    except DatabaseError as error:
        if error.code != _NO_SUCH_PART:
            raise
        return False  # a merge has taken it in, or another deletion dropped it
    return True


def forget(database: Database, runs: Iterable[str]) -> None:
    """Forget what these deletions were about: they have ended.

    Raises:
        DatabaseError: ClickHouse refused it.
    """
    for run in runs:
        database.command(statements.load("deletion/forget_run.sql"), {"run": run})
