"""Bring the schema up to date: every numbered migration that this database does not have yet, in order."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Final

from otel_feedback.clickhouse import backfill, statements
from otel_feedback.clickhouse.database import Database
from otel_feedback.errors import SchemaVersionError
from otel_feedback.settings import Settings

logger = logging.getLogger(__name__)

UNMATCHED_AFTER: Final = "unmatched_after_seconds"


@dataclass(frozen=True, slots=True)
class Migrated:
    """The schema's version before and after."""

    before: int
    after: int


def migrate(database: Database, settings: Settings) -> Migrated:
    """Create the database, run what is missing, and tell the views the settings that they need.

    Safe to run twice, and by two processes at once: each statement does nothing where its object is there already.
    Tables that a Collector's exporter made are taken over with their rows.

    Raises:
        SchemaVersionError: the database holds a newer schema than this version knows.
        DatabaseError: ClickHouse refused a statement; the versions before it are in place.
    """
    database.create()
    database.command(statements.load("schema/create_schema_migrations.sql"))
    before = applied_version(database)
    newest = statements.migrations()[-1][0]
    if before > newest:
        raise SchemaVersionError(
            f"Schema is at {before:04}, this version of otel-feedback knows up to {newest:04}. "
            "Install the version that made it, or a newer one"
        )
    for version, name in statements.migrations():
        if version > before:
            migration = statements.load(name)
            database.command(migration)
            backfill.fill(database, migration)
            database.command(
                statements.load("schema/record_migration.sql"), {"version": version, "name": name.rpartition("/")[2]}
            )
    if newest > before:
        logger.info("schema migrated from %04d to %04d", before, newest)
    database.command(
        statements.load("schema/record_setting.sql"),
        {"name": UNMATCHED_AFTER, "value": str(settings.unmatched_after_seconds)},
    )
    return Migrated(before, newest)


def applied_version(database: Database) -> int:
    """The newest migration that this database has; 0 for none.

    Raises:
        DatabaseError: ClickHouse refused the query, for one because there is no such database.
    """
    (row,) = database.query(statements.load("queries/schema_version.sql"))
    return int(row["Version"])
