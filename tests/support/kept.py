"""Everything that the tables hold, and what differs between two moments."""

from __future__ import annotations

from typing import Any, Final

from otel_feedback.clickhouse.database import Database
from otel_feedback.clickhouse.deletion import Deleted

COLUMNS: Final = {
    "rating_deliveries": "*, EventId, Precedence",
    "llm_call_spans": "*",
    "llm_call_messages": "*",
    "otel_traces": "*",
    "otel_logs": "*",
    "otel_traces_trace_id_ts FINAL": "*",
    "insight_findings": "*",
}
"""What they show, but for ratings' keys. What each INSERT knew of a trace is shown folded, as it is sooner or later."""


def everything(database: Database, without: tuple[str, ...] = ()) -> dict[str, list[str]]:
    """Each table's rows as texts, sorted; ratings' arrival is left out, since it is another one each time."""
    left_out = {"ReceivedTime", *without}
    return {
        table.removesuffix(" FINAL"): sorted(
            repr([(key, _in_order(key, value)) for key, value in row.items() if key not in left_out])
            for row in database.query(f"SELECT {columns} FROM {table}")  # noqa: S608  # the tables above
        )
        for table, columns in COLUMNS.items()
    }


def _in_order(column: str, value: Any) -> Any:
    """What a merge puts in another order without a difference."""
    return sorted(value) if column == "IndexedMessages" and isinstance(value, list) else value


def counts(database: Database) -> dict[str, int]:
    return {table: len(rows) for table, rows in everything(database).items()}


def removed(deleted: list[Deleted]) -> dict[str, int]:
    """The tables from which something went."""
    return {each.table: each.removed for each in deleted if each.removed}


def trace_ids(database: Database, table: str = "otel_traces") -> set[str]:
    rows: list[dict[str, Any]] = database.query(f"SELECT DISTINCT TraceId FROM {table}")  # noqa: S608  # as above
    return {row["TraceId"] for row in rows}
