"""Two real ClickHouse servers that are the two shards of a cluster, for tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from tests.support.clickhouse_server import OwnClickHouse, free_ports

CLUSTER: Final = "two_shards"
SHARDS: Final = (1, 2)

_CONFIG: Final = "<remote_servers><{cluster}>{shards}</{cluster}></remote_servers>"
_SHARD: Final = """<shard>
    <internal_replication>true</internal_replication>
    <replica><host>127.0.0.1</host><port>{tcp_port}</port></replica>
</shard>"""


class OwnCluster:
    """Two servers of the test's own; ``nodes[0]`` is the first shard. Any of them may be killed and started again."""

    def __init__(self, folder: Path) -> None:
        ports = free_ports(2 * len(SHARDS))
        pairs = [(ports[2 * number], ports[2 * number + 1]) for number in range(len(SHARDS))]
        shards = "".join(_SHARD.format(tcp_port=tcp_port) for _, tcp_port in pairs)
        config = _CONFIG.format(cluster=CLUSTER, shards=shards)
        self.nodes: list[OwnClickHouse] = []
        for shard, pair in zip(SHARDS, pairs, strict=True):
            (folder / str(shard)).mkdir()
            self.nodes.append(OwnClickHouse(folder / str(shard), pair, config))

    @property
    def url(self) -> str:
        """The first node's, for OTEL_FEEDBACK_DATABASE_URL; OTEL_FEEDBACK_CLUSTER is ``CLUSTER``."""
        return self.nodes[0].url

    def execute(self, statement: str) -> list[str]:
        """Each node's answer to the statement; tables need their database's name."""
        return [node.execute(statement) for node in self.nodes]


@contextmanager
def own_cluster(folder: Path) -> Iterator[OwnCluster]:
    """A started cluster; no process of it is left at the end."""
    cluster = OwnCluster(folder)
    with ExitStack() as stack:
        for node in cluster.nodes:
            stack.callback(node.stop)
            node.start()
        yield cluster
