"""Bring every node of a cluster up to date, each migration on all of them before the next one.

Nodes are spoken to one by one: a cluster needs no Keeper for that, and no ON CLUSTER.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from otel_feedback.clickhouse import backfill, cluster_schema, statements
from otel_feedback.clickhouse.cluster import ClusterDatabase, Member, Node
from otel_feedback.clickhouse.cluster_schema import Cluster
from otel_feedback.clickhouse.schema_version import (
    Migrated,
    applied_version,
    newest_version,
    record,
    refuse_newer,
    tell_settings,
)
from otel_feedback.errors import ConfigurationError, DatabaseUnavailableError, SchemaVersionError
from otel_feedback.settings import Settings

logger = logging.getLogger(__name__)


def migrate(database: ClusterDatabase, settings: Settings) -> Migrated:
    """Migrate every node that can be reached; ``before`` is the version of the one that was furthest behind.

    Safe to run twice, and by two processes at once.

    Raises:
        ConfigurationError: there is no such cluster, or it is none that can be used; the message says how it could.
        SchemaVersionError: a node has a newer schema than this version knows, or an older one and can't be reached.
        DatabaseUnavailableError: no replica of some shard answers.
        DatabaseError: ClickHouse refused a statement; the versions before it are in place.
    """
    members = database.members()
    nodes = database.nodes(members)
    try:
        _check_that_shards_answer(database.cluster, members, nodes)
        reached = [node for node in nodes if _is_prepared(node)]
        migrated = _migrate(database, members, reached, settings)
        _check_the_others(database, members, reached)
    finally:
        for node in nodes:
            node.close()
    return migrated


def cluster_as_it_is(database: ClusterDatabase) -> Cluster:
    """The cluster, with what its servers say of it; nothing is changed.

    Raises:
        ConfigurationError: there is no such cluster, or its nodes are not alike.
        DatabaseError: a shard does not answer.
    """
    members = database.members()
    nodes = database.nodes(members)
    try:
        _check_that_shards_answer(database.cluster, members, nodes)
        return _cluster_as_it_is(database.cluster, members, nodes)
    finally:
        for node in nodes:
            node.close()


def _migrate(
    database: ClusterDatabase, members: Sequence[Member], nodes: Sequence[Node], settings: Settings
) -> Migrated:
    newest = newest_version()
    versions = {node.member: applied_version(node.main) for node in nodes}
    for version in versions.values():
        refuse_newer(version)
    before = min(versions.values(), default=newest)
    if before < newest:
        cluster = _cluster_as_it_is(database.cluster, members, nodes)
        for version, name in statements.migrations():
            behind = [node for node in nodes if versions[node.member] < version]
            _run(version, name, cluster, behind)
        logger.info("schema migrated from %04d to %04d on %d nodes", before, newest, len(nodes))
    for node in nodes:
        tell_settings(node.main, settings)
        tell_settings(node.shard, settings)
    return Migrated(before, newest)


def _run(version: int, name: str, cluster: Cluster, nodes: Sequence[Node]) -> None:
    migration = cluster_schema.of_migration(statements.load(name), cluster)
    for node in nodes:
        for step in migration.steps:
            (node.shard if step.is_in_shard else node.main).command(step.statement)
        if migration.altered and _is_stale(node, migration.altered, cluster):
            node.main.command(cluster_schema.distributed(migration.altered, cluster, replace=True))
    filled = set()
    for node in nodes:
        if node.member.shard not in filled:  # its replicas get the rows from it
            backfill.fill(node.shard, migration.steps[0].statement)
            filled.add(node.member.shard)
    for node in nodes:
        record(node.main, version, name)


def _is_prepared(node: Node) -> bool:
    """Whether the node could be reached; then it has both databases, and knows its version."""
    try:
        node.main.create()
        node.shard.create()
        node.main.command(statements.load("schema/create_schema_migrations.sql"))
    except DatabaseUnavailableError as error:
        logger.warning("%s is left out: %s", node.member, error)
        return False
    own = node.main.query(
        statements.load("cluster/own_tables.sql"),
        {"names": [name for name in cluster_schema.tables() if name not in cluster_schema.TABLES_OF_EVERY_NODE]},
    )
    if own:
        raise ConfigurationError(
            f"{node.member} has a table {node.main.name}.{own[0]['Name']} of its own, which is to mean all shards. "
            "Name another database in OTEL_FEEDBACK_DATABASE_URL and migrate; docs/cluster.md tells how to take the "
            "rows over"
        )
    return True


def _is_stale(node: Node, table: str, cluster: Cluster) -> bool:
    parameters = {"shard_database": cluster.shard_database, "table": table}
    (row,) = node.main.query(statements.load("cluster/has_stale_columns.sql"), parameters)
    return bool(row["IsStale"])


def _cluster_as_it_is(cluster: Cluster, members: Sequence[Member], nodes: Sequence[Node]) -> Cluster:
    """The cluster, and whether its tables are replicated.

    Raises:
        ConfigurationError: shards have replicas but can't replicate, or some can.
    """
    can = {str(node.member): node.is_replicated for node in nodes}
    if all(can.values()):
        logger.info("tables are replicated: every node has Keeper and the macros {shard} and {replica}")
        return Cluster(cluster.name, cluster.database, is_replicated=True)
    without = ", ".join(name for name, is_able in can.items() if not is_able)
    has_replicas = len({member.shard for member in members}) < len(members)
    if has_replicas or any(can.values()):
        raise ConfigurationError(
            f"The cluster {cluster.name} has nodes without Keeper or without the macros {{shard}} and {{replica}}, or "
            f"with tables from a time without: {without}. Replicas could not have the same rows. Configure them alike"
        )
    logger.info("tables are not replicated: no node has Keeper and the macros {shard} and {replica}")
    return cluster


def _check_that_shards_answer(cluster: Cluster, members: Sequence[Member], nodes: Sequence[Node]) -> None:
    answering = {node.member for node in nodes}
    for member in members:
        if member in answering:
            continue
        if all(each.shard != member.shard for each in answering):
            raise DatabaseUnavailableError(f"{member} of the cluster {cluster.name} does not answer")
        logger.warning("%s does not answer; migrate again when it does", member)


def _check_the_others(database: ClusterDatabase, members: Sequence[Member], reached: Sequence[Node]) -> None:
    """Return if nodes that answer the cluster but could not be reached from here have the schema already."""
    left_out = set(members) - {node.member for node in reached}
    if not left_out:
        return
    newest, versions = newest_version(), database.versions(members)
    behind = [each for each in members if each in left_out and versions.get(each, 0) != newest]
    if behind:
        told = ", ".join(f"{each} is at {versions.get(each, 0):04}" for each in behind)
        raise SchemaVersionError(
            f"Nodes of the cluster {database.cluster.name} lack the schema {newest:04}, and can't be reached over HTTP "
            f"from here: {told}. Run `otel-feedback migrate` with OTEL_FEEDBACK_DATABASE_URL naming each of them"
        )
