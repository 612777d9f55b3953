"""What is deleted stays on the disk for 8 minutes, in the parts that held it. This has it gone at once."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from otel_feedback.clickhouse import statements
from otel_feedback.clickhouse.database import Database

PATIENCE_SECONDS: Final = 60.0
_POLL_SECONDS: Final = 0.5


@contextmanager
def removed_soon(database: Database, tables: Sequence[str]) -> Iterator[None]:
    """While this lasts, parts that are replaced or dropped leave the disk within seconds.

    A process that is killed meanwhile leaves the tables so, which costs an fsync a merge; the next one sets it right.

    Raises:
        DatabaseError: ClickHouse refused it, for one because this user may not change tables.
    """
    for table in tables:
        database.command(statements.render("deletion/remove_old_parts_soon.sql", table=table))
    try:
        yield
    finally:
        for table in tables:
            database.command(statements.render("deletion/remove_old_parts_as_usual.sql", table=table))


def wait_until_gone(database: Database, tables: Sequence[str], patience_seconds: float = PATIENCE_SECONDS) -> int:
    """Wait until the parts that are old now have left the disk; how many of them have not when patience ends.

    Raises:
        DatabaseError: ClickHouse refused it.
    """
    deadline = time.monotonic() + patience_seconds
    first = left = _old_parts(database, tables)
    while left and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
        for table in sorted({table for table, _ in left}):
            database.command(statements.render("deletion/remove_old_parts_now.sql", table=table))
        left = first & _old_parts(database, tables)
    return len(left)


def _old_parts(database: Database, tables: Sequence[str]) -> set[tuple[str, str]]:
    rows = database.query(statements.load("deletion/old_parts.sql"), {"tables": list(tables)})
    return {(row["Table"], row["Part"]) for row in rows}
