"""Every test that asks for ``database`` runs on both engines, and those of ``ON_A_CLUSTER`` on two shards, too."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.support.asked_history import Past
from tests.support.clickhouse_cluster import CLUSTER, OwnCluster, own_cluster
from tests.support.clickhouse_server import ClickHouseServer, running_clickhouse
from tests.support.made_ratings import make_history
from tests.support.segments import store

from otel_feedback.clickhouse.cluster import ClusterDatabase
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

ON_A_CLUSTER = frozenset(
    {
        "test_grafana",
        "test_hyperdx",
        "test_isolation",
        "test_llm_calls",
        "test_questions",
        "test_questions_of_negatives",
        "test_questions_of_satisfaction",
        "test_rating_joins",
        "test_rating_lives",
        "test_rating_order",
        "test_rating_states",
        "test_rating_targets",
        "test_views",
    }
)
"""Modules whose tests hold for a cluster as they are, but for those that would only show the same again."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Choose the engines of a module's tests."""
    if "engine" in metafunc.fixturenames:
        module = metafunc.module.__name__.rpartition(".")[2]
        engines = [*ENGINES, "cluster"] if module in ON_A_CLUSTER else ENGINES
        metafunc.parametrize("engine", engines, indirect=True, scope="module")


@pytest.fixture(scope="session")
def clickhouse_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClickHouseServer]:
    with running_clickhouse(tmp_path_factory.mktemp("server")) as server:
        yield server


@pytest.fixture(scope="session")
def clickhouse_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnCluster]:
    with own_cluster(tmp_path_factory.mktemp("cluster")) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """A migrated database. The embedded one is closed with the module: a process can hold one directory at a time."""
    cluster = ""
    match request.param:
        case "embedded":
            url = f"chdb://{tmp_path_factory.mktemp('embedded')}"
        case "cluster":
            url, cluster = request.getfixturevalue("clickhouse_cluster").url, CLUSTER
        case _:
            url = request.getfixturevalue("clickhouse_server").url
    opened = connect(url, cluster)
    migrate(opened, Settings.load({}))
    yield opened
    opened.close()


@pytest.fixture
def database(engine: Database) -> Database:
    """A migrated database that holds nothing."""
    empty(engine)
    return engine


@pytest.fixture(scope="module")
def past(engine: Database) -> Past:
    """A database with a made history, the same each time."""
    history = make_history(seed=7)
    empty(engine)
    store(engine, history.request(), token="questions")
    return Past(engine, history)


def empty(database: Database) -> None:
    for table in (*TABLES, "insight_findings", "deletions"):
        change(database, f"TRUNCATE TABLE {table}")


def change(database: Database, statement: str) -> None:
    """Run what changes tables and views; of a cluster in every node's share."""
    if not isinstance(database, ClusterDatabase):
        database.command(statement)
        return
    for node in database.nodes(database.members()):
        node.shard.command(statement)
        node.close()
