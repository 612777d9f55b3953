"""The programs behind ``make bench`` and ``make soak`` run; what they measure is for a quiet machine."""

from __future__ import annotations

import random
from pathlib import Path

from tests.benchmarks.ingest import measure, table
from tests.benchmarks.peers import OURS
from tests.faults.soak import soak


def test_the_benchmark_counts_every_span_and_prints_a_row_a_peer():
    costs = measure([OURS], spans=3000, request_spans=100, rounds=1)
    (cost,) = costs[OURS.name]
    assert cost.visible_rate > 0
    assert cost.receiver_cpu > 0
    assert table(costs).splitlines()[2].startswith(f"| {OURS.name} | ")


def test_the_soak_finds_nothing_wrong_after_two_kills(tmp_path: Path):
    assert soak(tmp_path, 2, random.Random(8)) == 0
