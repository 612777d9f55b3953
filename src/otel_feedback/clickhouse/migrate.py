"""Bring the schema up to date: every numbered migration that this database does not have yet, in order."""

from __future__ import annotations

import logging

from otel_feedback.clickhouse import backfill, cluster_migrate, statements
from otel_feedback.clickhouse.cluster import ClusterDatabase
from otel_feedback.clickhouse.database import Database
from otel_feedback.clickhouse.schema_version import (
    Migrated,
    applied_version,
    newest_version,
    record,
    refuse_newer,
    tell_settings,
)
from otel_feedback.settings import Settings

__all__ = ["Migrated", "applied_version", "migrate"]

logger = logging.getLogger(__name__)


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
    database.create()
    database.command(statements.load("schema/create_schema_migrations.sql"))
    before, newest = applied_version(database), newest_version()
    refuse_newer(before)
    for version, name in statements.migrations():
        if version > before:
            migration = statements.load(name)
            database.command(migration)
            backfill.fill(database, migration)
            record(database, version, name)
    if newest > before:
        logger.info("schema migrated from %04d to %04d", before, newest)
    tell_settings(database, settings)
    return Migrated(before, newest)
