"""The other end of ``/api/sql``, and the way around it while no service runs.

The embedded engine belongs to one process: while a service has it, the service is asked; a server is asked directly.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from otel_feedback.clickhouse.connect import connect
from otel_feedback.clickhouse.embedded import EmbeddedDatabase
from otel_feedback.dashboard.questions import SQL_LIMITS
from otel_feedback.errors import DatabaseError, DatabaseUnavailableError
from otel_feedback.running_service import ServiceState, find_service
from otel_feedback.settings import Settings

_TIMEOUT_SECONDS: Final = SQL_LIMITS["max_execution_time"] + 30
_without_proxy: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # the service is on this machine


def ask(
    settings: Settings, statement: str, parameters: Mapping[str, str], *, format_name: str, write: bool = False
) -> bytes:
    """The answer's bytes in a ClickHouse format.

    Raises:
        DatabaseError: ClickHouse refused the statement, or can't be asked.
    """
    database = connect(settings.database_url, settings.cluster)
    try:
        if isinstance(database, EmbeddedDatabase):
            service = find_service(settings.data_dir)
            if service is not None:
                return _ask_service(service, statement, parameters, format_name=format_name, write=write)
            _check_that_it_is_there(database.directory)
        return database.raw(statement, parameters, format_name=format_name, settings=SQL_LIMITS, readonly=not write)
    finally:
        database.close()


def _check_that_it_is_there(directory: Path) -> None:
    if not directory.exists():
        raise DatabaseUnavailableError(
            f"There is no database at {directory}. Start `otel-feedback serve` (or `make demo`) first, run this in the "
            "directory where it was started, or set OTEL_FEEDBACK_DATA_DIR"
        )


def _ask_service(
    service: ServiceState, statement: str, parameters: Mapping[str, Any], *, format_name: str, write: bool
) -> bytes:
    content = {"query": statement, "parameters": dict(parameters), "format": format_name, "write": write}
    request = urllib.request.Request(  # noqa: S310  # the service's own address, http:// always
        f"{service.dashboard}/api/sql",
        data=json.dumps(content).encode(),
        headers={"Authorization": f"Bearer {service.api_token}", "Content-Type": "application/json"},
    )
    try:
        with _without_proxy.open(request, timeout=_TIMEOUT_SECONDS) as answer:
            return bytes(answer.read())
    except urllib.error.HTTPError as error:
        raise _refusal(error) from None
    except OSError as error:
        raise DatabaseUnavailableError(
            f"The service (pid {service.pid}) does not answer at {service.dashboard}: {error}. See its log"
        ) from None


def _refusal(error: urllib.error.HTTPError) -> DatabaseError:
    try:
        told = json.loads(error.read())["error"]
        code, message = str(told["code"]), str(told["message"])
    except (ValueError, KeyError, TypeError):
        return DatabaseError(f"The service answered with HTTP status {error.code}")
    return DatabaseError(message, code=int(code) if code.isdigit() else 0)
