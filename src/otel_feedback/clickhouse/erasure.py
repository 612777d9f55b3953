"""Erase a person: their traces and sessions, what they rated and how others rated them, from every table.

Their ids are noted first (``deletions``), so that an erasure which is killed is completed by the next for the same
person. Spans, which find everything else, go last.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from otel_feedback.clickhouse import deletion, old_parts, statements
from otel_feedback.clickhouse.cluster import ClusterDatabase
from otel_feedback.clickhouse.database import Database
from otel_feedback.clickhouse.deletion import NOTES, QUIETLY, Deleted
from otel_feedback.errors import ConfigurationError

_NOTING: Final = (
    "erasure/note_traces_of_users.sql",
    "erasure/note_sessions.sql",
    "erasure/note_traces_of_sessions.sql",
    "erasure/note_responses.sql",
    "erasure/note_messages.sql",
)
_EVERY_DAY: Final = "2100-01-01 00:00:00"
_AT_ONCE: Final = 100
"""Partitions; what is noted of one person is little."""
_SPANS: Final = "otel_traces"
_TABLES: Final = ("insight_findings", *deletion.TABLES)
"""What came in, and what was found in it."""


@dataclass(frozen=True, slots=True)
class Erased:
    """What an erasure removed, or would.

    Attributes:
        old_parts: parts with what was removed that ClickHouse has not taken off the disk yet; it does within minutes.
        theirs: those of the ids that were asked about that are traces and sessions of the person.
    """

    tables: list[Deleted]
    old_parts: int
    theirs: list[str]


def erase(database: Database, users: Sequence[str], *, dry_run: bool = False, ids: Sequence[str] = ()) -> Erased:
    """Remove every row about these ids of a person, and wait until it is off the disk; ``dry_run`` only counts.

    Traces in which a span names them go as a whole, and the sessions of these in which nobody else is named. On a span
    that stays, somebody else's, their ratings' events alone are taken out. ``ids`` are traces and sessions to ask
    about. Reads the attributes of all spans and log records some eight times, and writes parts with such rows anew.

    Raises:
        ConfigurationError: the database is a cluster's.
        DatabaseError: ClickHouse refused it, or did not answer in time; running it again completes it.
    """
    if isinstance(database, ClusterDatabase):
        raise ConfigurationError(
            "a person can't be erased from a cluster by one command: sessions lie on several shards. docs/cluster.md "
            "tells which statements to run"
        )
    deletion.forget_stale(database)
    run = deletion.new_run("erasure")
    names = {"users": list(users)}
    database.command(statements.load("erasure/note_users.sql"), {"run": run, **names}, settings=QUIETLY)
    if not dry_run:
        deletion.mark(database, run, "erasing")
    former = database.query(statements.load("erasure/former_runs.sql"), names, settings=QUIETLY)
    runs = [row["Run"] for row in former]
    _note(database, run, runs)
    theirs = _theirs(database, runs, ids)
    if dry_run:
        tables = [_counted(database, table, runs) for table in _TABLES]
        deletion.forget(database, [run])
        return Erased(tables, 0, theirs)
    everywhere = (*_TABLES, NOTES)
    with old_parts.removed_soon(database, everywhere):
        tables = [_erased(database, table, runs) for table in _TABLES]
        deletion.forget(database, runs)
        left = old_parts.wait_until_gone(database, everywhere)
    return Erased(tables, left, theirs)


def _theirs(database: Database, runs: list[str], ids: Sequence[str]) -> list[str]:
    if not ids:
        return []
    asked = {"runs": runs, "ids": list(ids)}
    return [row["Id"] for row in database.query(statements.load("erasure/ids_that_are_theirs.sql"), asked)]


def _note(database: Database, run: str, runs: list[str]) -> None:
    parameters = {"run": run, "runs": runs}
    for name in _NOTING:
        database.command(statements.load(name), parameters)
    spans = statements.load(f"conditions/erased_{_SPANS}.sql")
    database.command(statements.render("erasure/note_traces_of_carriers.sql", condition=spans), parameters)


def _counted(database: Database, table: str, runs: list[str]) -> Deleted:
    within, _ = deletion.partitions(database, table, _EVERY_DAY)
    removed = deletion.count_rows(
        database, table, statements.load(f"conditions/erased_{table}.sql"), {"runs": runs}, within
    )
    blanked = _spans_to_blank(database, runs, within) if table == _SPANS else {}
    return Deleted(table, sum(removed.values()), sum(blanked.values()))


def _erased(database: Database, table: str, runs: list[str]) -> Deleted:
    within, _ = deletion.partitions(database, table, _EVERY_DAY)
    blanked = _spans_to_blank(database, runs, within) if table == _SPANS else {}
    for partition in blanked:
        condition = statements.load("conditions/blanked_otel_traces.sql")
        statement = statements.render("erasure/blank_ratings.sql", condition=condition)
        parameters = {"runs": runs, "partition": partition}
        database.command(statement, parameters, settings=deletion.MUTATION_SETTINGS)
    condition = statements.load(f"conditions/erased_{table}.sql")
    removed = deletion.delete_rows(database, table, condition, {"runs": runs}, within, at_once=_AT_ONCE)
    if blanked:
        deletion.wait_for_mutations(database, table)
    return Deleted(table, removed, sum(blanked.values()))


def _spans_to_blank(database: Database, runs: list[str], within: list[str]) -> dict[str, int]:
    condition = statements.load("conditions/blanked_otel_traces.sql")
    return deletion.count_rows(database, _SPANS, condition, {"runs": runs}, within)
