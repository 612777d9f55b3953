"""The programs behind ``make bench`` and ``make soak`` run; what they measure is for a quiet machine."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from tests.benchmarks import freshness, idle
from tests.benchmarks.ingest import measure, table
from tests.benchmarks.loads import LOADS
from tests.benchmarks.peers import OURS
from tests.faults.soak import soak


@pytest.mark.parametrize("name", LOADS)
def test_the_benchmark_counts_every_item_and_prints_a_row_a_peer(name: str):
    make, share = LOADS[name]
    costs = measure([OURS], make(int(3000 * share)), rounds=1)
    (cost,) = costs[OURS.name]
    assert cost.visible_rate > 0
    assert cost.receiver_cpu > 0
    assert table(costs).splitlines()[2].startswith(f"| {OURS.name} | ")


def test_every_rating_gets_visible_while_spans_come():
    delays = freshness.measure(spans_per_second=2000, seconds=1)
    assert len(delays) >= 2
    assert all(delay > 0 for delay in delays)


def test_what_an_idle_service_takes_is_measured():
    assert 0 < idle.measure(requests_per_second=1, seconds=2) < 2


def test_the_soak_finds_nothing_wrong_after_two_kills(tmp_path: Path):
    assert soak(tmp_path, 2, random.Random(8)) == 0
