"""``make bench-freshness``: how long a rating takes from its request to SQL while spans come at a steady rate.

Ratings come one at a time as log records over OTLP, as the SDK sends them; a rating counts as visible once the
``feedback`` view answers with it. The span load is paced, not sent as fast as it goes: a queue that only grows has no
freshness.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import threading
import time
import uuid
from pathlib import Path

import grpc
from tests.benchmarks.llm_spans import make_requests
from tests.benchmarks.peers import DATABASE
from tests.support.clickhouse_server import OwnClickHouse, own_clickhouse
from tests.support.service import running_service
from tests.support.traffic import LOGS, TRACES, rating_of

REQUEST_SPANS = 512
SECONDS_BETWEEN_RATINGS = 0.2
SECONDS_BETWEEN_LOOKS = 0.05
VISIBLE_SECONDS = 30.0


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench-freshness", description=__doc__)
    parser.add_argument("--rates", type=int, nargs="+", default=[0, 20_000, 40_000], help="spans a second")
    parser.add_argument("--seconds", type=float, default=30)
    arguments = parser.parse_args()
    print("| spans/s | ratings | p50 | p99 | longest |\n|---|---|---|---|---|")
    for rate in arguments.rates:
        delays = measure(rate, arguments.seconds)
        p99 = statistics.quantiles(delays, n=100, method="inclusive")[98]
        print(f"| {rate:,} | {len(delays)} | {statistics.median(delays):.2f} s | {p99:.2f} s | {max(delays):.2f} s |")


def measure(spans_per_second: int, seconds: float) -> list[float]:
    """Seconds from the send of each rating until SQL has it."""
    with tempfile.TemporaryDirectory(prefix="otel-feedback-bench-") as folder, own_clickhouse(Path(folder)) as server:
        server.execute(f"CREATE DATABASE {DATABASE}")
        url = f"clickhouse://default:@127.0.0.1:{server.http_port}/{DATABASE}"
        with running_service(Path(folder) / "data", {"OTEL_FEEDBACK_DATABASE_URL": url}) as service:
            ending = threading.Event()
            loader = threading.Thread(target=send_spans, args=(service.grpc, spans_per_second, ending))
            loader.start()
            try:
                return _rate_and_watch(service.grpc, server, seconds)
            finally:
                ending.set()
                loader.join()


def send_spans(address: str, spans_per_second: int, ending: threading.Event) -> None:
    if not spans_per_second:
        return
    requests = make_requests(spans_per_second * 2, REQUEST_SPANS, seed=1)
    with grpc.insecure_channel(address) as channel:
        export = channel.unary_unary(TRACES)
        due = time.monotonic()
        while not ending.is_set():
            for request in requests:
                if ending.wait(max(0.0, due - time.monotonic())):
                    return
                # Marked, so that it is another request than in the last round.
                export(request + _unknown_field(time.time_ns()), timeout=60)
                due += REQUEST_SPANS / spans_per_second


def _unknown_field(number: int) -> bytes:
    return b"\xc9\xa9\x07" + number.to_bytes(8, "little")  # field 15001, fixed64


def _rate_and_watch(address: str, server: OwnClickHouse, seconds: float) -> list[float]:
    sent: dict[str, float] = {}
    delays: list[float] = []
    until = time.monotonic() + seconds
    due = time.monotonic()
    query = f"SELECT RaterId FROM {DATABASE}.feedback WHERE RaterId NOT IN "  # noqa: S608  # our own keys
    seen: set[str] = set()
    with grpc.insecure_channel(address) as channel:
        export = channel.unary_unary(LOGS)
        while time.monotonic() < until or len(seen) < len(sent):
            if due <= time.monotonic() < until:
                key = uuid.uuid4().hex
                sent[key] = time.monotonic()
                export(rating_of(key).SerializeToString(), timeout=60)
                due += SECONDS_BETWEEN_RATINGS
            new = set(server.execute(query + f"({','.join(repr(each) for each in seen | {''})})").split()) - seen
            now = time.monotonic()
            seen |= new
            delays += [now - sent[each] for each in new]
            time.sleep(SECONDS_BETWEEN_LOOKS)
            assert now < until + VISIBLE_SECONDS, f"{len(sent) - len(seen)} ratings are not visible"
    return delays


if __name__ == "__main__":
    main()
