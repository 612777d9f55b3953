"""``otel-feedback report``: a question by name, whoever has the database just then."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from subprocess import CompletedProcess
from typing import Final

import pytest
from tests.support.asking import WAYS, Command, asked_database
from tests.support.commands import otel_feedback

PERIOD: Final = ("--since", "2026-09-01", "--until", "2026-10-01")
ROW: Final = {
    "Model": "gpt-4o",
    "Calls": 1,
    "RatedCalls": 1,
    "ResponseRate": 1,
    "Ratings": 1,
    "Positive": 1,
    "Negative": 0,
    "Satisfaction": 1,
    "Low": 0.207,
    "High": 1,
}


@pytest.fixture(scope="module", params=WAYS)
def command(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Command]:
    """The command line, over a database that holds one rated call."""
    with asked_database(request.param, tmp_path_factory.mktemp("report")) as command:
        yield command


def answer_of(done: CompletedProcess[str]) -> str:
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_a_question_is_answered_in_any_format(command: Command):
    asked = ("report", "satisfaction_by_model", *PERIOD)
    row = json.loads(answer_of(command(*asked, "--format", "JSONEachRow")))
    assert {key: str(value) for key, value in row.items()} == {key: str(value) for key, value in ROW.items()}
    assert answer_of(command(*asked, "--format", "CSV")) == '"gpt-4o",1,1,1,1,1,0,1,0.207,1\n'
    assert "┌─Model──┬─Calls─┬─RatedCalls─┬" in answer_of(command(*asked))
    (told,) = json.loads(answer_of(command(*asked, "--format", "json")))["data"]
    assert told["Model"] == "gpt-4o"


def test_what_it_prints_to_paste_answers_the_same(command: Command):
    asked = ("report", "rated-vs-unrated", *PERIOD, "--param", "name=it's")
    query = answer_of(command(*asked, "--sql"))
    assert "{" not in query
    answer = answer_of(command(*asked, "--format", "CSV"))
    assert answer.startswith('"not rated",1,1,')
    assert answer_of(command("sql", "-", "--format", "CSV", stdin=query)) == answer


def test_what_clickhouse_refuses_is_told(command: Command):
    done = command("report", "satisfaction_by_day", *PERIOD, "--param", "timezone=Nowhere")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("otel-feedback report: ")
    assert "Nowhere" in done.stderr
    assert "Traceback" not in done.stderr


def test_without_a_database_it_says_how_to_get_one(tmp_path: Path):
    done = otel_feedback(tmp_path / "data", "report", "negatives")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"otel-feedback report: There is no database at {tmp_path / 'data' / 'clickhouse'}.")
