"""The programs behind ``make bench`` and ``make soak`` run; what they measure is for a quiet machine."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from tests.benchmarks import dashboard, evaluator, experiments, export, freshness, history, idle, insights, sdk
from tests.benchmarks.history import queries
from tests.benchmarks.history.asked import ASKED
from tests.benchmarks.ingest import measure, table
from tests.benchmarks.loads import LOADS
from tests.benchmarks.peers import OURS
from tests.faults.soak import soak
from tests.support.service import running_service

from otel_feedback.clickhouse.connect import connect
from otel_feedback.clickhouse.migrate import migrate
from otel_feedback.settings import Settings


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


@pytest.mark.parametrize("name", sdk.IMPORTS)
def test_what_a_rating_costs_an_app_is_measured_and_is_a_row_a_client(name: str):
    cost = sdk.measure(name, ratings=20, imports=1)
    assert 0 < cost.rating_p50_microseconds <= cost.rating_p99_microseconds
    assert list(cost.span_microseconds) == ([] if name == "langsmith" else ["span", "call"])
    assert sdk.table({name: cost}).splitlines()[2].startswith(f"| {name} | {cost.version} | ")


def test_the_history_holds_calls_and_current_ratings_of_them(tmp_path: Path):
    database = connect(f"chdb://{tmp_path / 'clickhouse'}")
    migrate(database, Settings.load({}))
    history.fill(database, spans=20_000, ratings=400)
    (calls,) = database.query(
        "SELECT count() AS Calls, countIf(Prompt = '' OR Completion = '') AS Empty FROM llm_calls"
    )
    (rated,) = database.query("SELECT count() AS Ratings, sum(Changes) AS Changes FROM rated_llm_calls")
    milliseconds = {name: queries.median_milliseconds(database, asked, rounds=1) for name, asked in ASKED.items()}
    sizes = queries.bytes_per_span(database)
    database.close()
    assert calls == {"Calls": 4000, "Empty": 0}
    taken_back, given_again = 4, 2
    assert rated == {"Ratings": 400 - 20 - 2 * taken_back + given_again, "Changes": 20}
    assert all(taken > 0 for taken in milliseconds.values())
    assert all(20 < size < 400 for size in sizes.values())


def test_how_long_pages_take_is_measured_while_spans_come(tmp_path: Path):
    database = connect(f"chdb://{tmp_path / 'data' / 'clickhouse'}")
    migrate(database, Settings.load({}))
    history.fill(database, spans=2000, ratings=200)
    database.close()
    measured, paints = dashboard.measure(tmp_path / "data", 3, 3, 0.02, 200, paints=1)
    assert sum(measured.refused.values()) == 0
    assert any(len(taken) > 1 for taken in measured.milliseconds.values())
    assert dashboard.table(measured).count("\n| ") == len(measured.milliseconds)
    assert all(0 < size < dashboard.MOST_PAGE_BYTES for size in measured.bytes.values())
    assert all(taken > 0 for taken in paints.values())


def test_what_an_export_takes_is_measured(tmp_path: Path):
    database = connect(f"chdb://{tmp_path / 'data' / 'clickhouse'}")
    migrate(database, Settings.load({}))
    history.fill(database, spans=4000, ratings=400)
    database.close()
    with running_service(tmp_path / "data", export.KEPT_FOR_GOOD) as service:
        tenth, whole = (export.measure(service, "kto", *period) for period in export.periods(service).values())
    assert 0 < tenth.rows < whole.rows < 400
    assert whole.seconds > 0
    assert 50 < whole.megabytes < 1000


def test_false_findings_are_counted_for_each_recipe(capsys: pytest.CaptureFixture[str]):
    insights.main(["--seeds", "1"])
    rows = capsys.readouterr().out.splitlines()[2:]
    assert [row.split(" | ")[0] for row in rows] == [f"| {name}" for name in insights.RECIPES]


def test_experiments_are_counted_for_each_kind_of_ratings():
    told = list(experiments.rows(1))[2:]
    assert [row.split(" | ")[0] for row in told] == [f"| {name}" for name in experiments.BALLOTS]


def test_how_good_an_evaluator_gets_is_measured_on_made_up_answers_and_on_pairs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    evaluator.main(["--most", "100"])
    pairs = tmp_path / "pairs.jsonl"
    turns = "\n\nHuman: where is order {}?\n\nAssistant: {}"
    sides = ("It was sent on day {0}, with number {0}.", "I am unable to help with order {0}.")
    with pairs.open("w") as file:
        for number in range(250):
            chosen, rejected = (turns.format(number, each.format(number)) for each in sides)
            file.write(json.dumps({"chosen": chosen, "rejected": rejected}) + "\n")
    evaluator.main(["--pairs", str(pairs)])
    made, of_pairs = (row for row in capsys.readouterr().out.splitlines() if row.startswith(("| 100 ", "| 500 ")))
    assert made.startswith("| 100 | 0.")
    assert of_pairs.startswith("| 500 | 1.000 ")


def test_the_soak_finds_nothing_wrong_after_two_kills(tmp_path: Path):
    assert soak(tmp_path, 2, random.Random(8)) == 0
