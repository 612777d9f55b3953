"""Asks the database the named queries, off the event loop and within limits."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

import anyio
import anyio.to_thread

from otel_feedback.clickhouse import statements
from otel_feedback.clickhouse.database import Database

PAGE_LIMITS: Final[dict[str, Any]] = {"max_execution_time": 15, "max_memory_usage": 2 << 30}
"""Seconds and bytes that one query of a page may take: a page must never take the engine away from ingest."""
SQL_LIMITS: Final[dict[str, Any]] = {"max_execution_time": 300, "max_memory_usage": 4 << 30}
CONCURRENT_QUERIES: Final = 4


class Questions:
    """The named queries of the dashboard. At most four run at once; more requests wait their turn."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._limiter = anyio.CapacityLimiter(CONCURRENT_QUERIES)

    async def rows(self, name: str, /, **parameters: Any) -> list[dict[str, Any]]:
        """The rows that ``queries/{name}.sql`` answers, read-only and within PAGE_LIMITS.

        Raises:
            DatabaseError: ClickHouse refused it or gave up at a limit.
        """
        statement = statements.load(f"queries/{name}.sql")
        ask = partial(self._database.query, statement, parameters, settings=PAGE_LIMITS)
        return await anyio.to_thread.run_sync(ask, limiter=self._limiter)

    async def row(self, name: str, /, **parameters: Any) -> dict[str, Any]:
        """The first row of a query, or an empty dictionary."""
        rows = await self.rows(name, **parameters)
        return rows[0] if rows else {}

    async def raw(self, sql: str, parameters: dict[str, Any], *, format_name: str, write: bool) -> bytes:
        """The bytes of an ad-hoc statement in a ClickHouse format, within SQL_LIMITS.

        Raises:
            DatabaseError: ClickHouse refused it, for one because it writes and ``write`` is False.
        """
        ask = partial(
            self._database.raw, sql, parameters, format_name=format_name, settings=SQL_LIMITS, readonly=not write
        )
        return await anyio.to_thread.run_sync(ask, limiter=self._limiter)

    async def ping(self) -> None:
        """Return if the database answers.

        Raises:
            DatabaseError: it does not.
        """
        await anyio.to_thread.run_sync(self._database.ping, limiter=self._limiter)
