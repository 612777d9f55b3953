"""Connections of clickhouse-connect: kept for their next user, and their errors told as ours."""

from __future__ import annotations

import logging
import queue
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError, OperationalError

from otel_feedback.errors import DatabaseError, DatabaseUnavailableError

# What it logs comes as an error too, and where no logging is set up, as in commands, Python would print it beside ours.
logging.getLogger("clickhouse_connect").addHandler(logging.NullHandler())


class ConnectionPool:
    """Connections that wait for their next user; as many are open as were ever needed at once."""

    def __init__(self, open_client: Callable[[], Client]) -> None:
        self._open_client = open_client
        self._idle: queue.LifoQueue[Client] = queue.LifoQueue()
        self._is_closed = False

    @contextmanager
    def client(self) -> Iterator[Client]:
        """A connection for one thread; ClickHouse's errors leave as ours."""
        with translated_errors():
            try:
                client = self._idle.get_nowait()
            except queue.Empty:
                client = self._open_client()
            try:
                yield client
            finally:
                self._idle.put(client)
                if self._is_closed:
                    self.close()

    def close(self) -> None:
        """Close the idle connections; those in use close when they come back."""
        self._is_closed = True
        while True:
            try:
                self._idle.get_nowait().close()
            except queue.Empty:
                return


@contextmanager
def translated_errors() -> Iterator[None]:
    """Raise DatabaseUnavailableError or DatabaseError in place of clickhouse-connect's errors."""
    try:
        yield
    except OperationalError as error:
        first_line = str(error).strip().partition("\n")[0]
        advice = "Does it run, and is OTEL_FEEDBACK_DATABASE_URL right?"
        if "CERTIFICATE_VERIFY_FAILED" in first_line:
            advice = "OTEL_FEEDBACK_DATABASE_CA must name who signed its certificate, and the URL a host that is in it"
        raise DatabaseUnavailableError(f"ClickHouse can't be reached: {first_line}. {advice}") from error
    except ClickHouseError as error:
        raise DatabaseError(str(error).strip(), code=_code_of(error)) from error


def _code_of(error: ClickHouseError) -> int:
    known = getattr(error, "code", None)
    if known:
        return int(known)
    match = re.search(r"\bCode: (\d+)", str(error))
    return int(match[1]) if match else 0
