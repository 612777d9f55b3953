"""Every test that asks for ``database`` runs on both engines."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.support.clickhouse_server import ClickHouseServer, running_clickhouse

from otel_feedback.clickhouse.connect import connect
from otel_feedback.clickhouse.database import Database
from otel_feedback.clickhouse.migrate import migrate
from otel_feedback.settings import Settings

TABLES = (
    "otel_traces",
    "otel_logs",
    "otel_traces_trace_id_ts",
    "llm_call_spans",
    "llm_call_messages",
    "rating_deliveries",
)
"""All that hold what came in. The views over them hold nothing."""

ENGINES = ["embedded", "server"]


@pytest.fixture(scope="session")
def clickhouse_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClickHouseServer]:
    with running_clickhouse(tmp_path_factory.mktemp("server")) as server:
        yield server


@pytest.fixture(scope="module", params=ENGINES)
def engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """A migrated database. The embedded one is closed with the module: a process can hold one directory at a time."""
    if request.param == "embedded":
        url = f"chdb://{tmp_path_factory.mktemp('embedded')}"
    else:
        url = request.getfixturevalue("clickhouse_server").url
    opened = connect(url)
    migrate(opened, Settings.load({}))
    yield opened
    opened.close()


@pytest.fixture
def database(engine: Database) -> Database:
    """A migrated database that holds nothing."""
    empty(engine)
    return engine


def empty(database: Database) -> None:
    for table in (*TABLES, "deletions"):
        database.command(f"TRUNCATE TABLE {table}")
