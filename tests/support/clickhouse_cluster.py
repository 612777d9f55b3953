"""Two real ClickHouse servers that are the two shards of a cluster, for tests.

Where OTEL_FEEDBACK_TEST_ZOOKEEPER=host:port names a ZooKeeper or Keeper, they have it, so that tables are replicated.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from tests.support.clickhouse_server import OwnClickHouse, free_ports
from tests.support.gentle_network import ELSEWHERE, gentle_network

ZOOKEEPER: Final = os.environ.get("OTEL_FEEDBACK_TEST_ZOOKEEPER", "")
CLUSTER: Final = "two_shards"
HIDDEN: Final = "hidden"
"""The same servers as a cluster whose nodes know each other at an address where nobody else reaches them by HTTP."""
SHARDS: Final = (1, 2)

_SHARD: Final = """<shard>
    <internal_replication>true</internal_replication>
    <replica><host>{host}</host><port>{port}</port></replica>
</shard>"""
# One replica a shard, so that nobody asks at its port for parts; the shards of each test run have names of their own,
# since ZooKeeper outlives them.
_REPLICATED: Final = """<zookeeper><node><host>{host}</host><port>{port}</port></node></zookeeper>
<interserver_http_host>127.0.0.1</interserver_http_host><interserver_http_port>1</interserver_http_port>
<macros><shard>{run}-{shard}</shard><replica>1</replica></macros>"""


class OwnCluster:
    """Two servers of the test's own; ``nodes[0]`` is the first shard. Any of them may be killed and started again.

    ``routes`` tells the ports at which they look for each other, and which ports of theirs these are to lead to.
    """

    def __init__(self, folder: Path) -> None:
        count = len(SHARDS)
        ports = free_ports(3 * count)
        http_ports, tcp_ports, routed_ports = ports[:count], ports[count : 2 * count], ports[2 * count :]
        self.routes = dict(zip(routed_ports, tcp_ports, strict=True))
        self.nodes: list[OwnClickHouse] = []
        run = secrets.token_hex(4)
        for shard in SHARDS:
            seen = [tcp_ports[n - 1] if n == shard else routed_ports[n - 1] for n in SHARDS]
            (folder / str(shard)).mkdir()
            pair = (http_ports[shard - 1], tcp_ports[shard - 1])
            config = _cluster(CLUSTER, seen, ["127.0.0.1"] * count)
            config += _cluster(HIDDEN, seen, ["127.0.0.1" if n == shard else ELSEWHERE for n in SHARDS])
            config = f"<remote_servers>{config}</remote_servers>"
            if ZOOKEEPER:
                host, _, port = ZOOKEEPER.partition(":")
                config += _REPLICATED.format(host=host, port=port, run=run, shard=shard)
            self.nodes.append(OwnClickHouse(folder / str(shard), pair, config))

    @property
    def url(self) -> str:
        """The first node's, for OTEL_FEEDBACK_DATABASE_URL; OTEL_FEEDBACK_CLUSTER is ``CLUSTER``."""
        return self.nodes[0].url

    def execute(self, statement: str) -> list[str]:
        """Each node's answer to the statement; tables need their database's name."""
        return [node.execute(statement) for node in self.nodes]


def _cluster(name: str, ports: list[int], hosts: list[str]) -> str:
    shards = "".join(_SHARD.format(host=host, port=port) for host, port in zip(hosts, ports, strict=True))
    return f"<{name}>{shards}</{name}>"


@contextmanager
def own_cluster(folder: Path) -> Iterator[OwnCluster]:
    """A started cluster; no process of it is left at the end."""
    cluster = OwnCluster(folder)
    with ExitStack() as stack:
        stack.enter_context(gentle_network(cluster.routes))
        for node in cluster.nodes:
            stack.callback(node.stop)
            node.start()
        yield cluster
