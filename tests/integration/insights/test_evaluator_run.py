"""``otel-feedback evaluator run``: what nobody rated is judged once, within its budget, beside what users said."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import httpx
import pytest
from tests.support.commands import otel_feedback
from tests.support.judged_answers import JudgedAnswer, judged_answers
from tests.support.service import RunningService, running_service, service_environment
from tests.support.shop import KEPT_FOR_GOOD

PERIOD: Final = ("--since", "2026-09-01", "--until", "2026-10-01")
TOKEN: Final = {"OTEL_FEEDBACK_INGEST_TOKENS": "a token for tests"}
SETTINGS: Final = {**KEPT_FOR_GOOD, **TOKEN}
RATED: Final = judged_answers(160)
UNRATED: Final = judged_answers(130, 2, first=1000, rated=False)


def send(service: RunningService, answers: list[JudgedAnswer]) -> None:
    body = b"".join(request.SerializeToString() for each in answers for request in each.requests())
    headers = {
        "Content-Type": "application/x-protobuf",
        "Authorization": f"Bearer {TOKEN['OTEL_FEEDBACK_INGEST_TOKENS']}",
    }
    assert httpx.post(f"{service.http}/v1/traces", content=body, headers=headers).status_code == 200


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    with running_service(tmp_path_factory.mktemp("run") / "data", SETTINGS) as running:
        send(running, [*RATED, *UNRATED])
        running.wait_for_rows("SELECT TraceId FROM llm_calls", 290)
        running.wait_for_rows("SELECT TraceId FROM rated_llm_calls", 160)
        yield running


@pytest.fixture(scope="module")
def judge(service: RunningService) -> Path:
    directory = service.data_dir.parent / "judge"
    command = ("evaluator", "train", "--out", str(directory), "--as", "shop", *PERIOD)
    done = otel_feedback(service.data_dir, *command, environment=SETTINGS)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads((directory / "manifest.json").read_text())["promoted"] is True
    return directory


def verdicts(service: RunningService) -> list[dict[str, object]]:
    return service.sql("SELECT * FROM feedback WHERE Source = 'evaluator' ORDER BY TraceId DESC")


def test_newest_calls_are_judged_first_each_once_until_none_is_left(service: RunningService, judge: Path):
    first = otel_feedback(
        service.data_dir, "evaluator", "run", str(judge), "--most-calls", "30", *PERIOD, environment=SETTINGS
    )
    assert (first.returncode, first.stderr) == (0, "")
    assert first.stdout.startswith("30 calls judged as evaluator.shop: ")
    assert first.stdout.endswith("Stopped after 30 calls; run it again for the rest.\n")
    newest = [each.call.trace_id.hex() for each in reversed(UNRATED)]
    assert [row["TraceId"] for row in verdicts(service)] == newest[:30]
    rest = otel_feedback(service.data_dir, "evaluator", "run", str(judge), *PERIOD, environment=SETTINGS)
    assert (rest.returncode, rest.stderr) == (0, "")
    assert rest.stdout.startswith("100 calls judged")
    assert "None is left." in rest.stdout
    again = otel_feedback(service.data_dir, "evaluator", "run", str(judge), *PERIOD, environment=SETTINGS)
    assert again.stdout == "0 calls judged as evaluator.shop. None is left.\n"
    assert [row["TraceId"] for row in verdicts(service)] == newest
    assert len(service.sql("SELECT * FROM feedback_events WHERE Source = 'evaluator'")) == 130


def test_a_verdict_is_a_rating_by_this_version_with_score_and_reason(service: RunningService, judge: Path):
    manifest = json.loads((judge / "manifest.json").read_text())
    rows = verdicts(service)
    assert {row["RaterId"] for row in rows} == {f"shop@{manifest['version']}"}
    assert {row["Name"] for row in rows} == {"evaluator.shop"}
    assert {(row["Scope"], row["State"]) for row in rows} == {("span", "linked")}
    assert {row["Label"] for row in rows} == {"positive", "negative"}
    for row in rows:
        assert (row["Value"] < 1 - manifest["verdicts"]["negative_from"]) == (row["Label"] == "negative")
        assert "likely to be disliked" in str(row["Comment"])
    told = {each.call.trace_id.hex(): each for each in UNRATED}
    refusals = ("unable", "behilflich", "δυστυχώς", "申し訳")
    is_refusal = {trace: any(word in each.answer for word in refusals) for trace, each in told.items()}
    right = [(row["Label"] == "negative") == is_refusal[str(row["TraceId"])] for row in rows]
    assert sum(right) > 0.75 * len(right)


def test_users_ratings_are_counted_as_before(service: RunningService, judge: Path):
    assert judge.is_dir()
    (row,) = service.sql("SELECT sum(Positive) AS Positive, sum(Negative) AS Negative FROM sessions")
    assert int(row["Positive"]) + int(row["Negative"]) == 160
    command = ("evaluator", "train", "--out", str(judge.with_name("again")), *PERIOD, "--source", "any")
    done = otel_feedback(service.data_dir, *command, environment=SETTINGS)
    assert done.stdout.startswith("160 rated calls"), done.stderr


def test_erasing_a_person_takes_verdicts_on_their_calls_along(service: RunningService, judge: Path):
    assert judge.is_dir()
    person = UNRATED[40].call.user
    theirs = {each.call.trace_id.hex() for each in UNRATED if each.call.user == person}
    assert theirs & {str(row["TraceId"]) for row in verdicts(service)}
    done = otel_feedback(service.data_dir, "erase", "--user", person, "--yes", environment=SETTINGS)
    assert done.returncode == 0, done.stderr
    assert not theirs & {str(row["TraceId"]) for row in verdicts(service)}
    assert not service.sql("SELECT 1 FROM otel_logs WHERE has({ids:Array(String)}, TraceId)", ids=sorted(theirs))


def test_what_comes_while_it_watches_is_judged(service: RunningService, judge: Path):
    before = len(verdicts(service))
    command = [sys.executable, "-m", "otel_feedback.cli", "evaluator", "run", str(judge), "--watch", *PERIOD]
    send(service, judged_answers(4, 3, first=3000, rated=False))
    service.wait_for_rows("SELECT TraceId FROM llm_calls WHERE Timestamp > '2026-09-23 00:00:00'", 4)
    environment = service_environment(service.data_dir, SETTINGS)
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as watching:
        assert watching.stdout is not None
        try:
            said = watching.stdout.readline()
            watching.send_signal(signal.SIGINT)
            _, complained = watching.communicate(timeout=30)
        finally:
            watching.kill()  # where the tests themselves run without Ctrl-C, so does it
    assert watching.returncode == 130
    assert said.startswith("4 calls judged as evaluator.shop")
    assert complained == ""
    assert len(verdicts(service)) == before + 4


def test_one_that_is_not_promoted_judges_only_where_that_is_stated(service: RunningService, judge: Path):
    changed = json.loads((judge / "manifest.json").read_text()) | {"refused": ["it does not beat the best baseline"]}
    other = judge.with_name("refused")
    subprocess.run(["cp", "-r", judge, other], check=True)
    (other / "manifest.json").write_text(json.dumps(changed))
    refused = otel_feedback(service.data_dir, "evaluator", "run", str(other), *PERIOD, environment=SETTINGS)
    assert refused.returncode == 2
    assert "is not promoted: it does not beat the best baseline" in refused.stderr
    assert "--unpromoted" in refused.stderr
    stated = otel_feedback(
        service.data_dir, "evaluator", "run", str(other), "--unpromoted", *PERIOD, environment=SETTINGS
    )
    assert stated.returncode == 0, stated.stderr
    assert "is not promoted" in stated.stderr


def test_without_a_service_it_says_what_to_do(judge: Path, tmp_path: Path):
    done = otel_feedback(tmp_path / "elsewhere", "evaluator", "run", str(judge), *PERIOD)
    assert done.returncode == 1
    assert "No service runs with" in done.stderr
    assert "Start `otel-feedback serve` there" in done.stderr


def test_a_wrong_token_is_told(service: RunningService, judge: Path):
    send(service, judged_answers(2, 4, first=4000, rated=False))
    service.wait_for_rows("SELECT TraceId FROM llm_calls WHERE Timestamp > '2026-09-24 00:00:00'", 2)
    wrong = {**SETTINGS, "OTEL_FEEDBACK_INGEST_TOKENS": "another"}
    done = otel_feedback(service.data_dir, "evaluator", "run", str(judge), *PERIOD, environment=wrong)
    assert done.returncode == 1
    assert "status 401" in done.stderr
    assert "OTEL_FEEDBACK_INGEST_TOKENS" in done.stderr
