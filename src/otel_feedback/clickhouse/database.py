"""A database of ours, on whichever engine: ask, write, store segments. What differs by engine is in its subclasses."""

from __future__ import annotations

import abc
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, TypeAlias

from clickhouse_connect.driver.client import Client

from otel_feedback.clickhouse import statements
from otel_feedback.clickhouse.connections import ConnectionPool, translated_errors
from otel_feedback.clickhouse.segments import TABLES, TABLES_THAT_NAME_SEGMENTS, Signal
from otel_feedback.errors import DatabaseError, NotFlatError

# Of tables that replace rows, wide columns are read for those rows alone whose key is asked for: 50 prompts take a
# tenth of the time. It changes no answer, since rows that replace each other have one key.
_READING: Final = {"optimize_move_to_prewhere_if_final": 1}
_READ_ONLY_BUT_SETTINGS: Final = {**_READING, "readonly": 2}
_HAS_FORMAT: Final = re.compile(r"\bFORMAT\s+\w+\s*$", re.IGNORECASE)
_ANSWERS: Final = re.compile(
    r"(?:\s|--[^\n]*\n|/\*.*?\*/|\()*(?:SELECT|WITH|FROM|SHOW|DESCRIBE|DESC|EXPLAIN|EXISTS|CHECK|VALUES)\b",
    re.IGNORECASE | re.DOTALL,
)
"""A statement that has an answer, so that it takes a FORMAT clause."""

_READONLY: Final = 164
_REACHES_BEYOND_TABLES: Final = re.compile(
    r"^(?:KILL|BACKUP|RESTORE)\b|\bINTO OUTFILE\b|(?<![.\w])`?file`?\(", re.IGNORECASE
)
"""What ClickHouse's readonly setting lets through: files of the service's user, and the end of its INSERTs."""

_THROWN_BY_THE_STATEMENT: Final = 395  # FUNCTION_THROW_IF_VALUE_IS_NON_ZERO, in text_of_values.sql

Values: TypeAlias = Mapping[str, Any]


class Database(abc.ABC):
    """One database. Any thread may use it; connections are made when needed and kept."""

    def __init__(self) -> None:
        self._readers = ConnectionPool(lambda: self._open(self.name, _READ_ONLY_BUT_SETTINGS))
        self._writers = ConnectionPool(lambda: self._open(self.name, {}))

    @property
    @abc.abstractmethod
    def name(self) -> str:
        """The database's name within the engine."""

    @abc.abstractmethod
    def _open(self, database: str | None, settings: Values) -> Client:
        """A new connection; ``settings`` hold for all of it, in their order."""

    @abc.abstractmethod
    def check_segment_directory(self, directory: Path) -> None:
        """Return if segments can be stored from files in this directory.

        Raises:
            ConfigurationError: the engine can't read them there.
        """

    @abc.abstractmethod
    def _insert(self, client: Client, signal: Signal, path: Path, token: str) -> None:
        """Store a segment over this connection."""

    def query(self, statement: str, parameters: Values | None = None, *, settings: Values | None = None) -> list[Any]:
        """The rows of a SELECT as dictionaries by column name; ``parameters`` fill its ``{name:Type}`` places.

        Raises:
            DatabaseError: ClickHouse refused it, for one because it writes.
        """
        with self._readers.client() as client:
            answer = client.query(statement, parameters=dict(parameters or {}), settings=dict(settings or {}))
            return list(answer.named_results())

    def raw(
        self,
        statement: str,
        parameters: Values,
        *,
        format_name: str,
        settings: Values | None = None,
        readonly: bool = True,
    ) -> bytes:
        """The answer's bytes in a ClickHouse format; a FORMAT clause in the statement wins over ``format_name``.

        For statements that people wrote: with ``readonly`` they can change neither data nor settings, and read
        nothing but tables (no files, no URLs).

        Raises:
            DatabaseError: ClickHouse refused it.
        """
        fixed = {**_READING, **(settings or {}), **({"readonly": 1} if readonly else {})}
        with translated_errors():
            client = self._open(self.name, fixed)
        try:
            with translated_errors():
                bare = statement.rstrip().rstrip(";")
                if readonly:
                    _refuse_more_than_tables(client, bare)
                takes_format = _ANSWERS.match(bare) and not _HAS_FORMAT.search(bare)
                return client.raw_query(bare, dict(parameters), fmt=format_name if takes_format else None)
        finally:
            client.close()

    def command(self, statement: str, parameters: Values | None = None, *, settings: Values | None = None) -> None:
        """Run a statement that writes.

        Raises:
            DatabaseError: ClickHouse refused it.
        """
        with self._writers.client() as client:
            client.command(statement, parameters=dict(parameters or {}), settings=dict(settings or {}))

    def create(self) -> None:
        """Make the database itself, if it is not there.

        Raises:
            DatabaseError: ClickHouse refused it.
        """
        with translated_errors():
            client = self._open(None, {})
            try:
                client.command(statements.render("schema/create_database.sql", database=f"`{self.name}`"))
            finally:
                client.close()

    def ping(self) -> None:
        """Return if the database answers.

        Raises:
            DatabaseError: it does not.
        """
        self.query(statements.load("queries/ping.sql"))

    def insert_segment(self, signal: Signal, path: Path, token: str) -> None:
        """Store every record of the segment; a second call with the same token stores nothing.

        Raises:
            NotFlatError: an attribute value nests, or has a text that SQL can't tell; nothing was stored.
            DatabaseError: nothing, or only a part of the views' tables, was stored; the same call completes it.
        """
        try:
            with self._writers.client() as client:
                self._insert(client, signal, path, token)
        except DatabaseError as error:
            if error.code == _THROWN_BY_THE_STATEMENT:
                raise NotFlatError(str(error), code=error.code) from None
            raise

    def segment_is_stored(self, signal: Signal, token: str) -> bool:
        """Whether rows of the segment are in its table.

        Raises:
            DatabaseError: ClickHouse can't say.
        """
        return self._has_segment(TABLES[signal], token)

    def forget_segment(self, signal: Signal, token: str) -> None:
        """Delete the rows of a segment of which the INSERT was refused: a view that fails leaves its source's rows.

        Raises:
            DatabaseError: some may be there still.
        """
        for table in TABLES_THAT_NAME_SEGMENTS[signal]:
            if self._has_segment(table, token):
                self.command(statements.render("ingest/delete_segment.sql", table=table), {"segment": token})

    def _has_segment(self, table: str, token: str) -> bool:
        return bool(self.query(statements.render("queries/segment_in_table.sql", table=table), {"segment": token}))

    def close(self) -> None:
        """Close every connection that nobody uses; the others close when they come back."""
        self._readers.close()
        self._writers.close()


def _refuse_more_than_tables(client: Client, statement: str) -> None:
    query = statements.load("queries/statement_in_plain.sql")
    plain = client.query(query, parameters={"statement": statement}).result_rows[0][0]
    if plain is not None and (found := _REACHES_BEYOND_TABLES.search(plain)):
        raise DatabaseError(f"Cannot execute {found[0]!r} in readonly mode. (READONLY)", code=_READONLY)
