"""A ClickHouse server, over HTTP or HTTPS."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import clickhouse_connect
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.httpclient import HttpClient
from urllib3 import Timeout

from otel_feedback.clickhouse import segments, statements
from otel_feedback.clickhouse.database import Database, Values
from otel_feedback.clickhouse.segments import Signal

CONNECT_TIMEOUT_SECONDS: Final = 5
ANSWER_TIMEOUT_SECONDS: Final = 300
INSERT_TIMEOUT_SECONDS: Final = 60
"""An INSERT takes about a second. Without an answer it is sent again, and adds nothing if the first one was stored."""
PIECE_BYTES: Final = 1 << 20
_EXISTS_ALWAYS: Final = "default"


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """Where the server is, who asks, and for which database; ``ca`` is the path of a PEM bundle, or ""."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    database: str
    is_secure: bool
    ca: str = ""


class ServerDatabase(Database):
    """A database on a server."""

    def __init__(self, address: ServerAddress) -> None:
        super().__init__()
        self._address = address

    @property
    def name(self) -> str:
        """The database's name on the server."""
        return self._address.database

    def check_segment_directory(self, directory: Path) -> None:
        """Any directory will do: segments travel in the body of a request."""

    def _open(self, database: str | None, settings: Values) -> Client:
        address = self._address
        client = clickhouse_connect.get_client(
            host=address.host,
            port=address.port,
            username=address.user,
            password=address.password,
            secure=address.is_secure,
            ca_cert=address.ca or None,
            # Ours may not be there yet, and connecting asks the server a few questions.
            database=_EXISTS_ALWAYS,
            settings=dict(settings),
            connect_timeout=CONNECT_TIMEOUT_SECONDS,
            send_receive_timeout=ANSWER_TIMEOUT_SECONDS,
            query_retries=0,
            autogenerate_session_id=False,
            form_encode_query_params=True,
        )
        client.database = database or _EXISTS_ALWAYS
        return client

    def _limit(self, signal: Signal, token: str) -> str:  # noqa: ARG002  # for subclasses
        """The end of the INSERT, which may leave out rows of the segment."""
        return ""

    def _insert(self, client: Client, signal: Signal, path: Path, token: str) -> None:
        source = f"input({statements.literal(segments.structure(signal))})"
        schema_settings = (
            f"format_schema_source = 'string', format_schema_message_name = '{segments.MESSAGES[signal]}', "
            f"format_schema = {statements.literal(segments.schema(signal))}"
        )
        statement = segments.insert_statement(signal, token, source, schema_settings) + self._limit(signal, token)
        assert isinstance(client, HttpClient)  # noqa: S101  # a server has no other
        usual = client.timeout
        client.timeout = Timeout(connect=CONNECT_TIMEOUT_SECONDS, read=INSERT_TIMEOUT_SECONDS)
        try:
            client.raw_insert("", insert_block=_body(f"{statement}\nFORMAT Protobuf\n", path))
        finally:
            client.timeout = usual


def _body(statement: str, path: Path) -> Generator[bytes]:
    """The statement, then the data: in a URL its length would be bounded. Pieces cost a third of one large body."""
    yield statement.encode()
    with path.open("rb", buffering=0) as segment:
        while piece := segment.read(PIECE_BYTES):
            yield piece
