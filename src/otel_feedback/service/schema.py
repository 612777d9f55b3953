"""Bring the schema up to date before anything is written, however long the database stays away."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any, Final

from otel_feedback.clickhouse.database import Database
from otel_feedback.clickhouse.migrate import migrate
from otel_feedback.errors import DatabaseUnavailableError, OtelFeedbackError
from otel_feedback.settings import Settings

logger = logging.getLogger(__name__)

PAUSE_SECONDS: Final = 2.0
PATIENCE_SECONDS: Final = 15.0
"""How long a start waits for the database's first answer."""


class SchemaUpdate:
    """Migrates in the background, again and again until it is done; then ``written_to`` is called, once.

    Only the first answer counts for the start: a database that refuses then is a mistake that a person must hear of.
    """

    def __init__(self, database: Database, settings: Settings, written_to: Callable[[], None]) -> None:
        self._database = database
        self._settings = settings
        self._written_to = written_to
        self._first_answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(self._update())

    async def first_answer(self, or_event: asyncio.Event) -> None:
        """Wait for the first answer, or for the event, or until patience ends: what comes is kept meanwhile.

        Raises:
            OtelFeedbackError: the database is there and refuses.
        """
        event = asyncio.create_task(or_event.wait())
        either: set[asyncio.Future[Any]] = {self._first_answer, event}
        await asyncio.wait(either, timeout=PATIENCE_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        event.cancel()
        if self._first_answer.done():
            self._first_answer.result()
        else:
            self._first_answer.cancel()
            _tell_absence("the database has not answered yet")

    def cancel(self) -> None:
        """Try no more."""
        self._task.cancel()

    async def _update(self) -> None:
        while True:
            try:
                await asyncio.to_thread(migrate, self._database, self._settings)
            except DatabaseUnavailableError as error:
                if not self._first_answer.done():
                    _tell_absence(str(error))
                    self._first_answer.set_result(None)
                logger.debug("%s", error)
            except OtelFeedbackError as error:
                if not self._first_answer.done():
                    self._first_answer.set_exception(error)
                    return
                logger.error("the schema can't be migrated, trying again: %s", error)  # noqa: TRY400  # one line
            else:
                self._written_to()
                if self._first_answer.done():
                    logger.info("the database is there; what waited is being written")
                else:
                    self._first_answer.set_result(None)
                return
            await asyncio.sleep(PAUSE_SECONDS)


def _tell_absence(what: str) -> None:
    logger.warning("%s. What comes is kept in the queue and written once the database is there", what)
