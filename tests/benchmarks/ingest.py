"""``make bench``: what bringing spans into ClickHouse costs, ours beside the Collector's exporter, in one run.

Every peer gets the same requests on the same server in turn, several rounds long. CPU is that of the receiver and of
ClickHouse, merges included, from their processes' own clocks; a span counts as visible once SQL counts it. Machines
are noisy: read the ratios of the medians, not the seconds.
"""

from __future__ import annotations

import argparse
import platform
import re
import statistics
import subprocess
import tempfile
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import psutil
from tests.benchmarks.loads import LOADS, Load
from tests.benchmarks.peers import DATABASE, OURS, OURS_OFFICIAL_ONLY, ROTEL_VERSION, Peer, peers
from tests.benchmarks.send import CALLERS, send
from tests.support.clickhouse_server import OwnClickHouse, own_clickhouse
from tests.support.collector import collector_binary
from tests.support.service import wait_until

VISIBLE_SECONDS = 300.0
SETTLE_SECONDS = 60.0
TABLES = {"traces": "otel_traces", "logs": "otel_logs"}


@dataclass(frozen=True)
class Cost:
    """What one run of one peer cost; CPU in seconds per 100,000 items, rates in items a second."""

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
    parser.add_argument("--items", type=int, default=256_000, help="spans in the largest load")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--loads", nargs="+", choices=LOADS, default=list(LOADS), metavar="LOAD", help=", ".join(LOADS))
    parser.add_argument("--callers", type=int, default=CALLERS, help="at once (default: %(default)s)")
    parser.add_argument("--ours-only", action="store_true", help="leave the others out")
    arguments = parser.parse_args()
    contenders = [OURS, OURS_OFFICIAL_ONLY] if arguments.ours_only else peers()
    print(versions(), flush=True)
    for name in arguments.loads:
        make, share = LOADS[name]
        load = make(max(1, int(arguments.items * share)))
        kind = "spans" if load.signal == "traces" else "log records"
        print(
            f"## {name}: {load.items:,} {kind}, {arguments.callers} callers, {arguments.rounds} round(s), medians\n",
            flush=True,
        )
        print(table(measure(contenders, load, arguments.rounds, arguments.callers)), flush=True)


def measure(contenders: list[Peer], load: Load, rounds: int, callers: int = CALLERS) -> dict[str, list[Cost]]:
    """The costs of every peer that takes this signal, interleaved round by round."""
    costs: dict[str, list[Cost]] = {}
    with tempfile.TemporaryDirectory(prefix="otel-feedback-bench-") as folder, own_clickhouse(Path(folder)) as server:
        for number in range(rounds):
            for index, peer in enumerate(each for each in contenders if each.takes(load)):
                place = Path(folder) / f"{number}-{index}"
                place.mkdir()
                costs.setdefault(peer.name, []).append(run_once(peer, server, place, load, callers))
    return costs


def run_once(peer: Peer, server: OwnClickHouse, folder: Path, load: Load, callers: int = CALLERS) -> Cost:
    """One run on an empty database.

    Raises:
        AssertionError: an item is missing or there twice.
    """
    server.execute(f"DROP DATABASE IF EXISTS {DATABASE} SYNC")
    server.execute(f"CREATE DATABASE {DATABASE}")
    clickhouse = psutil.Process(server.pid)
    table_name = TABLES[load.signal]
    with peer.run(server, folder) as receiver:
        process = psutil.Process(receiver.pid)
        receiver_before, clickhouse_before = _cpu_seconds(process), _cpu_seconds(clickhouse)
        sent = send(load.requests, receiver.address, load.signal, callers)
        wait_until(
            lambda: _count(server, table_name) >= load.items or None,
            VISIBLE_SECONDS,
            f"{peer.name} did not write everything",
        )
        visible_seconds = time.time() - sent.started_at
        wait_until(lambda: _merges(server) == 0 or None, SETTLE_SECONDS, "merges did not end")
        receiver_seconds = _cpu_seconds(process) - receiver_before
        clickhouse_seconds = _cpu_seconds(clickhouse) - clickhouse_before
        megabytes = _most_megabytes(process)
    distinct = int(server.execute(f"SELECT uniqExact(TraceId, SpanId) FROM {DATABASE}.{table_name}"))  # noqa: S608  # constants
    rows = _count(server, table_name)
    assert rows == distinct == load.items, f"{peer.name}: {rows} rows, {distinct} distinct, {load.items} sent"
    hundreds_of_thousands = load.items / 1e5
    return Cost(
        load.items / sent.acknowledged_seconds,
        load.items / visible_seconds,
        receiver_seconds / hundreds_of_thousands,
        clickhouse_seconds / hundreds_of_thousands,
        megabytes,
    )


def table(costs: dict[str, list[Cost]]) -> str:
    """Markdown: a row a peer, with our rates and our CPU as the unit of the multiples."""
    lines = [
        "| | acknowledged/s | visible/s | receiver CPU s | ClickHouse CPU s | sum | x ours | most receiver MB |",
        "|---|---|---|---|---|---|---|---|",
    ]
    ours = next(iter(costs.values()))
    for name, runs in costs.items():
        rates = [
            f"{_median(runs, each):,.0f} ({_median(runs, each) / _median(ours, each):.2f}x)"
            for each in ("acknowledged_rate", "visible_rate")
        ]
        cpu = [f"{_median(runs, each):.2f}" for each in ("receiver_cpu", "clickhouse_cpu", "cpu")]
        rest = [f"{_median(runs, 'cpu') / _median(ours, 'cpu'):.2f}", f"{_median(runs, 'receiver_megabytes'):.0f}"]
        lines.append(f"| {' | '.join([name, *rates, *cpu, *rest])} |")
    return "\n".join([*lines, "", "CPU in seconds per 100,000 items.", ""])


def versions() -> str:
    """Markdown: what was measured, and on what."""
    with tempfile.TemporaryDirectory() as folder, own_clickhouse(Path(folder)) as server:
        clickhouse = server.execute("SELECT version()").strip()
    collector = collector_binary()
    told = {
        "otel-feedback": version("otel-feedback"),
        "ClickHouse": clickhouse,
        "Collector": _collector_version(collector) if collector else "not measured",
        "Rotel": ROTEL_VERSION if collector else "not measured",
        "Python": platform.python_version(),
        "grpcio": version("grpcio"),
        "machine": f"{psutil.cpu_count()} cores, {psutil.virtual_memory().total >> 30} GiB, shared by everything",
    }
    return "".join(f"- {name}: {text}\n" for name, text in told.items())


def _collector_version(binary: Path) -> str:
    exporter = "clickhouseexporter"
    components = subprocess.run([binary, "components"], capture_output=True, text=True, check=True).stdout
    found = re.search(rf"{exporter} (v\S+)", components)
    return f"{exporter} {found[1]}" if found else exporter


def _median(runs: list[Cost], field: str) -> float:
    return statistics.median(getattr(each, field) for each in runs)


def _cpu_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _most_megabytes(process: psutil.Process) -> float:
    """The most memory that the process ever had (Linux), else what it has now."""
    status = Path(f"/proc/{process.pid}/status")
    if not status.exists():
        return float(process.memory_info().rss / 1e6)
    (kilobytes,) = re.findall(r"^VmHWM:\s+(\d+) kB$", status.read_text(), re.MULTILINE)
    return int(kilobytes) * 1024 / 1e6


def _count(server: OwnClickHouse, table_name: str) -> int:
    of_table = f"database = '{DATABASE}' AND name = '{table_name}'"
    return int(server.execute(f"SELECT total_rows FROM system.tables WHERE {of_table}") or 0)  # noqa: S608  # constants


def _merges(server: OwnClickHouse) -> int:
    return int(server.execute("SELECT count() FROM system.merges"))


if __name__ == "__main__":
    main()
