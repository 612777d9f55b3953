"""From OTEL_FEEDBACK_DATABASE_URL to a database."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from otel_feedback.clickhouse.cluster import ClusterDatabase
from otel_feedback.clickhouse.database import Database
from otel_feedback.clickhouse.embedded import DATABASE, EmbeddedDatabase
from otel_feedback.clickhouse.server import ServerAddress, ServerDatabase
from otel_feedback.errors import ConfigurationError
from otel_feedback.hidden import without_password
from otel_feedback.settings import Settings

_WRITER: Final = "OTEL_FEEDBACK_DATABASE_URL"
_READER: Final = "OTEL_FEEDBACK_READER_DATABASE_URL"


def connect_writer(settings: Settings) -> Database:
    """The database as the user who stores; nothing is connected yet.

    Raises:
        ConfigurationError: as ``connect``.
    """
    return connect(settings.database_url, settings.cluster, settings.database_ca)


def connect_reader(settings: Settings) -> Database:
    """The database as the user who asks: of OTEL_FEEDBACK_READER_DATABASE_URL, or the one who stores if it is not set.

    Raises:
        ConfigurationError: as ``connect``, or it is another database than the one that is written to.
    """
    writer = connect_writer(settings)
    if not settings.reader_database_url:
        return writer
    reader = connect(settings.reader_database_url, settings.cluster, settings.database_ca, variable=_READER)
    if isinstance(writer, EmbeddedDatabase) or isinstance(reader, EmbeddedDatabase):
        raise ConfigurationError(
            f"{_READER} is a user of a server, and {_WRITER} names none: the embedded has no users"
        )
    if reader.name != writer.name:
        raise ConfigurationError(
            f"{_READER} names the database {reader.name!r}, and {_WRITER} {writer.name!r}: they must be the same"
        )
    return reader


def connect(url: str, cluster: str = "", ca: str = "", *, variable: str = _WRITER) -> Database:
    """The database that a URL and a cluster's name tell; nothing is connected yet.

    ``ca`` is the path of a PEM bundle that signed the server's certificate; errors name ``variable``.

    Raises:
        ConfigurationError: the URL can't be read, or it names no server while there is a cluster; the bundle is none.
    """
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        raise _bad_url(variable, url, "its port is no number") from None
    match parts.scheme:
        case "chdb" if cluster:
            raise ConfigurationError(
                f"OTEL_FEEDBACK_CLUSTER={cluster!r} needs a server: set OTEL_FEEDBACK_DATABASE_URL to one of its "
                "nodes, clickhouse://user:password@host:8123/otel"
            )
        case "chdb":
            return EmbeddedDatabase(_directory_of(url, variable))
        case "clickhouse" | "clickhouses":
            if not parts.hostname:
                raise _bad_url(variable, url, "it names no host")
            is_secure = parts.scheme == "clickhouses"
            address = ServerAddress(
                host=parts.hostname,
                port=port or (8443 if is_secure else 8123),
                user=unquote(parts.username or "default"),
                password=unquote(parts.password or ""),
                database=unquote(parts.path.strip("/")) or DATABASE,
                is_secure=is_secure,
                ca=_checked(ca) if is_secure else "",
            )
            return ClusterDatabase(address, cluster) if cluster else ServerDatabase(address)
    raise _bad_url(variable, url, f"it starts with {parts.scheme!r}")


def _directory_of(url: str, variable: str) -> Path:
    directory = Path(url.removeprefix("chdb://"))
    if not directory.is_absolute():
        raise _bad_url(variable, url, "the directory of the embedded database must be absolute")
    return directory


def _checked(ca: str) -> str:
    if ca:
        try:
            ssl.create_default_context(cafile=ca)
        except OSError as error:  # SSLError is one
            raise ConfigurationError(f"OTEL_FEEDBACK_DATABASE_CA={ca} must be a PEM file: {error}") from None
    return ca


def _bad_url(variable: str, url: str, flaw: str) -> ConfigurationError:
    return ConfigurationError(
        f"{variable}={without_password(url)!r} can't be read: {flaw}. Write chdb:///absolute/directory or "
        "clickhouse://user:password@host:8123/otel (clickhouses:// for TLS)"
    )
