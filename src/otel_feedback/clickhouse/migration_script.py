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
    yield _use(used)
    yield _ended(statements.load("schema/create_schema_migrations.sql"))
    for version, name in statements.migrations():
        yield f"-- {name}\n"
        for step in _steps(statements.load(name), cluster):
            wanted = databases[0] if step.is_in_shard else database
            if wanted != used:
                used = wanted
                yield _use(used)
            yield _ended(step.statement)
        if used != database:
            used = database
            yield _use(used)
        yield _parameters(version=str(version), name=name.rpartition("/")[2])
        yield _ended(statements.load("schema/record_migration.sql"))
    for each in databases:
        yield _use(each)
        yield _parameters(name=schema_version.UNMATCHED_AFTER, value=settings_value)
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


def _use(database: str) -> str:
    return _ended(statements.render("schema/use_database.sql", database=f"`{database}`"))


def _parameters(**values: str) -> str:
    assignments = ", ".join(f"param_{name} = {statements.literal(value)}" for name, value in values.items())
    return _ended(statements.render("schema/set_parameters.sql", assignments=assignments))


def _ended(statement: str) -> str:
    return f"{statement};\n\n"
