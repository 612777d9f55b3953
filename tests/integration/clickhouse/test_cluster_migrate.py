"""Migrations on every node of a cluster: once, twice, two at once, by hand; and what is told where that can't be."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import httpx
import pytest
from tests.support.clickhouse_cluster import CLUSTER, HIDDEN, ZOOKEEPER, OwnCluster
from tests.support.commands import otel_feedback
from tests.support.ratings import Call, Submission
from tests.support.segments import store

from otel_feedback.clickhouse import cluster_schema, statements
from otel_feedback.clickhouse.cluster_schema import Cluster
from otel_feedback.clickhouse.connect import connect
from otel_feedback.clickhouse.database import Database
from otel_feedback.clickhouse.migrate import Migrated, migrate
from otel_feedback.errors import ConfigurationError, SchemaVersionError
from otel_feedback.settings import Settings

DOCS: Final = Path(__file__).parents[3] / "docs" / "cluster.md"
NEWEST: Final = statements.migrations()[-1][0]
SETTINGS: Final = Settings.load({})


@pytest.fixture
def name(clickhouse_cluster: OwnCluster) -> Iterator[str]:
    """A database that no node has yet."""
    name = f"otel_feedback_test_{secrets.token_hex(6)}"
    yield name
    for each in (name, f"{name}_shard"):
        clickhouse_cluster.execute(f"DROP DATABASE IF EXISTS {each} SYNC")


@pytest.fixture
def urls(clickhouse_cluster: OwnCluster, name: str) -> list[str]:
    return [f"{node.url.rpartition('/')[0]}/{name}" for node in clickhouse_cluster.nodes]


@pytest.fixture
def unmigrated(urls: list[str]) -> Iterator[Database]:
    database = connect(urls[0], CLUSTER)
    yield database
    database.close()


def objects(cluster: OwnCluster, name: str) -> list[str]:
    """What each node has in both databases, but for what differs with the day and the node."""
    columns = "database, name, create_table_query"
    return cluster.execute(f"SELECT {columns} FROM system.tables WHERE database LIKE '{name}%' ORDER BY ALL")  # noqa: S608


def test_every_node_gets_every_migration_and_a_second_time_changes_nothing(
    clickhouse_cluster: OwnCluster, name: str, unmigrated: Database
):
    assert migrate(unmigrated, SETTINGS) == Migrated(0, NEWEST)
    one, other = objects(clickhouse_cluster, name)
    assert one == other
    assert migrate(unmigrated, SETTINGS) == Migrated(NEWEST, NEWEST)
    assert objects(clickhouse_cluster, name) == [one, other]
    versions = f"SELECT groupArray(Version) FROM (SELECT * FROM {name}.schema_migrations FINAL ORDER BY Version)"  # noqa: S608
    assert clickhouse_cluster.execute(versions) == ["[" + ",".join(map(str, range(1, NEWEST + 1))) + "]"] * 2


def test_tables_are_replicated_where_the_servers_can(clickhouse_cluster: OwnCluster, name: str, unmigrated: Database):
    migrate(unmigrated, SETTINGS)
    engines = f"SELECT DISTINCT engine FROM system.tables WHERE database = '{name}_shard' AND engine LIKE '%MergeTree'"  # noqa: S608
    engines += " AND name != 'service_settings' ORDER BY engine"
    prefix = "Replicated" if ZOOKEEPER else ""
    kinds = [f"{prefix}{kind}MergeTree" for kind in ("Aggregating", "", "Replacing")]
    assert clickhouse_cluster.execute(engines) == ["\n".join(kinds)] * 2


def test_two_processes_may_migrate_at_once(
    clickhouse_cluster: OwnCluster, name: str, urls: list[str], unmigrated: Database, tmp_path: Path
):
    def run(url: str) -> int:
        environment = {"OTEL_FEEDBACK_DATABASE_URL": url, "OTEL_FEEDBACK_CLUSTER": CLUSTER}
        done = otel_feedback(tmp_path / "data", "migrate", environment=environment)
        assert done.stderr == ""
        assert re.fullmatch(rf"The schema .* on every node of {CLUSTER}.*\n", done.stdout)
        return done.returncode

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(run, urls)) == [0, 0]
    one, other = objects(clickhouse_cluster, name)
    assert one == other
    store(unmigrated, Call().request(), Submission(Call()).carrier())
    assert len(unmigrated.query("SELECT * FROM feedback")) == 1


def test_a_node_that_was_added_gets_what_it_lacks(clickhouse_cluster: OwnCluster, name: str, unmigrated: Database):
    migrate(unmigrated, SETTINGS)
    one, _ = objects(clickhouse_cluster, name)
    for each in (name, f"{name}_shard"):
        clickhouse_cluster.nodes[1].execute(f"DROP DATABASE {each} SYNC")
    assert migrate(unmigrated, SETTINGS) == Migrated(0, NEWEST)
    assert objects(clickhouse_cluster, name) == [one, one]


def test_a_node_that_lacks_the_schema_and_cant_be_reached_is_told(
    clickhouse_cluster: OwnCluster, name: str, urls: list[str]
):
    here, there = connect(urls[0], HIDDEN), connect(urls[1], HIDDEN)
    try:
        told = r"Nodes of the cluster hidden lack .*: 127\.0\.0\.2:\d+ \(shard 2\) is at 0000\. Run `otel-feedback mig"
        with pytest.raises(SchemaVersionError, match=told):
            migrate(here, SETTINGS)
        migrate(there, SETTINGS)
        assert migrate(here, SETTINGS) == Migrated(NEWEST, NEWEST)
        one, other = objects(clickhouse_cluster, name)
        assert one == other
    finally:
        here.close()
        there.close()


def test_the_script_of_a_dry_run_makes_what_migrate_makes(
    clickhouse_cluster: OwnCluster, name: str, urls: list[str], unmigrated: Database, tmp_path: Path
):
    environment = {"OTEL_FEEDBACK_DATABASE_URL": urls[0], "OTEL_FEEDBACK_CLUSTER": CLUSTER}
    done = otel_feedback(tmp_path / "data", "migrate", "--dry-run", environment=environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert objects(clickhouse_cluster, name) == ["", ""]
    for node in clickhouse_cluster.nodes:
        session = secrets.token_hex(8)
        for statement in done.stdout.split(";\n"):
            if statement.strip():
                answer = httpx.post(node.http_url, params={"session_id": session}, content=statement)
                assert answer.status_code == 200, answer.text
    by_script = objects(clickhouse_cluster, name)
    assert migrate(unmigrated, SETTINGS) == Migrated(NEWEST, NEWEST)
    assert objects(clickhouse_cluster, name) == by_script
    for each in (name, f"{name}_shard"):
        clickhouse_cluster.execute(f"DROP DATABASE {each} SYNC")
    migrate(unmigrated, SETTINGS)
    assert objects(clickhouse_cluster, name) == by_script


def test_views_are_filled_from_what_the_shards_hold(clickhouse_cluster: OwnCluster, name: str, unmigrated: Database):
    migrate(unmigrated, SETTINGS)
    for _ in range(12):
        call = Call()
        store(unmigrated, call.request(), Submission(call, id=call.span_id.hex()).carrier())
        store(unmigrated, Submission(call, id=call.span_id.hex()).log())
    shown = ("SELECT * EXCEPT (ReceivedTime) FROM feedback ORDER BY ALL", "SELECT * FROM traces ORDER BY ALL")
    complete = [unmigrated.query(each) for each in shown]
    for view in ("llm_call_spans_genai_mv", "rating_deliveries_from_spans_mv", "rating_deliveries_from_logs_mv"):
        clickhouse_cluster.execute(f"DROP VIEW {name}_shard.{view}")
    for table in ("llm_call_spans", "rating_deliveries"):
        clickhouse_cluster.execute(f"TRUNCATE TABLE {name}_shard.{table}")
    clickhouse_cluster.execute(f"TRUNCATE TABLE {name}.schema_migrations")
    assert migrate(unmigrated, SETTINGS) == Migrated(0, NEWEST)
    assert [unmigrated.query(each) for each in shown] == complete


def test_a_database_of_one_server_is_told_apart_and_its_rows_can_be_taken_over(
    clickhouse_cluster: OwnCluster, name: str, urls: list[str], unmigrated: Database
):
    alone = connect(urls[0].replace(name, f"{name}_alone"))
    try:
        migrate(alone, SETTINGS)
        for _ in range(8):
            call = Call(session="s")
            store(alone, call.request(), Submission(call, id=call.span_id.hex()).carrier())
            store(alone, Submission(call, name="stars", id=f"{call.span_id.hex()}-log").log())
        same_name = connect(urls[0].replace(name, f"{name}_alone"), CLUSTER)
        with pytest.raises(ConfigurationError, match=rf"has a table {name}_alone\.\w+ of its own"):
            migrate(same_name, SETTINGS)
        same_name.close()
        migrate(unmigrated, SETTINGS)
        told = re.findall(r"^(INSERT .*);$", DOCS.read_text(encoding="utf-8"), re.MULTILINE)
        assert len(told) == 2
        for statement in told:
            unmigrated.command(statement.replace(" otel.", f" {name}_alone.").replace(" new.", f" {name}."))
        shown = (
            "SELECT * EXCEPT (ReceivedTime) FROM feedback ORDER BY ALL",
            "SELECT * FROM rated_llm_calls ORDER BY ALL",
        )
        assert [unmigrated.query(each) for each in shown] == [alone.query(each) for each in shown]
    finally:
        alone.close()
        for each in ("alone", "alone_shard"):
            clickhouse_cluster.execute(f"DROP DATABASE IF EXISTS {name}_{each} SYNC")


def test_a_cluster_that_the_server_does_not_know_is_told(urls: list[str]):
    database = connect(urls[0], "elsewhere")
    with pytest.raises(ConfigurationError, match=r"OTEL_FEEDBACK_CLUSTER='elsewhere': .* knows no such cluster"):
        migrate(database, SETTINGS)
    database.close()


def test_a_cluster_needs_a_server():
    with pytest.raises(ConfigurationError, match="OTEL_FEEDBACK_CLUSTER='x' needs a server"):
        connect("chdb:///tmp/nowhere", "x")


def test_every_migration_has_its_place_in_a_cluster():
    for is_replicated in (False, True):
        cluster = Cluster("c", "otel", is_replicated=is_replicated)
        text = "\n".join(
            step.statement
            for _, name in statements.migrations()
            for step in cluster_schema.of_migration(statements.load(name), cluster).steps
        )
        engines = re.findall(r"^ENGINE = (\w+)", text, re.MULTILINE)
        of_shards = [each for each in engines if each != "Distributed"]
        alike = 2 * len(cluster_schema.TABLES_OF_EVERY_NODE)  # once in each of a node's databases
        replicated = sum(each.startswith("Replicated") for each in of_shards)
        assert replicated == (len(of_shards) - alike if is_replicated else 0)
        assert ("non_replicated_deduplication_window" in text) != is_replicated
        assert text.count(" TO `otel`.rating_deliveries AS") == 2
        assert " TO rating_deliveries AS" not in text


def test_a_migration_that_a_cluster_cant_run_is_told():
    with pytest.raises(ValueError, match="a cluster can't run this migration"):
        cluster_schema.of_migration("OPTIMIZE TABLE otel_traces", Cluster("c", "otel"))
