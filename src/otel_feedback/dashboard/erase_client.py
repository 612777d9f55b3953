"""The other end of ``/api/erase``, and the way around it while no service runs, or where there is a server."""

from __future__ import annotations

import dataclasses
import json
from typing import Final

from otel_feedback.clickhouse import statements
from otel_feedback.clickhouse.connect import connect_writer
from otel_feedback.clickhouse.database import Database
from otel_feedback.clickhouse.deletion import Deleted
from otel_feedback.clickhouse.embedded import EmbeddedDatabase
from otel_feedback.clickhouse.erasure import Erased
from otel_feedback.clickhouse.migrate import applied_version
from otel_feedback.dashboard.api_client import ask_service, check_that_it_is_there
from otel_feedback.dashboard.erase_api import EraseRequest, done
from otel_feedback.errors import SchemaVersionError
from otel_feedback.running_service import find_service
from otel_feedback.settings import Settings

_TIMEOUT_SECONDS: Final = 6 * 3600.0
"""Parts of hundreds of gigabytes may have to be written anew."""


def erase_rows(settings: Settings, asked: EraseRequest) -> Erased:
    """Do what is asked for, through the running service or, when none has the database, directly.

    Raises:
        DatabaseError: ClickHouse refused it, or can't be asked; running it again completes it.
        SchemaVersionError: the database was not migrated by this version.
    """
    database = connect_writer(settings)
    try:
        if isinstance(database, EmbeddedDatabase):
            service = find_service(settings.data_dir)
            if service is not None:
                content = dataclasses.asdict(asked)
                return _erased(ask_service(service, "/api/erase", content, timeout_seconds=_TIMEOUT_SECONDS))
            check_that_it_is_there(database.directory)
        _check_schema(database)
        return _erased(json.dumps(done(database, settings, asked)))
    finally:
        database.close()


def _erased(answer: bytes | str) -> Erased:
    content = json.loads(answer)
    return Erased([Deleted(**each) for each in content["tables"]], content["old_parts"], content["theirs"])


def _check_schema(database: Database) -> None:
    newest = statements.migrations()[-1][0]
    version = applied_version(database)
    if version != newest:
        raise SchemaVersionError(
            f"Schema is at {version:04}, this version needs {newest:04}. Run `otel-feedback migrate`, then this again"
        )
