"""Asks the database the named queries, off the event loop and within limits."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from functools import partial
from typing import Any, Final

import anyio
import anyio.to_thread

from otel_feedback.clickhouse import statements
from otel_feedback.clickhouse.database import Database
from otel_feedback.clickhouse.filled import filled
from otel_feedback.dashboard.kept_answers import Answer, KeptAnswers

PAGE_LIMITS: Final[Mapping[str, Any]] = {
    "max_execution_time": 15,
    "max_memory_usage": 2 << 30,
    "max_rows_to_read": 2_000_000_000,
    "max_result_rows": 100_000,
    "max_result_bytes": 256 << 20,
}
"""Seconds, bytes and rows that one query of a page may take: a page must never take the engine away from ingest."""
SQL_LIMITS: Final[dict[str, Any]] = {"max_execution_time": 300, "max_memory_usage": 4 << 30}
CONCURRENT_QUERIES: Final = 4
CONCURRENT_DOWNLOADS: Final = 1


class Questions:
    """The named queries of the dashboard. At most four run at once, others wait their turn.

    People's own SQL and downloads have places of their own. A name is that of a file below ``sql/``, without its
    ending: ``questions/negatives``; without a folder it is one of ``queries/``. All are asked over connections that
    can't write, and within ``limits``. ``writer`` gets what is said to write, where it is another user's.
    """

    def __init__(
        self, database: Database, limits: Mapping[str, Any] = PAGE_LIMITS, *, writer: Database | None = None
    ) -> None:
        self._database = database
        self._writer = writer or database
        self._limits = limits
        self._limiter = anyio.CapacityLimiter(CONCURRENT_QUERIES)
        self._sql_limiter = anyio.CapacityLimiter(CONCURRENT_QUERIES)
        self._download_limiter = anyio.CapacityLimiter(CONCURRENT_DOWNLOADS)
        self._kept = KeptAnswers()

    async def rows(self, name: str, /, **parameters: Any) -> list[dict[str, Any]]:
        """The rows that a query answers now.

        Raises:
            DatabaseError: ClickHouse refused it or gave up at a limit.
        """
        rows, _ = await self._ask(self._limiter, name, parameters)
        return rows

    async def row(self, name: str, /, **parameters: Any) -> dict[str, Any]:
        """The first row of a query, or an empty dictionary."""
        rows = await self.rows(name, **parameters)
        return rows[0] if rows else {}

    async def kept(self, name: str, /, **parameters: Any) -> Answer:
        """As ``rows``, but maybe of a while ago, and shared: see ``kept_answers``. The rows are not to be changed.

        Raises:
            DatabaseError: as ``rows``.
        """
        key = json.dumps([name, parameters], sort_keys=True)
        return await self._kept.get(key, partial(self._ask, self._limiter, name, parameters))

    def forget(self) -> None:
        """Answer nothing from what is kept: it holds what is in the database no more."""
        self._kept.forget()

    async def rows_to_download(self, name: str, /, **parameters: Any) -> list[dict[str, Any]]:
        """As ``rows``; one at a time, so that downloads leave the pages their places.

        Raises:
            DatabaseError: as ``rows``.
        """
        rows, _ = await self._ask(self._download_limiter, name, parameters)
        return rows

    def shown(self, name: str, /, **parameters: Any) -> str:
        """The statement that ``rows`` would run, its values filled in, to read and to paste."""
        return filled(_statement(name), parameters)

    async def raw(self, sql: str, parameters: dict[str, Any], *, format_name: str, write: bool) -> bytes:
        """The bytes of an ad-hoc statement in a ClickHouse format, within SQL_LIMITS.

        Raises:
            DatabaseError: ClickHouse refused it, for one because it writes and ``write`` is False.
        """
        database = self._writer if write else self._database
        ask = partial(database.raw, sql, parameters, format_name=format_name, settings=SQL_LIMITS, readonly=not write)
        return await anyio.to_thread.run_sync(ask, limiter=self._sql_limiter)

    async def ping(self) -> None:
        """Return if the database answers.

        Raises:
            DatabaseError: it does not.
        """
        await anyio.to_thread.run_sync(self._database.ping, limiter=self._limiter)

    async def _ask(
        self, limiter: anyio.CapacityLimiter, name: str, parameters: Mapping[str, Any]
    ) -> tuple[list[dict[str, Any]], float]:
        def ask() -> tuple[list[dict[str, Any]], float]:
            began = time.monotonic()
            rows = self._database.query(_statement(name), parameters, settings=self._limits)
            return rows, time.monotonic() - began

        return await anyio.to_thread.run_sync(ask, limiter=limiter)


def age_of(answers: list[Answer]) -> float:
    """How many seconds ago the oldest of these was asked for."""
    now = time.monotonic()
    return max((each.age_seconds(now) for each in answers), default=0.0)


def _statement(name: str) -> str:
    return statements.load(f"{name if '/' in name else f'queries/{name}'}.sql")
