"""The schema as ClickHouse tells it, for people to read: ``src/otel_feedback/clickhouse/sql/schema.sql``."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import otel_feedback
from otel_feedback.clickhouse import statements
from otel_feedback.clickhouse.database import Database

FILE: Final = Path(otel_feedback.__file__).parent / "clickhouse" / "sql" / "schema.sql"
VARIABLE: Final = "OTEL_FEEDBACK_WRITE_SCHEMA"
HOW_TO_WRITE_IT: Final = f"{VARIABLE}=1 .venv/bin/pytest tests/integration/clickhouse/test_migrate.py -k schema_sql"
_HEADER: Final = f"""\
-- Generated: what the migrations make, as ClickHouse tells it. Nothing runs this file; it is for reading, and shows in
-- a diff what a migration changes. Why things are so is told in the migrations. Written by
--   {HOW_TO_WRITE_IT}
"""
_CREATED: Final = re.compile(r"^CREATE (?:TABLE|VIEW|MATERIALIZED VIEW) IF NOT EXISTS (\w+)", re.MULTILINE)
_SECURITY: Final = re.compile(r"\n?(?:DEFINER = \S+ )?SQL SECURITY \w+|\nDEFINER = \S+ SQL SECURITY \w+")


def schema_text(database: Database) -> str:
    """Every table and view in the order in which the migrations make them."""
    told = {
        row["name"]: row["statement"]
        for row in database.query(
            "SELECT name, formatQuery(create_table_query) AS statement FROM system.tables"
            " WHERE database = currentDatabase() AND NOT startsWith(name, '.inner')"
        )
    }
    migrated = "\n".join(statements.load(name) for _, name in statements.migrations())
    order = ["schema_migrations", *_CREATED.findall(migrated)]
    assert sorted(order) == sorted(told), "what the migrations make is not what is there"
    return _HEADER + "".join(f"\n{_readable(told[name], database.name)};\n" for name in order)


def _readable(statement: str, database: str) -> str:
    """Without the database's and the migrating user's name."""
    return _SECURITY.sub("", re.sub(rf"\b{re.escape(database)}\.", "", statement))
