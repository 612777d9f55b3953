"""``make soak``: kill the service or its ClickHouse server at random moments under load, and count what is wrong.

Clients send what was not answered again, as exporters do. At the end every acknowledged request must be in SQL once.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from pathlib import Path

from tests.support.clickhouse_server import own_clickhouse
from tests.support.service import RunningService, wait_until
from tests.support.traffic import SPANS_PER_REQUEST, Acknowledged, counts, send_again, send_for_a_while, tally, waiting

SPANS = "SELECT SpanAttributes['test.key'] AS Key, count() AS Rows FROM otel_traces GROUP BY Key"
RATINGS = "SELECT RaterId AS Key, count() AS Rows FROM feedback GROUP BY Key"


def main() -> None:
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 10**6)
    arguments = parser.parse_args()
    print(f"{arguments.kills} kills, seed {arguments.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="otel-feedback-soak-") as folder:
        wrong = soak(Path(folder), arguments.kills, random.Random(arguments.seed))
    raise SystemExit(1 if wrong else 0)


def soak(folder: Path, kills: int, chance: random.Random) -> int:
    """How many requests are lost or doubled after so many kills."""
    taken = {"traces": Acknowledged(), "logs": Acknowledged()}
    with own_clickhouse(folder) as server:
        service = RunningService(folder / "data", {"OTEL_FEEDBACK_DATABASE_URL": server.url})
        try:
            service.start()
            for number in range(kills):
                clients = send_for_a_while(service, taken, chance.uniform(0.1, 2.0))
                victim = chance.choice([service, server])
                victim.kill()
                for client in clients:
                    client.stop()
                victim.start()
                send_again(service, taken)
                if number % 20 == 19:
                    sent = sum(len(each.requests) for each in taken.values())
                    print(f"{number + 1} kills, {sent:,} requests acknowledged", flush=True)
            wait_until(lambda: waiting(service) == 0 or None, 300, "the queue was not written")
            return _told(service, taken)
        finally:
            service.stop()


def _told(service: RunningService, taken: dict[str, Acknowledged]) -> int:
    wrong = 0
    for signal, query, rows in (("traces", SPANS, SPANS_PER_REQUEST), ("logs", RATINGS, 1)):
        lost, others = tally(counts(service, query), taken[signal], rows)
        wrong += len(lost) + len(others)
        doubled = sum(count > rows for count in others.values())
        print(
            f"{signal}: {len(taken[signal].requests):,} acknowledged, {len(lost)} lost, {doubled} doubled", flush=True
        )
    again = service.metric("otel_feedback_duplicates_dropped_total")
    print(f"requests recognised as sent again since the last start: {again:g}")
    return wrong


if __name__ == "__main__":
    main()
