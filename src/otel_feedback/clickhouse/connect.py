"""From OTEL_FEEDBACK_DATABASE_URL to a database."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from otel_feedback.clickhouse.cluster import ClusterDatabase
from otel_feedback.clickhouse.database import Database
from otel_feedback.clickhouse.embedded import DATABASE, EmbeddedDatabase
from otel_feedback.clickhouse.server import ServerAddress, ServerDatabase
from otel_feedback.errors import ConfigurationError


def connect(url: str, cluster: str = "") -> Database:
    """The database that OTEL_FEEDBACK_DATABASE_URL and OTEL_FEEDBACK_CLUSTER name; nothing is connected yet.

    Raises:
        ConfigurationError: the URL can't be read, or it names no server while there is a cluster.
    """
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        raise _bad_url(url, "its port is no number") from None
    match parts.scheme:
        case "chdb" if cluster:
            raise ConfigurationError(
                f"OTEL_FEEDBACK_CLUSTER={cluster!r} needs a server: set OTEL_FEEDBACK_DATABASE_URL to one of its "
                "nodes, clickhouse://user:password@host:8123/otel"
            )
        case "chdb":
            return EmbeddedDatabase(_directory_of(url))
        case "clickhouse" | "clickhouses":
            if not parts.hostname:
                raise _bad_url(url, "it names no host")
            is_secure = parts.scheme == "clickhouses"
            address = ServerAddress(
                host=parts.hostname,
                port=port or (8443 if is_secure else 8123),
                user=unquote(parts.username or "default"),
                password=unquote(parts.password or ""),
                database=unquote(parts.path.strip("/")) or DATABASE,
                is_secure=is_secure,
            )
            return ClusterDatabase(address, cluster) if cluster else ServerDatabase(address)
    raise _bad_url(url, f"it starts with {parts.scheme!r}")


def _directory_of(url: str) -> Path:
    directory = Path(url.removeprefix("chdb://"))
    if not directory.is_absolute():
        raise _bad_url(url, "the directory of the embedded database must be absolute")
    return directory


def _bad_url(url: str, flaw: str) -> ConfigurationError:
    shown = re.sub(r"(?<=://)([^:/@]*):[^@/]*@", r"\1:***@", url)
    return ConfigurationError(
        f"OTEL_FEEDBACK_DATABASE_URL={shown!r} can't be read: {flaw}. Write chdb:///absolute/directory or "
        "clickhouse://user:password@host:8123/otel (clickhouses:// for TLS)"
    )
