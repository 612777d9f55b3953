"""A shard of a cluster is away or dies: what was acknowledged waits, and is then once on the shard it belongs to."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import httpx
import pytest
from tests.support.clickhouse_cluster import CLUSTER, HIDDEN, OwnCluster, own_cluster
from tests.support.ratings import Call
from tests.support.segments import store
from tests.support.service import running_service, start_in_vain, wait_until
from tests.support.traffic import Acknowledged, check_every_row, send_for_a_while, wait_until_written, waiting

from otel_feedback.clickhouse.connect import connect
from otel_feedback.clickhouse.migrate import migrate
from otel_feedback.errors import DatabaseError
from otel_feedback.settings import Settings

KILLS: Final = 2
TABLES: Final = ("otel_traces", "otel_logs", "llm_call_spans", "rating_deliveries")


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnCluster]:
    with own_cluster(tmp_path_factory.mktemp("cluster")) as cluster:
        yield cluster


@pytest.fixture
def cluster(started: OwnCluster) -> Iterator[OwnCluster]:
    """Two nodes that run and hold nothing."""
    yield started
    for node in started.nodes:
        node.kill()
        node.start()
    for database in ("otel", "otel_shard"):
        started.execute(f"DROP DATABASE IF EXISTS {database} SYNC")


def settings_of(cluster: OwnCluster, name: str = CLUSTER) -> dict[str, str]:
    return {"OTEL_FEEDBACK_DATABASE_URL": cluster.url, "OTEL_FEEDBACK_CLUSTER": name}


@pytest.mark.parametrize("shard", [1, 2])
def test_acknowledged_rows_are_there_exactly_once_after_a_shard_was_killed(
    cluster: OwnCluster, taken: dict[str, Acknowledged], tmp_path: Path, shard: int
):
    chance = random.Random(shard)
    node = cluster.nodes[shard - 1]
    with running_service(tmp_path / "data", settings_of(cluster)) as service:
        for _ in range(KILLS):
            clients = send_for_a_while(service, taken, chance.uniform(1.0, 2.5))
            node.kill()
            for client in clients:
                client.stop()
            node.start()
        wait_until_written(service)
        check_every_row(service, taken)
        assert service.metric("otel_feedback_segments_rejected_total") == 0
        for table in TABLES:
            assert all(int(rows) > 0 for rows in cluster.execute(f"SELECT count() FROM otel_shard.{table}")), table  # noqa: S608


def test_while_a_shard_is_away_everything_waits_and_nothing_is_lost(
    cluster: OwnCluster, taken: dict[str, Acknowledged], tmp_path: Path
):
    with running_service(tmp_path / "data", settings_of(cluster)) as service:
        clients = send_for_a_while(service, taken, 1.0)
        cluster.nodes[1].kill()
        wait_until(lambda: service.metric("otel_feedback_insert_failures_total") >= 3 or None, 30, "no INSERT failed")
        for client in clients:
            client.stop()
            assert client.error is None, "the service goes on taking what comes"
        assert waiting(service) > 0
        cluster.nodes[1].start()
        wait_until_written(service)
        check_every_row(service, taken)


def test_a_service_starts_while_a_shard_is_away_and_writes_once_it_is_there(
    cluster: OwnCluster, taken: dict[str, Acknowledged], tmp_path: Path
):
    cluster.nodes[1].stop()
    with running_service(tmp_path / "data", settings_of(cluster)) as service:
        for client in send_for_a_while(service, taken, 1.0):
            client.stop()
        ready = httpx.get(f"{service.http}/readyz", timeout=30).json()
        assert ready["ready"] is True
        assert waiting(service) > 0
        cluster.nodes[1].start()
        wait_until_written(service)
        check_every_row(service, taken)


def test_a_service_refuses_to_start_while_a_shard_lacks_the_schema_and_it_cant_make_it(
    cluster: OwnCluster, tmp_path: Path
):
    code, said = start_in_vain(tmp_path / "data", settings_of(cluster, HIDDEN))
    assert code == 1
    assert "Nodes of the cluster hidden lack the schema" in said
    assert "(shard 2) is at 0000. Run `otel-feedback migrate` with OTEL_FEEDBACK_DATABASE_URL naming" in said


def test_a_refused_segment_is_not_forgotten_while_a_shard_is_away(cluster: OwnCluster):
    database = connect(cluster.url, CLUSTER)
    try:
        migrate(database, Settings.load({}))
        store(database, *(Call().request() for _ in range(20)), token="refused")
        cluster.nodes[1].kill()
        with pytest.raises(DatabaseError, match="All connection tries failed"):
            database.query("SELECT count() AS Spans FROM otel_traces")
        with pytest.raises(DatabaseError, match="Shard 2 of the cluster two_shards does not answer"):
            database.forget_segment("traces", "refused")
        cluster.nodes[1].start()
        database.forget_segment("traces", "refused")
        assert database.query("SELECT count() AS Spans FROM otel_traces") == [{"Spans": 0}]
    finally:
        database.close()
