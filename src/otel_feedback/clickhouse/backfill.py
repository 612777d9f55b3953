"""A materialized view sees what is inserted after it was made. This gives it what was there before."""

from __future__ import annotations

import logging
import re
from typing import Final

from otel_feedback.clickhouse import statements
from otel_feedback.clickhouse.database import Database

logger = logging.getLogger(__name__)

_VIEW: Final = re.compile(
    r"^CREATE MATERIALIZED VIEW IF NOT EXISTS (?P<view>\w+) TO (?P<target>[`.\w-]+) AS\n(?P<select>.*)",
    re.DOTALL | re.MULTILINE,
)
_SOURCE: Final = re.compile(r"^FROM (?P<source>otel_\w+)$", re.MULTILINE)


def fill(database: Database, migration: str) -> None:
    """Run the view of this migration over the rows that its source holds, day by day; nothing if it makes no view.

    A row that comes while this runs may be filled in twice: every table that a view fills folds repeats.

    Raises:
        DatabaseError: ClickHouse refused it; running it again completes it.
    """
    view = _VIEW.search(migration)
    if view is None:
        return
    source = _SOURCE.search(view["select"])
    if source is None:
        raise ValueError(f"{view['view']} reads from no table of OpenTelemetry's")
    days = database.query(statements.load("queries/stored_days.sql"), {"table": source["source"]})
    if not days:
        return
    columns = database.query(statements.render("queries/columns_of_select.sql", select=view["select"]))
    statement = statements.render(
        "schema/fill_from_stored.sql",
        target=view["target"],
        columns=", ".join(f"`{column['name']}`" for column in columns),
        select=view["select"],
    )
    logger.info("%s: filling %s with what %d days hold", view["view"], view["target"], len(days))
    for day in days:
        database.command(statement, settings={"additional_table_filters": {source["source"]: day["Filter"]}})
