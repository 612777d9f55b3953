"""``otel-feedback experiment`` over the demo's two weeks, and over variants that a trace's root span tells."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from tests.support.asking import asked_database
from tests.support.commands import otel_feedback
from tests.support.otlp import NOON, SECOND
from tests.support.ratings import Submission
from tests.support.segments import store
from tests.support.service import running_service
from tests.support.shop import KEPT_FOR_GOOD, fill_with_shop, shop_request
from tests.support.variants import VariantCall

from otel_feedback.clickhouse.connect import connect
from otel_feedback.errors import OtelFeedbackError, UsageError
from otel_feedback.insights import Arms, Design, Filter, asker, experiment
from otel_feedback.settings import Settings

MARCH: Final = Filter(since="2026-03-01", until="2026-04-01")
PERIOD: Final = ("--since", "2026-03-01", "--until", "2026-04-01")
LATER: Final = NOON + 30 * 86_400 * SECOND
VARIANTS: Final = ("--since", "2026-09-01", "--until", "2026-10-01")


def variants() -> ExportTraceServiceRequest:
    """Calls of 60 people, of whom each has one variant; "2" is better, and only root spans tell of it."""
    chance = random.Random(4)
    request = ExportTraceServiceRequest()
    for number in range(60):
        variant = str(1 + number % 2)
        call = VariantCall(number, at=NOON + number * 60 * SECOND, variant=variant, on_root=variant == "2")
        request.MergeFrom(call.request())
        likes = chance.random() < (0.95 if variant == "2" else 0.3)
        rating = Submission(
            call.rated, id=f"v{number}", value=float(likes), rater=f"rater-{number}", at=call.at + SECOND
        )
        request.MergeFrom(rating.carrier())
        stars = {"gen_ai.evaluation.score.label": None, "otel_feedback.score.min": 1.0, "otel_feedback.score.max": 5.0}
        given = Submission(
            call.rated, id=f"s{number}", name="stars", value=float(chance.choice((4, 5) if likes else (1, 2, 3))),
            rater=f"rater-{number}", at=call.at + 2 * SECOND, also=stars,
        )  # fmt: skip
        request.MergeFrom(given.carrier())
    return request


def many_versions() -> ExportTraceServiceRequest:
    """A thousand versions of a prompt, whose names are numbers; a new one each minute. Version 7 is rated by many."""
    request = ExportTraceServiceRequest()
    for number in range(1000):
        call = VariantCall(1000 + number, at=LATER + number * 60 * SECOND, version=f"{number}")
        request.MergeFrom(call.request())
        for rater in range(8 if number == 7 else 1):
            rating = Submission(call.rated, id=f"m{number}-{rater}", rater=f"one of many {number}-{rater}")
            request.MergeFrom(rating.carrier())
    return request


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("experiment") / "data"
    database = connect(f"chdb://{directory / 'clickhouse'}")
    fill_with_shop(database)
    store(database, variants(), token="variants")
    store(database, many_versions(), token="versions")
    database.close()
    return directory


def told(data_dir: Path, *arguments: str) -> dict[str, Any]:
    done = otel_feedback(data_dir, "experiment", *arguments, "--format", "json")
    assert (done.returncode, done.stderr) == (0, "")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_the_new_prompt_looks_better_and_what_else_may_be_behind_it_is_told(data_dir: Path):
    found = told(data_dir, "--prompt", "shop-assistant", *PERIOD)
    v1, v2 = found["experiment"]["arms"]
    assert (v1["value"], v1["calls"], v1["ratings"], v1["positive"], v1["negative"]) == ("v1", 169, 63, 24, 39)
    assert (v2["value"], v2["calls"], v2["ratings"], v2["positive"], v2["negative"]) == ("v2", 140, 56, 49, 7)
    (comparison,) = found["experiment"]["comparisons"]
    assert comparison["verdict"] == "looks better"
    assert 0.3 < comparison["low"] < comparison["difference"] < comparison["high"]
    assert comparison["anytime"]["pairs"] == 18
    assert {each["kind"] for each in comparison["cautions"]} == {"time", "people"}
    assert {each["changed"] for each in comparison["guards"]} == {""}
    as_text = otel_feedback(data_dir, "experiment", "--prompt", "shop-assistant", *PERIOD, "--no-store").stdout
    assert "v2 looks better than v1 if this is the only look" in as_text
    assert "  ! They ran at different times (v1 from 2026-03-02 " in as_text


def test_what_is_found_is_kept_with_what_made_it_and_found_again(data_dir: Path):
    first, second = (told(data_dir, "--by", "model", *PERIOD) for _ in range(2))
    first_id, second_id = first.pop("id"), second.pop("id")
    assert first_id != second_id
    assert first == second
    query = "SELECT Position, Kind, Dimension, Value, Detail, QueryHash, DataHash FROM insight_findings"
    stored = otel_feedback(
        data_dir, "sql", f"{query} WHERE Run = {{run:String}} ORDER BY Position", "--param", f"run={second_id}",
        "--format", "JSONEachRow",
    )  # fmt: skip
    rows = [json.loads(line) for line in stored.stdout.splitlines()]
    assert [(row["Kind"], row["Dimension"]) for row in rows] == [("experiment", "model")] * 3
    assert {(row["QueryHash"], row["DataHash"]) for row in rows} == {(second["query_hash"], second["data_hash"])}
    assert [json.loads(row["Detail"]) for row in rows[1:]] == second["experiment"]["comparisons"]
    assert json.loads(rows[0]["Detail"])["arms"] == second["experiment"]["arms"]


def test_a_history_has_each_version_beside_the_one_before_it(data_dir: Path):
    found = told(data_dir, "history", "--prompt", "shop-assistant", *PERIOD, "--no-store")
    assert (found["kind"], found["id"]) == ("history", "")
    assert [(each["control"], each["arm"]) for each in found["experiment"]["comparisons"]] == [("v1", "v2")]


def test_of_a_thousand_versions_ten_are_compared_and_the_others_counted(data_dir: Path):
    by = asker(Settings.load({"OTEL_FEEDBACK_DATA_DIR": str(data_dir)}))
    of = Filter("2026-10-01", "2026-12-31")
    found = experiment(by, of=of, store=False)
    arms = [each.value for each in found.experiment.arms]
    assert (len(arms), "7" in arms, arms == sorted(arms, key=int)) == (10, True, True)
    assert (found.other_arms, found.other_ratings, found.without) == (990, 990, 0)
    assert {each.verdict for each in found.experiment.comparisons} == {"too few"}
    newest = experiment(by, of=of, arms=Arms(most=3), design=Design(to_previous=True), store=False)
    assert [each.value for each in newest.experiment.arms] == ["997", "998", "999"]


def test_variants_are_found_on_the_call_or_else_on_its_trace(data_dir: Path):
    found = told(data_dir, "--attribute", "experiment.variant", "--name", "thumbs", *VARIANTS, "--split", "50/50")
    assert [(each["value"], each["calls"], each["ratings"]) for each in found["experiment"]["arms"]] == [
        ("1", 30, 30), ("2", 30, 30),
    ]  # fmt: skip
    (comparison,) = found["experiment"]["comparisons"]
    assert (comparison["verdict"], comparison["cautions"]) == ("better", [])
    assert comparison["anytime"]["pairs"] == 30
    assert comparison["anytime"]["low"] > 0
    turned = told(data_dir, "--attribute", "experiment.variant", *VARIANTS, "--arm", "2", "--arm", "1")
    (comparison,) = turned["experiment"]["comparisons"]
    assert (comparison["control"], comparison["arm"], comparison["verdict"]) == ("2", "1", "worse")
    (stars,) = comparison["scores"]
    assert (stars["name"], stars["minimum"], stars["maximum"], stars["ratings"]) == ("stars", 1, 5, 60)
    assert stars["high"] < 0
    as_text = otel_feedback(data_dir, "experiment", "--attribute", "experiment.variant", *VARIANTS, "--no-store").stdout
    assert "  stars: " in as_text


def test_of_more_calls_than_are_wanted_whole_conversations_are_drawn(data_dir: Path):
    asked = asker(Settings.load({"OTEL_FEEDBACK_DATA_DIR": str(data_dir)}))
    steps: list[int] = []
    found = experiment(
        asked,
        arms=Arms(prompt="shop-assistant"),
        of=MARCH,
        design=Design(detect=0.2),
        most_calls=100,
        store=False,
        step=lambda: steps.append(1),
    )
    assert len(steps) == 4
    assert [each.calls for each in found.experiment.arms] == [169, 140]
    assert found.experiment.comparisons[0].needed.difference == 0.2
    assert 250_000 < int(found.filter["drawn"]) < 400_000


@pytest.mark.parametrize(
    ("asked", "error", "message"),
    [
        ({"arms": Arms(by="mood")}, UsageError, "'mood' is nothing to compare by; there are prompt_version, "),
        ({"arms": Arms(attribute="user.id")}, UsageError, "names people"),
        ({"arms": Arms(most=1)}, UsageError, "two arms"),
        ({"of": Filter(since="soon")}, UsageError, "is no moment"),
        ({"design": Design(split=(5, 3, 2))}, UsageError, "the split needs 2 shares above 0, for v1, v2"),
        ({"design": Design(split=(1, -1))}, UsageError, "the split needs 2 shares above 0"),
        ({"design": Design(detect=0)}, UsageError, "must be above 0"),
        ({"arms": Arms(names=("v1", "v9"))}, UsageError, "No call has the prompt_version 'v9'. There are: v1, v2"),
        (
            {"of": Filter("2026-03-01", "2026-10-01")},
            UsageError,
            "versions of 2 prompts (greeter, shop-assistant). Say which",
        ),
        ({"arms": Arms(by="service")}, OtelFeedbackError, "service has the one value 'shop-assistant'"),
        ({"arms": Arms(attribute="no.such")}, OtelFeedbackError, "no.such is not told of any call"),
        ({"arms": Arms(prompt="no such")}, OtelFeedbackError, "of 0 calls from 2026-03-01"),
    ],
)
def test_what_can_t_be_compared_is_told(
    data_dir: Path, asked: dict[str, Any], error: type[OtelFeedbackError], message: str
):
    by = asker(Settings.load({"OTEL_FEEDBACK_DATA_DIR": str(data_dir)}))
    with pytest.raises(error, match=re.escape(message)):
        experiment(by, **{"of": MARCH, "store": False, **asked})


def test_the_command_tells_it_too(data_dir: Path):
    for code, message, wrong in (
        (2, "--split 'much' can't be read", ("--split", "much")),
        (2, "required: --prompt", ("history",)),
        (1, "There is nothing to compare: of 309 calls", ("--by", "service", *PERIOD)),
    ):
        done = otel_feedback(data_dir, "experiment", *wrong)
        assert (done.returncode, message in done.stderr) == (code, True), done.stderr
        assert "Traceback" not in done.stderr


def test_while_the_service_runs_it_is_asked(tmp_path: Path):
    with running_service(tmp_path / "data", KEPT_FOR_GOOD) as service:
        answer = httpx.post(
            f"{service.http}/v1/traces",
            content=shop_request().SerializeToString(),
            headers={"Content-Type": "application/x-protobuf"},
        )
        assert answer.status_code == 200, answer.text
        service.wait_for_rows("SELECT * FROM rated_llm_calls", 119)
        found = told(tmp_path / "data", *PERIOD)
        assert found["experiment"]["comparisons"][0]["verdict"] == "looks better"


@pytest.mark.parametrize("way", ["a server", "a cluster"])
def test_a_server_and_a_cluster_answer_as_well(way: str, tmp_path: Path):
    with asked_database(way, tmp_path) as command:
        done = command("experiment", "--by", "model", "--since", "2026-09-01", "--until", "2026-10-01")
        assert done.returncode == 1
        assert "of 1 calls from 2026-09-01" in done.stderr
        assert "model has the one value 'gpt-4o'" in done.stderr
