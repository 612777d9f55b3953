"""The database: whether it answers, whether its schema is this version's, and whether the clocks agree."""

from __future__ import annotations

import json
import time
import urllib.error
from collections.abc import Iterator
from typing import Any, Final

from otel_feedback.clickhouse import statements
from otel_feedback.clickhouse.connect import connect_writer
from otel_feedback.clickhouse.embedded import EmbeddedDatabase
from otel_feedback.dashboard.sql_client import ask
from otel_feedback.doctor.finding import Finding, age_text
from otel_feedback.doctor.ports import get
from otel_feedback.errors import DatabaseError
from otel_feedback.running_service import ServiceState, has_service
from otel_feedback.settings import Settings

MOST_SKEW_SECONDS: Final = 5.0
FUTURE_SECONDS: Final = 300.0
"""Times of spans come from the clocks of the apps; some minutes ahead of this one's is no trouble."""

_UNKNOWN_DATABASE: Final = 81
_MIGRATE: Final = "Run: otel-feedback migrate. `otel-feedback serve` does so, too"


def findings(settings: Settings, service: ServiceState | None) -> Iterator[Finding]:
    """What a database says that can be asked; why it can't be, else."""
    database = connect_writer(settings)
    if isinstance(database, EmbeddedDatabase) and service is None and not database.directory.exists():
        yield Finding("database", "ok", f"{database.directory} is not there yet; `otel-feedback serve` makes it")
        return
    where = "embedded" if isinstance(database, EmbeddedDatabase) else "cluster" if settings.cluster else "server"
    if isinstance(database, EmbeddedDatabase) and (trouble := _service_trouble(settings, service)):
        yield Finding("database", "warning", f"the service has it, and {trouble}", "See above")
        return
    try:
        before = time.time()
        (state,) = _rows(settings, "database_state")
        after = time.time()
    except DatabaseError as error:
        if error.code == _UNKNOWN_DATABASE:
            yield Finding("database", "warning", f"the {where} answers, but has no database {database.name}", _MIGRATE)
            return
        yield Finding(
            "database",
            "failed",
            str(error).partition("\n")[0],
            "Start it, or set OTEL_FEEDBACK_DATABASE_URL. Until then the queue holds what comes",
        )
        return
    yield Finding("database", "ok", f"ClickHouse {state['Version']} ({where})")
    yield from _schema(settings, service)
    yield _clock(float(state["NowUnix"]), before, after)


def _service_trouble(settings: Settings, service: ServiceState | None) -> str:
    """Why the service can't be asked for its embedded database; "" if it can, or none has it."""
    if service is None:
        return "is not ready yet" if has_service(settings.data_dir) else ""
    try:
        get(f"{service.dashboard}/healthz")
    except urllib.error.HTTPError:
        return ""
    except OSError as error:
        return f"{service.dashboard} does not answer: {error}"
    return ""


def _schema(settings: Settings, service: ServiceState | None) -> Iterator[Finding]:
    newest = statements.migrations()[-1][0]
    try:
        version = int(_rows(settings, "schema_version")[0]["Version"])
    except DatabaseError as error:
        advice = "See the service's log" if service else _MIGRATE
        yield Finding("schema", "warning", f"there is none yet ({str(error).partition('. ')[0]})", advice)
        return
    if version > newest:
        found = f"{version:04}, made by a newer version of otel-feedback; this one knows up to {newest:04}"
        yield Finding("schema", "failed", found, "Install the version that made it, or a newer one")
    elif version < newest:
        found = f"{version:04}, this version works with {newest:04}"
        yield Finding("schema", "failed", found, "Run: otel-feedback migrate. Or restart the service, which does so")
    else:
        yield Finding("schema", "ok", f"{version:04}, as this version needs it")
        yield _newest(settings)


def _clock(database_unix: float, before: float, after: float) -> Finding:
    skew = max(before - database_unix, database_unix - after, 0.0)
    if skew > MOST_SKEW_SECONDS:
        found = (
            f"the database's is {age_text(skew)} {'behind' if database_unix < before else 'ahead of'} this machine's"
        )
        return Finding("clock", "warning", found, "Set both by NTP: what waits too long for its trace is told by now()")
    return Finding("clock", "ok", "the database's agrees with this machine's")


def _newest(settings: Settings) -> Finding:
    ahead = {
        row["Name"]: float(row["NewestUnix"]) - time.time() for row in _rows(settings, "newest_rows") if row["Rows"]
    }
    if not ahead:
        return Finding("newest data", "ok", "there is none yet", "Point your app's OTLP exporter at the service")
    table, seconds = max(ahead.items(), key=lambda each: each[1])
    if seconds > FUTURE_SECONDS:
        return Finding(
            "newest data",
            "warning",
            f"{table} has rows that lie {age_text(seconds)} in the future",
            "Set the clock of the app that sends them",
        )
    return Finding("newest data", "ok", f"{age_text(max(0.0, -seconds))} old ({table})")


def _rows(settings: Settings, name: str) -> list[dict[str, Any]]:
    answer = ask(settings, statements.load(f"queries/{name}.sql"), {}, format_name="JSONEachRow")
    return [json.loads(line) for line in answer.splitlines()]
