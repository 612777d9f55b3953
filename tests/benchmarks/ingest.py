"""``make bench``: what bringing spans into ClickHouse costs, ours beside the Collector's exporter, in one run.

Every peer gets the same requests on the same server in turn, several rounds long. CPU is that of the receiver and of
ClickHouse, merges included, from their processes' own clocks; a span counts as visible once SQL counts it. Machines
are noisy: read the ratios of the medians, not the seconds.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psutil
from tests.benchmarks.load import make_requests, send
from tests.benchmarks.peers import DATABASE, OURS, Peer, peers
from tests.support.clickhouse_server import OwnClickHouse, own_clickhouse
from tests.support.service import wait_until

VISIBLE_SECONDS = 300.0
SETTLE_SECONDS = 60.0


@dataclass(frozen=True)
class Cost:
    """What one run of one peer cost; CPU in seconds per 100,000 spans, rates in spans a second."""

    acknowledged_rate: float
    visible_rate: float
    receiver_cpu: float
    clickhouse_cpu: float
    receiver_megabytes: float

    @property
    def cpu(self) -> float:
        return self.receiver_cpu + self.clickhouse_cpu


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--spans", type=int, default=256_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--request-spans", type=int, nargs="+", default=[512, 16])
    parser.add_argument("--ours-only", action="store_true", help="leave the Collector out")
    arguments = parser.parse_args()
    contenders = [OURS] if arguments.ours_only else peers()
    for size in arguments.request_spans:
        spans = arguments.spans if size >= 100 else arguments.spans // 8
        print(f"{spans:,} spans in requests of {size}, {arguments.rounds} round(s), medians:\n", flush=True)
        print(table(measure(contenders, spans, size, arguments.rounds)), flush=True)


def measure(contenders: list[Peer], spans: int, request_spans: int, rounds: int) -> dict[str, list[Cost]]:
    """The costs of every peer, interleaved round by round."""
    requests = make_requests(spans, request_spans, seed=1)
    costs: dict[str, list[Cost]] = {}
    with tempfile.TemporaryDirectory(prefix="otel-feedback-bench-") as folder, own_clickhouse(Path(folder)) as server:
        for number in range(rounds):
            for index, peer in enumerate(contenders):
                place = Path(folder) / f"{number}-{index}"
                place.mkdir()
                costs.setdefault(peer.name, []).append(run_once(peer, server, place, requests, spans))
    return costs


def run_once(peer: Peer, server: OwnClickHouse, folder: Path, requests: list[bytes], spans: int) -> Cost:
    """One run on an empty database.

    Raises:
        AssertionError: a span is missing or there twice.
    """
    server.execute(f"DROP DATABASE IF EXISTS {DATABASE} SYNC")
    server.execute(f"CREATE DATABASE {DATABASE}")
    clickhouse = psutil.Process(server.pid)
    with peer.run(server, folder) as receiver:
        process = psutil.Process(receiver.pid)
        receiver_before, clickhouse_before = _cpu_seconds(process), _cpu_seconds(clickhouse)
        sent = send(requests, receiver.address, spans)
        wait_until(lambda: _count(server) >= spans or None, VISIBLE_SECONDS, f"{peer.name} did not write everything")
        visible_seconds = time.time() - sent.started_at
        wait_until(lambda: _merges(server) == 0 or None, SETTLE_SECONDS, "merges did not end")
        receiver_seconds = _cpu_seconds(process) - receiver_before
        clickhouse_seconds = _cpu_seconds(clickhouse) - clickhouse_before
        megabytes = process.memory_info().rss / 1e6
    distinct = int(server.execute(f"SELECT uniqExact(TraceId, SpanId) FROM {DATABASE}.otel_traces"))  # noqa: S608  # a constant
    assert _count(server) == distinct == spans, f"{peer.name}: {_count(server)} rows, {distinct} distinct, {spans} sent"
    hundreds_of_thousands = spans / 1e5
    return Cost(
        spans / sent.acknowledged_seconds,
        spans / visible_seconds,
        receiver_seconds / hundreds_of_thousands,
        clickhouse_seconds / hundreds_of_thousands,
        megabytes,
    )


def table(costs: dict[str, list[Cost]]) -> str:
    """Markdown: a row a peer, and how many times our CPU it takes."""
    lines = [
        "| | acknowledged spans/s | visible spans/s | receiver CPU s | ClickHouse CPU s | sum | x ours | receiver MB |",
        "|---|---|---|---|---|---|---|---|",
    ]
    ours = _median(next(iter(costs.values())), "cpu")
    for name, runs in costs.items():
        rates = [f"{_median(runs, each):,.0f}" for each in ("acknowledged_rate", "visible_rate")]
        cpu = [f"{_median(runs, each):.2f}" for each in ("receiver_cpu", "clickhouse_cpu", "cpu")]
        rest = [f"{_median(runs, 'cpu') / ours:.1f}", f"{_median(runs, 'receiver_megabytes'):.0f}"]
        lines.append(f"| {' | '.join([name, *rates, *cpu, *rest])} |")
    return "\n".join([*lines, "", "CPU in seconds per 100,000 spans.", ""])


def _median(runs: list[Cost], field: str) -> float:
    return statistics.median(getattr(each, field) for each in runs)


def _cpu_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _count(server: OwnClickHouse) -> int:
    of_table = f"database = '{DATABASE}' AND name = 'otel_traces'"
    return int(server.execute(f"SELECT total_rows FROM system.tables WHERE {of_table}") or 0)  # noqa: S608  # constants


def _merges(server: OwnClickHouse) -> int:
    return int(server.execute("SELECT count() FROM system.merges"))


if __name__ == "__main__":
    main()
