"""A database over several shards of a ClickHouse cluster: one server is spoken to, all of them hold the rows.

What is read and written goes through Distributed tables (see ``cluster_schema``). What these can't do, deleting rows
and making tables, is done on each node directly, over HTTP, as the user that the URL names.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from clickhouse_connect.driver.client import Client

from otel_feedback.clickhouse import statements
from otel_feedback.clickhouse.cluster_schema import Cluster
from otel_feedback.clickhouse.connections import ConnectionPool
from otel_feedback.clickhouse.database import Values
from otel_feedback.clickhouse.segments import TABLES, Signal
from otel_feedback.clickhouse.server import INSERT_TIMEOUT_SECONDS, ServerAddress, ServerDatabase
from otel_feedback.errors import ConfigurationError, DatabaseUnavailableError

logger = logging.getLogger(__name__)

# An INSERT returns when every shard has its rows; the rows that a JOIN or IN needs beside a table over all shards are
# collected once and sent along. Shards are not left out of lookups: traces from before a shard was added lie elsewhere.
SETTINGS: Final = {
    "distributed_foreground_insert": 1,
    "distributed_product_mode": "global",
    "optimize_skip_unused_shards": 0,
}
_POLL_SECONDS: Final = 0.05


@dataclass(frozen=True, slots=True)
class Member:
    """A replica of a shard, as the cluster's configuration has it."""

    shard: int
    weight: int
    host: str
    port: int
    is_local: bool

    def __str__(self) -> str:
        return f"{self.host}:{self.port} (shard {self.shard})"


class _NodeDatabase(ServerDatabase):
    """A database of one node; what it sends to the others it sends at once."""

    def __init__(self, address: ServerAddress) -> None:
        super().__init__(address)
        self._strangers = ConnectionPool(lambda: self._open(None, {}))

    def _open(self, database: str | None, settings: Values) -> Client:
        return super()._open(database, {**SETTINGS, **settings})

    def ask(self, name: str, **parameters: str) -> list[dict[str, Any]]:
        """The rows of a query that needs no database to be there.

        Raises:
            DatabaseError: ClickHouse can't be asked.
        """
        with self._strangers.client() as client:
            answer = client.query(statements.load(name), parameters=parameters)
            return list(answer.named_results())

    def close(self) -> None:
        """Close every connection that nobody uses; the others close when they come back."""
        super().close()
        self._strangers.close()


@dataclass(frozen=True, slots=True)
class Node:
    """A member that answers: its two databases, spoken to directly."""

    member: Member
    main: _NodeDatabase
    shard: _NodeDatabase

    @property
    def is_replicated(self) -> bool:
        """Whether its tables are replicated; before there are any, whether they can be.

        Raises:
            DatabaseError: it can't be asked.
        """
        (row,) = self.shard.ask("cluster/is_replicated.sql", shard_database=self.shard.name)
        return bool(row["IsReplicated"])

    def close(self) -> None:
        """Close its connections."""
        self.main.close()
        self.shard.close()


class ClusterDatabase(_NodeDatabase):
    """The database over all shards, seen from the server that the address names."""

    def __init__(self, address: ServerAddress, cluster_name: str) -> None:
        super().__init__(address)
        self.cluster = Cluster(cluster_name, address.database)
        self._stored_on: dict[str, set[int]] = {}

    def members(self) -> list[Member]:
        """Every replica of every shard, in the cluster's order.

        Raises:
            ConfigurationError: the server knows no such cluster.
            DatabaseError: the server can't be asked.
        """
        rows = self.ask("cluster/members.sql", cluster=self.cluster.name)
        if not rows:
            raise ConfigurationError(
                f"OTEL_FEEDBACK_CLUSTER={self.cluster.name!r}: {self._address.host}:{self._address.port} knows no such "
                "cluster. Those it knows are in its table system.clusters"
            )
        return [Member(row["Shard"], row["Weight"], row["Host"], row["Port"], bool(row["IsLocal"])) for row in rows]

    def nodes(self, members: Sequence[Member]) -> list[Node]:
        """Those of the members that answer, each to be closed by the caller.

        Raises:
            DatabaseError: the server can't be asked.
        """
        port_name = "https_port" if self._address.is_secure else "http_port"
        answers = self.ask("cluster/answering_nodes.sql", cluster=self.cluster.name, port_name=port_name)
        nodes = []
        for member in members:
            for answer in answers:
                if is_by(answer, member, members):
                    nodes.append(self._node(member, answer["HttpPort"]))
                    break
        return nodes

    def segment_is_stored(self, signal: Signal, token: str) -> bool:
        """Whether rows of the segment are on every shard.

        Where they are on some, the next INSERT of the segment leaves these out: they may have forgotten its token, and
        each has all of its rows or none.

        Raises:
            DatabaseError: a shard can't say.
        """
        statement = statements.render("cluster/shards_of_segment.sql", table=TABLES[signal])
        stored = {row["Shard"] for row in self.query(statement, {"segment": token})}
        if stored < {member.shard for member in self.members()}:
            self._stored_on[token] = stored
            return False
        return True

    def insert_segment(self, signal: Signal, path: Path, token: str) -> None:
        """As for every database; on several shards at once, each of which adds its rows once."""
        super().insert_segment(signal, path, token)
        self._stored_on.pop(token, None)

    def _limit(self, signal: Signal, token: str) -> str:
        stored = self._stored_on.get(token)
        if not stored:
            return ""
        slots = slots_of(self.members())
        return "\n" + statements.render(
            f"cluster/{signal}_of_other_shards.sql",
            stored_slots=str([slot for slot, shard in enumerate(slots) if shard in stored]),
            slots=str(len(slots)),
        )

    def versions(self, members: Sequence[Member]) -> dict[Member, int]:
        """The newest migration of each member that answers the cluster and has any.

        Raises:
            DatabaseError: the server can't be asked.
        """
        answers = self.ask("cluster/versions.sql", cluster=self.cluster.name, database=self.cluster.database)
        return {
            member: int(answer["Version"]) for member in members for answer in answers if is_by(answer, member, members)
        }

    def forget_segment(self, signal: Signal, token: str) -> None:
        """Delete the rows of a segment of which the INSERT was refused, on every shard.

        Raises:
            DatabaseError: some may be there still, for one because a shard is away.
        """
        members = self.members()
        nodes = {node.member.shard: node for node in self.nodes(members)}
        try:
            for shard in sorted({member.shard for member in members}):
                if shard not in nodes:
                    raise DatabaseUnavailableError(
                        f"Shard {shard} of the cluster {self.cluster.name} does not answer; it may hold rows of {token}"
                    )
            self._wait_for_inserts(token)
            for node in nodes.values():
                node.shard.forget_segment(signal, token)
        finally:
            for node in nodes.values():
                node.close()

    def _wait_for_inserts(self, token: str) -> None:
        """Wait until no shard works on an INSERT of the segment: what it stores later would never be forgotten."""
        until = time.monotonic() + INSERT_TIMEOUT_SECONDS
        while True:
            asked = {"cluster": self.cluster.name, "segment": token}
            (row,) = self.query(statements.load("cluster/inserts_under_way.sql"), asked)
            if not row["Inserts"]:
                return
            if time.monotonic() > until:
                raise DatabaseUnavailableError(f"A shard of {self.cluster.name} still stores rows of {token}")
            time.sleep(_POLL_SECONDS)

    def _node(self, member: Member, http_port: int) -> Node:
        address = replace(self._address, host=member.host, port=http_port)
        if member.is_local:
            own = _NodeDatabase(address)
            try:
                own.ask("queries/ping.sql")
            except DatabaseUnavailableError:
                address = self._address  # the name by which people know it
            finally:
                own.close()
        shard = replace(address, database=self.cluster.shard_database)
        return Node(member, _NodeDatabase(address), _NodeDatabase(shard))


def is_by(answer: Values, member: Member, members: Sequence[Member]) -> bool:
    """Whether the answer came from the member: by its shard, and where that has replicas, by its name or its port."""
    replicas = [each for each in members if each.shard == member.shard]
    if answer["Shard"] != member.shard:
        return False
    if len(replicas) == 1:
        return True
    if len({each.host for each in replicas}) == 1:
        return bool(answer["TcpPort"] == member.port)
    return (
        member.host in {answer["HostName"], answer["FullHostName"]} or member.host.split(".")[0] == answer["HostName"]
    )


def slots_of(members: Sequence[Member]) -> list[int]:
    """The shard that each remainder of a sharding key leads to: a shard has as many in a row as it weighs."""
    weights = {member.shard: member.weight for member in members}
    return [shard for shard, weight in weights.items() for _ in range(weight)]
