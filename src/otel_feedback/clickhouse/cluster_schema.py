"""The migrations as a cluster runs them: each on every node, in two databases of it.

``<database>_shard`` holds a node's share, in the tables, materialized views and views of a single server. The database
itself has, under the same names, what reads and writes all shards. A trace is on one shard, with all that belongs to
it, so what follows from single traces is joined there; a view that looks across traces is made over all shards instead,
from the same text. See docs/adr/0018.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from otel_feedback.clickhouse import statements

VIEWS_OF_SINGLE_TRACES: Final = frozenset({"keyed_llm_calls", "llm_calls", "traces", "rated_llm_calls", "rated_traces"})
"""Views of which each row follows from one trace and its ratings. Others, and any that is new, look across shards."""

TABLES_OF_EVERY_NODE: Final = frozenset({"service_settings", "deletions"})
"""Tables that are no part of a whole: each node has all of them, in both databases."""

_KEYS: Final = {
    "insight_findings": "cityHash64(Run)",
    "rating_deliveries": "cityHash64(TargetTraceId)",
    # Logs without a trace are many, so they are spread; by their content, so that a repeated INSERT goes the same way.
    "otel_logs": "cityHash64(if(TraceId = '', toString(toUnixTimestamp64Nano(Timestamp)), TraceId))",
}
_KEY_OF_TRACES: Final = "cityHash64(TraceId)"

_KINDS: Final = re.compile(
    r"^(?P<kind>CREATE TABLE|CREATE MATERIALIZED VIEW|CREATE VIEW|ALTER TABLE|DROP VIEW)"
    r"(?: IF NOT EXISTS| IF EXISTS)? (?P<name>\w+)",
    re.MULTILINE,
)
_TO_RATINGS: Final = re.compile(r" TO rating_deliveries AS$", re.MULTILINE)
_WINDOW: Final = re.compile(r"\bnon_replicated_deduplication_window = \d+")
_ENGINE: Final = re.compile(r"^ENGINE = (?P<kind>\w*MergeTree)(?:\((?P<arguments>.*)\))?$", re.MULTILINE)
_NEVER_BY_AGE: Final = 10**9


@dataclass(frozen=True, slots=True)
class Cluster:
    """What the statements need to know of a cluster.

    Attributes:
        name: as in ClickHouse's ``remote_servers``.
        database: the database that people use.
        is_replicated: shards have Keeper and the macros {shard} and {replica}: their tables are replicated.
    """

    name: str
    database: str
    is_replicated: bool = False

    @property
    def shard_database(self) -> str:
        """The database of a node's share."""
        return f"{self.database}_shard"


@dataclass(frozen=True, slots=True)
class Step:
    """A statement, and the one of a node's databases that it is for."""

    is_in_shard: bool
    statement: str


@dataclass(frozen=True, slots=True)
class NodeMigration:
    """What a node runs for one migration.

    Attributes:
        altered: the table of which the shards' columns may now be others than those of the table over all; or "".
    """

    steps: tuple[Step, ...]
    altered: str = ""


def of_migration(text: str, cluster: Cluster) -> NodeMigration:
    """What a node runs for a migration; what makes the migration's own object comes first.

    Raises:
        ValueError: it does what no migration has done so far, and this module must learn.
    """
    found = _KINDS.search(text)
    if found is None:
        raise ValueError(f"a cluster can't run this migration: {text}")
    kind, name = found["kind"], found["name"]
    if name in TABLES_OF_EVERY_NODE:
        return NodeMigration((_in_shard(text), _in_main(text)))
    match kind:
        case "CREATE TABLE":
            return NodeMigration((_in_shard(_table(name, text, cluster)), _in_main(distributed(name, cluster))))
        case "ALTER TABLE":
            return NodeMigration((_in_shard(_settings(name, text, cluster)),), altered=name)
        case "CREATE MATERIALIZED VIEW":
            # What is rated is often in another trace than what tells of it, and then on another shard.
            text = _TO_RATINGS.sub(f" TO {_quoted(cluster.database)}.rating_deliveries AS", text)
        case "CREATE VIEW" if name in VIEWS_OF_SINGLE_TRACES:
            return NodeMigration((_in_shard(text), _in_main(distributed(name, cluster))))
        case "CREATE VIEW":
            return NodeMigration(
                (
                    _in_main(statements.render("cluster/create_spanning_view.sql", view=text)),
                    _in_shard(
                        statements.render(
                            "cluster/create_view_of_spanning_view.sql", view=name, main=_quoted(cluster.database)
                        )
                    ),
                )
            )
    return NodeMigration((_in_shard(text),))


def tables() -> tuple[str, ...]:
    """The names of all tables that migrations make."""
    found = (_KINDS.search(statements.load(name)) for _, name in statements.migrations())
    return tuple(each["name"] for each in found if each is not None and each["kind"] == "CREATE TABLE")


def _in_shard(statement: str) -> Step:
    return Step(is_in_shard=True, statement=statement)


def _in_main(statement: str) -> Step:
    return Step(is_in_shard=False, statement=statement)


def distributed(table: str, cluster: Cluster, *, replace: bool = False) -> str:
    """The statement that makes the table over all shards."""
    return statements.render(
        f"cluster/{'replace' if replace else 'create'}_distributed.sql",
        table=table,
        shard=_quoted(cluster.shard_database),
        shard_name=statements.literal(cluster.shard_database),
        cluster=statements.literal(cluster.name),
        key=_KEYS.get(table, _KEY_OF_TRACES),
    )


def _table(name: str, text: str, cluster: Cluster) -> str:
    if cluster.is_replicated:
        text = _ENGINE.sub(_replicated_engine, text)
    return _settings(name, text, cluster)


def _replicated_engine(engine: re.Match[str]) -> str:
    arguments = ["'/clickhouse/tables/{shard}/{database}/{table}'", "'{replica}'"]
    if engine["arguments"]:
        arguments.append(engine["arguments"])
    return f"ENGINE = Replicated{engine['kind']}({', '.join(arguments)})"


def _settings(name: str, text: str, cluster: Cluster) -> str:
    """The shards' settings: under one token each shard may send ratings to the same one, which are no repeats."""
    window = 0 if name == "rating_deliveries" else 10000
    return _WINDOW.sub(
        f"replicated_deduplication_window = {window}, replicated_deduplication_window_seconds = {_NEVER_BY_AGE}"
        if cluster.is_replicated
        else f"non_replicated_deduplication_window = {window}",
        text,
    )


def _quoted(name: str) -> str:
    return f"`{name}`"
