"""What ``migrate`` would run, as a script for people who let nothing but their own tools touch a database."""

from __future__ import annotations

from collections.abc import Iterator

from otel_feedback.clickhouse import cluster_schema, schema_version, statements
from otel_feedback.clickhouse.cluster_schema import Cluster, Step


def migration_script(database: str, settings_value: str, cluster: Cluster | None = None) -> Iterator[str]:
    """Every statement for an empty server, in order, for ``clickhouse-client``; in a cluster for each of its nodes.

    Rows that are there already are derived from by ``otel-feedback migrate`` alone.
    """
    databases = [database] if cluster is None else [cluster.shard_database, database]
    for each in databases:
        yield _ended(statements.render("schema/create_database.sql", database=f"`{each}`"))
    used = databases[-1]
    yield f"USE `{used}`;\n"
    yield _ended(statements.load("schema/create_schema_migrations.sql"))
    for version, name in statements.migrations():
        yield f"-- {name}\n"
        for step in _steps(statements.load(name), cluster):
            wanted = databases[0] if step.is_in_shard else database
            if wanted != used:
                used = wanted
                yield f"USE `{used}`;\n"
            yield _ended(step.statement)
        if used != database:
            used = database
            yield f"USE `{used}`;\n"
        yield f"SET param_version = {version}, param_name = {statements.literal(name.rpartition('/')[2])};\n"
        yield _ended(statements.load("schema/record_migration.sql"))
    for each in databases:
        yield f"USE `{each}`;\n"
        value = statements.literal(settings_value)
        yield f"SET param_name = {statements.literal(schema_version.UNMATCHED_AFTER)}, param_value = {value};\n"
        yield _ended(statements.load("schema/record_setting.sql"))


def _steps(migration: str, cluster: Cluster | None) -> Iterator[Step]:
    if cluster is None:
        yield Step(is_in_shard=False, statement=migration)
        return
    of_node = cluster_schema.of_migration(migration, cluster)
    yield from of_node.steps
    if of_node.altered:
        replacing = cluster_schema.distributed(of_node.altered, cluster, replace=True)
        yield Step(is_in_shard=False, statement=replacing)


def _ended(statement: str) -> str:
    return f"{statement};\n\n"
