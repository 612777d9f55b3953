"""``otel-feedback contrast`` over the demo's two weeks, while the service runs and after."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from tests.support.commands import otel_feedback
from tests.support.service import running_service
from tests.support.shop import KEPT_FOR_GOOD, shop_request

from otel_feedback.insights import Filter, asker, contrast
from otel_feedback.settings import Settings

PERIOD: Final = ("--since", "2026-03-01", "--until", "2026-04-01")


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any], str]:
    """The data directory of a service that has stopped; what the command said while it ran, as JSON and as text."""
    data_dir = tmp_path_factory.mktemp("contrast") / "data"
    with running_service(data_dir, KEPT_FOR_GOOD) as service:
        answer = httpx.post(
            f"{service.http}/v1/traces",
            content=shop_request().SerializeToString(),
            headers={"Content-Type": "application/x-protobuf"},
        )
        assert answer.status_code == 200, answer.text
        service.wait_for_rows("SELECT * FROM rated_llm_calls", 119)
        as_json = otel_feedback(data_dir, "contrast", *PERIOD, "--format", "json")
        assert (as_json.returncode, as_json.stderr) == (0, "")
        as_text = otel_feedback(data_dir, "contrast", *PERIOD, "--no-store")
        assert (as_text.returncode, as_text.stderr) == (0, "")
        linked = json.loads(as_json.stdout)["contrast"]["findings"][0]["examples"][0]["link"]
        assert linked.startswith(service.dashboard)
        assert httpx.get(linked.partition("#")[0]).status_code == 200
    return data_dir, json.loads(as_json.stdout), as_text.stdout


def test_the_worse_prompt_is_what_sets_disliked_answers_apart(told: tuple[Path, dict[str, Any], str]):
    found = told[1]["contrast"]
    first = found["findings"][0]
    assert (first["dimension"], first["value"]) == ("prompt_version", "v1")
    assert first["difference"] > 0.3
    assert first["q"] < 0.01
    assert first["examples"][0]["session_id"].startswith("shop-03")
    assert found["cases"] + found["controls"] == 119
    same = next(each for each in found["findings"] if each["value"] == "v2")
    assert same["same_as"] == "prompt_version: v1"


def test_the_text_says_the_same_in_words(told: tuple[Path, dict[str, Any], str]):
    lines = told[2].splitlines()
    assert lines[0].startswith("46 negative and 73 positive calls, of ")
    assert "1. prompt_version: v1" in lines
    assert "   nearly the same calls as prompt_version: v1" in lines


def test_what_is_found_is_kept_with_what_made_it_and_found_again(told: tuple[Path, dict[str, Any], str]):
    data_dir, first, _ = told
    again = otel_feedback(data_dir, "contrast", *PERIOD, "--format", "json")
    assert (again.returncode, again.stderr) == (0, "")
    second = json.loads(again.stdout)
    assert second["id"] != first["id"]
    for run in (first, second):
        for finding in run["contrast"]["findings"]:
            for example in finding["examples"]:
                del example["link"]
    assert {**second, "id": ""} == {**first, "id": ""}
    query = "SELECT Run, Position, Dimension, Detail, QueryHash, DataHash FROM insight_findings ORDER BY Run, Position"
    stored = otel_feedback(data_dir, "sql", query, "--format", "JSONEachRow").stdout
    rows = [json.loads(line) for line in stored.splitlines()]
    assert {row["Run"] for row in rows} == {first["id"], second["id"]}
    assert {(row["QueryHash"], row["DataHash"]) for row in rows} == {(first["query_hash"], first["data_hash"])}
    kept = [json.loads(row["Detail"]) for row in rows if row["Run"] == first["id"]]
    assert kept[0]["cases"] == 46
    assert kept[1:] == first["contrast"]["findings"]


def test_of_more_calls_than_are_wanted_whole_conversations_are_drawn(told: tuple[Path, dict[str, Any], str]):
    asked = asker(Settings.load({"OTEL_FEEDBACK_DATA_DIR": str(told[0])}))
    steps: list[int] = []
    of = Filter(since="2026-03-01", until="2026-04-01")
    drawn = contrast(asked, of=of, most_calls=60, store=False, step=lambda: steps.append(1))
    assert 20 < drawn.contrast.cases + drawn.contrast.controls < 100
    assert drawn.contrast.response_rate == pytest.approx(0.385, abs=0.12)
    assert drawn.id == ""
    assert len(steps) == 5


def test_what_can_t_be_meant_is_told(told: tuple[Path, dict[str, Any], str]):
    for wrong in (("--q", "2"), ("--since", "soon"), ("--most-calls", "0"), ("--compare", "all")):
        done = otel_feedback(told[0], "contrast", *wrong)
        assert done.returncode == 2, done.stderr
        assert "Traceback" not in done.stderr
        assert "--param" not in done.stderr
    nothing = otel_feedback(told[0], "contrast", "--since", "2020-01-01", "--until", "2020-02-01")
    assert nothing.returncode == 1
    assert nothing.stderr.startswith("otel-feedback contrast: There is nothing to compare: of 0 calls from 2020-01-01")
