"""Which migrations a database has, and what the views are told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from otel_feedback.clickhouse import statements
from otel_feedback.clickhouse.database import Database
from otel_feedback.errors import DatabaseError, SchemaVersionError
from otel_feedback.settings import Settings

_NOT_THERE: Final = {60, 81, 497}  # UNKNOWN_TABLE, UNKNOWN_DATABASE; ACCESS_DENIED, which may hide them
UNMATCHED_AFTER: Final = "unmatched_after_seconds"


@dataclass(frozen=True, slots=True)
class Migrated:
    """The schema's version before and after."""

    before: int
    after: int


def applied_version(database: Database) -> int:
    """The newest migration that this database has; 0 for none.

    Raises:
        DatabaseError: ClickHouse refused the query, for one because there is no such database.
    """
    (row,) = database.query(statements.load("queries/schema_version.sql"))
    return int(row["Version"])


def found_version(database: Database) -> int | None:
    """As ``applied_version``; None where there is no such database, or no tables of ours in it.

    Raises:
        DatabaseError: ClickHouse refused the query.
    """
    try:
        return applied_version(database)
    except DatabaseError as error:
        if error.code in _NOT_THERE:
            return None
        raise


def newest_version() -> int:
    """The newest migration that there is."""
    return statements.migrations()[-1][0]


def refuse_newer(version: int) -> None:
    """Return if this version of otel-feedback knows that schema.

    Raises:
        SchemaVersionError: it does not.
    """
    newest = newest_version()
    if version > newest:
        raise SchemaVersionError(
            f"Schema is at {version:04}, this version of otel-feedback knows up to {newest:04}. "
            "Install the version that made it, or a newer one"
        )


def record(database: Database, version: int, name: str) -> None:
    """Note that the database has this migration, of which ``name`` is the file."""
    values = {"version": version, "name": name.rpartition("/")[2]}
    database.command(statements.load("schema/record_migration.sql"), values)


def tell_settings(database: Database, settings: Settings) -> None:
    """Tell the views the settings that they need."""
    values = {"name": UNMATCHED_AFTER, "value": str(settings.unmatched_after_seconds)}
    database.command(statements.load("schema/record_setting.sql"), values)
