"""The other end of ``/api/sql``, and the way around it while no service runs.

The embedded engine belongs to one process: while a service has it, the service is asked; a server is asked directly.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from otel_feedback.clickhouse.connect import connect_reader, connect_writer
from otel_feedback.clickhouse.embedded import EmbeddedDatabase
from otel_feedback.dashboard.api_client import ask_service, check_that_it_is_there
from otel_feedback.dashboard.questions import SQL_LIMITS
from otel_feedback.running_service import find_service
from otel_feedback.settings import Settings

_TIMEOUT_SECONDS: Final = SQL_LIMITS["max_execution_time"] + 30


def ask(
    settings: Settings, statement: str, parameters: Mapping[str, Any], *, format_name: str, write: bool = False
) -> bytes:
    """The answer's bytes in a ClickHouse format; a server is asked as the user who may only read, where one is set.

    Raises:
        DatabaseError: ClickHouse refused the statement, or can't be asked.
    """
    database = connect_writer(settings) if write else connect_reader(settings)
    try:
        if isinstance(database, EmbeddedDatabase):
            service = find_service(settings.data_dir)
            if service is not None:
                content = {"query": statement, "parameters": dict(parameters), "format": format_name, "write": write}
                return ask_service(service, "/api/sql", content, timeout_seconds=_TIMEOUT_SECONDS)
            check_that_it_is_there(database.directory)
        return database.raw(statement, parameters, format_name=format_name, settings=SQL_LIMITS, readonly=not write)
    finally:
        database.close()
