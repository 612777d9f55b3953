"""The kind ``judge``: a language model with criteria drafted from the negatives, held to the same measures."""

from __future__ import annotations

import json
import threading
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest
from tests.support.commands import otel_feedback
from tests.support.judged_answers import JudgedAnswer, as_answers, judged_answers, store_judged
from tests.support.judging_model import always_first, judged, judging_model
from tests.support.scripted_model import Reply, refuses
from tests.support.service import running_service
from tests.support.shop import KEPT_FOR_GOOD

from otel_feedback.clickhouse.connect import connect
from otel_feedback.clickhouse.migrate import migrate
from otel_feedback.insights.evaluator import ModelUse, load
from otel_feedback.settings import Settings

PERIOD: Final = ("--since", "2026-09-01", "--until", "2026-10-01")


def with_pairs(count: int) -> list[JudgedAnswer]:
    """Every second answer is to the question before it, in a conversation of two."""
    answers = judged_answers(count, 1)
    return [
        replace(each, question=answers[number - 1].question) if number % 2 else each
        for number, each in enumerate(answers)
    ]


RATED: Final = with_pairs(160)


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("judge") / "data"
    database = connect(f"chdb://{directory / 'clickhouse'}")
    migrate(database, Settings.load({}))
    store_judged(database, RATED)
    database.close()
    return directory


def train(data_dir: Path, out: Path, base_url: str, *more: str) -> Any:
    environment = {"OPENAI_BASE_URL": base_url}
    command = ("evaluator", "train", "--kind", "judge", "--model", "rule", "--out", str(out), *PERIOD, *more)
    return otel_feedback(data_dir, *command, environment=environment)


def kinds_of(asked: list[dict[str, Any]]) -> Counter[str]:
    names = [list(body["response_format"]["json_schema"]["schema"]["properties"])[-1] for body in asked]
    return Counter(names)


def test_it_drafts_criteria_judges_each_call_once_and_is_promoted(data_dir: Path, tmp_path: Path):
    with judging_model() as model:
        done = train(data_dir, tmp_path / "judge", model.base_url, "--answers", str(tmp_path / "answers"))
        assert (done.returncode, done.stderr) == (0, "")
        asked = kinds_of(model.asked)
        manifest = json.loads((tmp_path / "judge" / "manifest.json").read_text())
        assert manifest["promoted"] is True
        assert manifest["figures"]["evaluator"]["roc_auc"][0] > 0.8
        pairs = manifest["figures"]["pairs"]
        assert asked == {"criteria": 3, "dislike_percent": 160 + 3 * 60, "less_liked": 2 * pairs["count"]}
        assert pairs["count"] >= 10
        assert pairs["right"][1] > 0.6
        told = json.loads((tmp_path / "judge" / "model" / "judge.json").read_text())
        assert any("I am unable" in each for each in told["criteria"])
        assert len(told["examples"]) == 6
        drafts = [body for body in model.asked if "disliked" in json.loads(body["messages"][1]["content"])]
        assert all("it refuses to help" in body["messages"][1]["content"] for body in drafts)
        evaluator = load(tmp_path / "judge", ModelUse())
        fresh = judged_answers(30, 5, strength=1.0, first=5000)
        opinions = evaluator.model.opinions(as_answers(fresh))
        wrong = [each for each, told in zip(fresh, opinions, strict=True) if (told.score > 0.5) != (not each.vote)]
        assert len(wrong) <= 4
        assert any("[The answer says" in each.why for each in opinions)
        before = len(model.asked)
        again = otel_feedback(
            data_dir, "evaluator", "reproduce", str(tmp_path / "judge"), "--answers", str(tmp_path / "answers"),
            environment={"OPENAI_BASE_URL": model.base_url},
        )  # fmt: skip
        assert (again.returncode, again.stderr) == (0, "")
        assert len(model.asked) == before


def test_what_is_tried_was_never_shown(data_dir: Path, tmp_path: Path):
    with judging_model() as model:
        assert train(data_dir, tmp_path / "judge", model.base_url, "--answers", str(tmp_path / "a")).returncode == 0
        judged_with: dict[str, set[str]] = {}
        for body in model.asked:
            properties = body["response_format"]["json_schema"]["schema"]["properties"]
            if "dislike_percent" in properties:
                system = body["messages"][0]["content"]
                examples = json.loads(system[system.index("\n{") :])["rated"]
                shown = {each["answer"] for each in examples}
                answer = json.loads(body["messages"][1]["content"])["answer"]
                judged_with.setdefault(system, set()).add(answer)
                assert answer not in shown
    assert len(judged_with) == 3


def test_who_goes_by_position_decides_nothing(data_dir: Path, tmp_path: Path):
    with judging_model(always_first) as model:
        done = train(data_dir, tmp_path / "judge", model.base_url, "--answers", str(tmp_path / "answers"))
    assert done.returncode == 0, done.stderr
    pairs = json.loads((tmp_path / "judge" / "manifest.json").read_text())["figures"]["pairs"]
    assert (pairs["right"], pairs["undecided"]) == ([0.5, 0.5, 0.5], 1.0)


def test_a_spent_budget_ends_it_and_a_larger_one_asks_only_the_rest(data_dir: Path, tmp_path: Path):
    with judging_model() as model:
        answers = ("--answers", str(tmp_path / "answers"))
        short = train(data_dir, tmp_path / "judge", model.base_url, *answers, "--prices", "1/2", "--most-cost", "0.01")
        assert short.returncode == 1
        assert "The budget of 0.01 does not cover the next question" in short.stderr
        assert list(tmp_path.glob("judge*")) == []
        spent = len(model.asked)
        assert 10 < spent < 100
        done = train(data_dir, tmp_path / "judge", model.base_url, *answers)
        assert (done.returncode, done.stderr) == (0, "")
        questions = [json.dumps(body["messages"]) for body in model.asked]
        assert len(set(questions)) == len(questions)


def test_a_server_that_is_busy_is_waited_for_and_one_that_refuses_is_told(data_dir: Path, tmp_path: Path):
    lock, count = threading.Lock(), 0

    def busy(body: dict[str, Any]) -> Reply:
        nonlocal count
        with lock:
            count += 1
            return refuses(429, "slow down", retry_after="0") if count % 5 == 0 else judged(body)

    with judging_model(busy) as model:
        done = train(data_dir, tmp_path / "busy", model.base_url, "--answers", str(tmp_path / "a"), "--parallel", "8")
        assert (done.returncode, done.stderr) == (0, "")
    with judging_model(lambda _: refuses(401, "wrong key")) as model:
        done = train(data_dir, tmp_path / "no", model.base_url, "--answers", str(tmp_path / "b"))
    assert done.returncode == 1
    assert "wrong key" in done.stderr
    assert not (tmp_path / "no").exists()


def test_it_needs_a_model_and_a_classifier_none(data_dir: Path, tmp_path: Path):
    for wrong in (("--kind", "judge"), ("--model", "rule")):
        done = otel_feedback(data_dir, "evaluator", "train", "--out", str(tmp_path / "x"), *wrong, *PERIOD)
        assert done.returncode == 2
        assert "model" in done.stderr


def test_it_judges_what_nobody_rated_within_its_budget(tmp_path: Path):
    """Through the running service, by OTLP, beside what users said; what the budget left is judged by the next run."""
    data_dir, directory = tmp_path / "data", tmp_path / "judge"
    database = connect(f"chdb://{data_dir / 'clickhouse'}")
    migrate(database, Settings.load(KEPT_FOR_GOOD))
    store_judged(database, [*RATED, *judged_answers(12, 2, first=1000, rated=False)])
    database.close()
    with judging_model() as model:
        options = ("--answers", str(tmp_path / "answers"))
        assert train(data_dir, directory, model.base_url, *options).returncode == 0
        with running_service(data_dir, KEPT_FOR_GOOD) as service:

            def run(*more: str) -> str:
                command = ("evaluator", "run", str(directory), *PERIOD, *options, *more)
                done = otel_feedback(
                    data_dir, *command, environment={**KEPT_FOR_GOOD, "OPENAI_BASE_URL": model.base_url}
                )
                assert (done.returncode, done.stderr) == (0, "")
                return done.stdout

            asked = len(model.asked)
            assert run("--most-calls", "5").startswith("5 calls judged as evaluator.judge")
            assert len(model.asked) == asked + 5
            assert run().startswith("7 calls judged as evaluator.judge")
            assert len(model.asked) == asked + 12
            rows = service.sql("SELECT Source, Name, uniqExact(TraceId) AS Calls FROM feedback GROUP BY Source, Name")
            found = {row["Source"]: (row["Name"], int(row["Calls"])) for row in rows}
            assert found == {"end_user": ("thumbs", 160), "evaluator": ("evaluator.judge", 12)}
