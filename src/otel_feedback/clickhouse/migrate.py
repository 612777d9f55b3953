"""Bring the schema up to date: every numbered migration that this database does not have yet, in order."""

from __future__ import annotations

import logging
from typing import Final

from otel_feedback.clickhouse import backfill, cluster_migrate, statements
from otel_feedback.clickhouse.cluster import ClusterDatabase
from otel_feedback.clickhouse.database import Database
from otel_feedback.clickhouse.schema_version import (
    Migrated,
    applied_version,
    found_version,
    newest_version,
    record,
    refuse_newer,
    tell_settings,
)
from otel_feedback.errors import DatabaseError
from otel_feedback.settings import Settings

__all__ = ["Migrated", "applied_version", "migrate"]

logger = logging.getLogger(__name__)

_ACCESS_DENIED: Final = 497


def migrate(database: Database, settings: Settings) -> Migrated:
    """Create the database, run what is missing, and tell the views the settings that they need.

    Safe to run twice, and by two processes at once: each statement does nothing where its object is there already.
    Tables that a Collector's exporter made are taken over with their rows. Of a cluster all nodes are brought up to
    date.

    Raises:
        SchemaVersionError: the database holds a newer schema than this version knows.
        DatabaseError: ClickHouse refused a statement; the versions before it are in place.
    """
    if isinstance(database, ClusterDatabase):
        return cluster_migrate.migrate(database, settings)
    before, newest = found_version(database), newest_version()
    if before is None or before < newest:
        before = _bring_up_to_date(database, newest)
    refuse_newer(before)
    tell_settings(database, settings)
    return Migrated(before, newest)


def _bring_up_to_date(database: Database, newest: int) -> int:
    """Run what is missing; the version before."""
    try:
        database.create()
        database.command(statements.load("schema/create_schema_migrations.sql"))
        before = applied_version(database)
        for version, name in statements.migrations():
            if version > before:
                migration = statements.load(name)
                database.command(migration)
                backfill.fill(database, migration)
                record(database, version, name)
    except DatabaseError as error:
        if error.code != _ACCESS_DENIED:
            raise
        raise DatabaseError(
            f"This user may not bring the schema to {newest:04}: {error}\nRun `otel-feedback migrate` with the URL of "
            "one who may (docs/deployment.md), then start again",
            code=error.code,
        ) from error
    if newest > before:
        logger.info("schema migrated from %04d to %04d", before, newest)
    return before
