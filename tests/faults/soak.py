"""``make soak``: break service, database, network and disk at random under load, and count what is wrong at the end.

Clients send what was not answered again, as exporters do. At the end every acknowledged request must be in SQL once.
With ``--queue-examples`` Hypothesis plays so many lives of a queue instead.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.support.clickhouse_server import OwnClickHouse, own_clickhouse
from tests.support.flaky_network import FlakyNetwork, Weather, flaky_network
from tests.support.queue_machine import play
from tests.support.service import RunningService
from tests.support.small_disk import SmallDisk, small_disk
from tests.support.traffic import (
    SPANS_PER_REQUEST,
    Acknowledged,
    counts,
    send_again,
    send_for_a_while,
    tally,
    wait_until_written,
)

SPANS = "SELECT SpanAttributes['test.key'] AS Key, count() AS Rows FROM otel_traces GROUP BY Key"
RATINGS = "SELECT RaterId AS Key, count() AS Rows FROM feedback GROUP BY Key"
DISK_BYTES = 1 << 30


def main() -> None:
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 10**6)
    parser.add_argument("--queue-examples", type=int, default=0, metavar="N")
    arguments = parser.parse_args()
    if arguments.queue_examples:
        play(arguments.queue_examples)
        print(f"{arguments.queue_examples} lives of a queue: nothing lost, nothing doubled")
        return
    print(f"{arguments.kills} kills, seed {arguments.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="otel-feedback-soak-") as folder:
        wrong = soak(Path(folder), arguments.kills, random.Random(arguments.seed))
    raise SystemExit(1 if wrong else 0)


def soak(folder: Path, kills: int, chance: random.Random) -> int:
    """How many requests are lost or doubled after so many kills, with as many other mishaps in between."""
    taken = {"traces": Acknowledged(), "logs": Acknowledged()}
    with ExitStack() as stack:
        server = stack.enter_context(own_clickhouse(folder))
        network, url = stack.enter_context(flaky_network(server.url))
        disk = _disk(stack, folder)
        data_dir = (disk.path if disk else folder) / "data"
        service = RunningService(data_dir, {"OTEL_FEEDBACK_DATABASE_URL": url}, log=folder / "service.log")
        stack.callback(service.stop)
        service.start()
        for number in range(kills):
            clients = send_for_a_while(service, taken, chance.uniform(0.1, 2.0))
            chance.choice(_mishaps(service, server, network, disk, chance))()
            for client in clients:
                client.stop()
            send_again(service, taken)
            if number % 20 == 19:
                sent = sum(len(each.requests) for each in taken.values())
                print(f"{number + 1} kills, {sent:,} requests acknowledged", flush=True)
        wait_until_written(service, 300)
        return _told(service, taken)


def _disk(stack: ExitStack, folder: Path) -> SmallDisk | None:
    """A disk that can be filled, where one can be made."""
    try:
        return stack.enter_context(small_disk(folder, DISK_BYTES))
    except (pytest.skip.Exception, pytest.fail.Exception) as reason:
        print(f"the disk is never full: {reason}", flush=True)
        return None


def _mishaps(
    service: RunningService, server: OwnClickHouse, network: FlakyNetwork, disk: SmallDisk | None, chance: random.Random
) -> list[Callable[[], None]]:
    """What may happen, each with a kill; afterwards everything is as it was."""

    def killed(victim: RunningService | OwnClickHouse) -> None:
        victim.kill()
        victim.start()

    def storm() -> None:
        for _ in range(3):
            cut = chance.randrange(200_000)
            network.become(
                chance.choice(
                    [
                        Weather(cut_answer_after=cut % 100),
                        Weather(cut_request_after=cut),
                        Weather(delay_seconds=0.05, bytes_per_second=500_000),
                        Weather(swallows=True),
                        Weather(refuses=True),
                    ]
                )
            )
            time.sleep(chance.uniform(0.1, 1.0))
        killed(service)
        network.become(Weather())

    def flood(filled: SmallDisk) -> None:
        filled.fill()
        time.sleep(chance.uniform(0.1, 2.0))
        service.kill()
        filled.make_room()
        service.start()

    mishaps: list[Callable[[], None]] = [lambda: killed(service), lambda: killed(server), storm]
    return [*mishaps, lambda: flood(disk)] if disk else mishaps


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
