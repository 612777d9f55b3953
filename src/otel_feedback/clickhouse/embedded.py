"""The embedded engine: chDB in this process. A directory belongs to one process at a time."""

from __future__ import annotations

import functools
import hashlib
import re
from pathlib import Path
from typing import Final

import clickhouse_connect
from clickhouse_connect.driver.client import Client

from otel_feedback.clickhouse import segments, statements
from otel_feedback.clickhouse.database import Database, Values
from otel_feedback.clickhouse.segments import Signal
from otel_feedback.errors import ConfigurationError

DATABASE: Final = "otel"
_SPECIAL_CHARACTERS: Final = re.compile(r"[*?{}:]")
"""ClickHouse reads them in the name of a file as a pattern of names, or as the end of a schema's name."""


class EmbeddedDatabase(Database):
    """A database below ``directory``, which is made when it is first used."""

    def __init__(self, directory: Path) -> None:
        super().__init__()
        self.directory = directory

    @property
    def name(self) -> str:
        """The database's name within the engine."""
        return DATABASE

    def check_segment_directory(self, directory: Path) -> None:
        """Return if segments can be stored from files in this directory.

        Raises:
            ConfigurationError: its name or the database directory's has a character that ClickHouse reads otherwise.
        """
        for each in (directory.absolute(), self.directory):
            if _SPECIAL_CHARACTERS.search(str(each)):
                raise ConfigurationError(
                    f"The embedded ClickHouse can't work in {each}: it can't read files below a name with * ? {{ }} "
                    "or a colon. Set OTEL_FEEDBACK_DATA_DIR to another directory"
                )

    def _open(self, database: str | None, settings: Values) -> Client:
        self.directory.mkdir(parents=True, exist_ok=True)
        return clickhouse_connect.get_client(dsn=f"chdb://{self.directory}", database=database, settings=dict(settings))

    def _insert(self, client: Client, signal: Signal, path: Path, token: str) -> None:
        columns = statements.literal(segments.structure(signal))
        source = f"file({statements.literal(str(path.absolute()))}, 'Protobuf', {columns})"
        client.command(segments.insert_statement(signal, token, source, self._schema_setting(signal)))

    @functools.cache  # noqa: B019  # there is one database in a process
    def _schema_setting(self, signal: Signal) -> str:
        """Given as text, the engine would cache the schema in a folder of the working directory; so it gets a file."""
        schema = segments.schema(signal).encode()
        path = self.directory / "otlp" / f"{signal}-{hashlib.sha256(schema).hexdigest()[:16]}.proto"
        path.parent.mkdir(exist_ok=True)
        unfinished = path.with_suffix(".unfinished")
        unfinished.write_bytes(schema)
        unfinished.rename(path)
        return f"format_schema = {statements.literal(f'{path}:{segments.MESSAGES[signal]}')}"
