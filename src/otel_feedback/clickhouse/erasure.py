"""Erase a person: their traces and sessions, what they rated and how others rated them, from every table.

Their ids are noted first (``deletions``), so that an erasure which is killed is completed by the next for the same
person. Spans, which find everything else, go last.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from otel_feedback.clickhouse import deletion, old_parts, statements
from otel_feedback.clickhouse.database import Database
from otel_feedback.clickhouse.deletion import NOTES, QUIETLY, Deleted

_NOTING: Final = (
    "erasure/note_traces_of_users.sql",
    "erasure/note_sessions.sql",
    "erasure/note_traces_of_sessions.sql",
    "erasure/note_responses.sql",
    "erasure/note_messages.sql",
)
_EVERY_DAY: Final = "2100-01-01 00:00:00"
_SPANS: Final = "otel_traces"


@dataclass(frozen=True, slots=True)
class Erased:
    """What an erasure removed, or would.

    Attributes:
        old_parts: files with what was removed that ClickHouse has not taken off the disk yet; it does within minutes.
        theirs: those of the traces that were asked about that are the person's.
    """

    tables: list[Deleted]
    old_parts: int
    theirs: list[str]

    @property
    def rows(self) -> int:
        """How many rows went, or had a rating taken out."""
        return sum(each.removed + each.blanked for each in self.tables)


def erase(database: Database, users: Sequence[str], *, dry_run: bool = False, traces: Sequence[str] = ()) -> Erased:
    """Remove every row about these ids of a person, and wait until it is off the disk; ``dry_run`` only counts.

    Traces in which a span names them go as a whole, and the sessions of these in which nobody else is named. On a span
    that stays, somebody else's, their ratings' events alone are taken out. ``traces`` are asked about: are they theirs?
    Reads the attributes of all spans and log records some five times, and writes every part anew that holds such rows.

    Raises:
        DatabaseError: ClickHouse refused it, or did not answer in time; running it again completes it.
    """
    run = deletion.new_run()
    names = {"users": list(users)}
    database.command(statements.load("erasure/note_users.sql"), {"run": run, **names}, settings=QUIETLY)
    former = database.query(statements.load("erasure/former_runs.sql"), names, settings=QUIETLY)
    runs = [run] if dry_run else [row["Run"] for row in former]
    _note(database, run, [row["Run"] for row in former])
    asked = {"runs": runs, "traces": list(traces)}
    theirs = database.query(statements.load("erasure/traces_that_are_theirs.sql"), asked) if traces else []
    everywhere = (*deletion.TABLES, NOTES)
    left = 0
    if dry_run:
        tables = [_counted(database, table, [row["Run"] for row in former]) for table in deletion.TABLES]
        deletion.forget(database, runs)
    else:
        with old_parts.removed_soon(database, everywhere):
            tables = [_erased(database, table, runs) for table in deletion.TABLES]
            deletion.forget(database, runs)
            left = old_parts.wait_until_gone(database, everywhere)
    return Erased(tables, left, [row["TraceId"] for row in theirs])


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
        database.command(
            statements.render("erasure/blank_ratings.sql", condition=condition),
            {"runs": runs, "partition": partition},
            settings=deletion.MUTATION_SETTINGS,
        )
    condition = statements.load(f"conditions/erased_{table}.sql")
    removed = deletion.delete_rows(database, table, condition, {"runs": runs}, within)
    return Deleted(table, removed, sum(blanked.values()))


def _spans_to_blank(database: Database, runs: list[str], within: list[str]) -> dict[str, int]:
    condition = statements.load("conditions/blanked_otel_traces.sql")
    return deletion.count_rows(database, _SPANS, condition, {"runs": runs}, within)
