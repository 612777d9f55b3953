"""``otel-feedback migrate``: make or update the database's tables and views."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Final

from otel_feedback.errors import DataDirectoryError
from otel_feedback.settings import Settings

if TYPE_CHECKING:
    from otel_feedback.clickhouse.database import Database

SUMMARY: Final = "make or update the tables and views; `serve` does so by itself"
EXAMPLE: Final = "OTEL_FEEDBACK_DATABASE_URL=clickhouse://otel:secret@localhost:8123/otel otel-feedback migrate"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--dry-run", action="store_true", help="print the SQL, for clickhouse-client, and run nothing")


def run(arguments: argparse.Namespace) -> int:
    """Migrate, and say from which version to which.

    Raises:
        OtelFeedbackError: a service has the embedded database, or the database refused a statement.
    """
    from otel_feedback.clickhouse.cluster import ClusterDatabase  # noqa: PLC0415  # --help needs no database
    from otel_feedback.clickhouse.connect import connect_writer  # noqa: PLC0415  # as above
    from otel_feedback.clickhouse.embedded import EmbeddedDatabase  # noqa: PLC0415  # as above
    from otel_feedback.clickhouse.migrate import migrate  # noqa: PLC0415  # as above
    from otel_feedback.running_service import find_service  # noqa: PLC0415  # as above

    settings = Settings.load()
    database = connect_writer(settings)
    try:
        if arguments.dry_run:
            _print_script(database, settings)
            return 0
        if isinstance(database, EmbeddedDatabase):
            service = find_service(settings.data_dir)
            if service is not None:
                raise DataDirectoryError(
                    f"The service (pid {service.pid}) has the embedded database, and migrated it when it started. "
                    "Stop it to migrate by hand"
                )
        migrated = migrate(database, settings)
    finally:
        database.close()
    where = f" on every node of {settings.cluster}" if isinstance(database, ClusterDatabase) else ""
    if migrated.before == migrated.after:
        print(f"The schema is up to date{where} ({migrated.after:04}).")
    else:
        print(f"The schema went from {migrated.before:04} to {migrated.after:04}{where}.")
    return 0


def _print_script(database: Database, settings: Settings) -> None:
    from otel_feedback.clickhouse.cluster import ClusterDatabase  # noqa: PLC0415  # --help needs no database
    from otel_feedback.clickhouse.cluster_migrate import cluster_as_it_is  # noqa: PLC0415  # as above
    from otel_feedback.clickhouse.migration_script import migration_script  # noqa: PLC0415  # as above

    cluster = cluster_as_it_is(database) if isinstance(database, ClusterDatabase) else None
    for piece in migration_script(database.name, str(settings.unmatched_after_seconds), cluster):
        print(piece, end="")
