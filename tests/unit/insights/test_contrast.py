"""What is planted is found, and little else: also when nothing is planted, or a few people give most votes."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
import pyarrow as pa
import pytest
from tests.support.made_calls import PLANTED, Recipe, false_share, made_calls, recall

from otel_feedback.insights import Example, Limits
from otel_feedback.insights.contrast import find

SEEDS: Final = 8
RECIPES: Final = {
    "nothing to find": (Recipe(), 0.0),
    "nothing to find among busy people with habits": (Recipe(likeness=2, habits=True), 0.0),
    "four causes": (Recipe(planted=PLANTED), 0.95),
    "four causes among busy people with habits": (Recipe(planted=PLANTED, likeness=1, habits=True), 0.5),
}


@pytest.mark.parametrize("name", RECIPES)
def test_false_findings_are_no_more_than_q_and_causes_are_found(name: str):
    recipe, least_recall = RECIPES[name]
    found = [find(made_calls(recipe, seed), "negative", Limits(q=0.1)) for seed in range(SEEDS)]
    assert np.mean([false_share(each, recipe) for each in found]) <= 0.1
    assert np.mean([recall(each, recipe) for each in found]) >= least_recall
    assert min(each.tested for each in found) > 300


@pytest.fixture(scope="module")
def planted() -> pa.Table:
    return made_calls(Recipe(planted=PLANTED), seed=7)


def test_a_finding_tells_its_counts_shares_interval_and_examples(planted: pa.Table):
    found = find(planted, "negative", Limits())
    finding = next(each for each in found.findings if each.dimension == "tool")
    rows = [row for row in planted.to_pylist() if row["IsRated"]]
    with_it = [row for row in rows if "search" in row["tool"]]
    negative = [row for row in with_it if row["IsNegative"]]
    assert (finding.cases_with, finding.controls_with) == (len(negative), len(with_it) - len(negative))
    assert finding.cases == found.cases == sum(row["IsNegative"] for row in rows)
    assert finding.share_with == pytest.approx(len(negative) / len(with_it), abs=0.01)
    assert finding.low < finding.difference < finding.high
    assert finding.ratio is not None
    assert finding.ratio_low < finding.ratio < finding.ratio_high
    assert finding.response_rate == pytest.approx(0.5, abs=0.06)
    assert found.response_rate == 0.5
    assert finding.reweighted_difference == pytest.approx(finding.difference, abs=0.05)
    newest = negative[-1]
    assert finding.examples[0] == Example(newest["SessionId"], newest["TraceId"], newest["SpanId"])
    assert (
        finding.examples[0].link == f"/sessions/{newest['SessionId']}?call={newest['SpanId']}#call-{newest['SpanId']}"
    )
    assert len({each.session_id for each in finding.examples}) == 3


def test_two_findings_about_the_same_calls_are_told_as_one():
    calls = made_calls(replace(Recipe(), planted={"prompt_version": 2.0}), seed=3)
    names = {"v1": "one", "v2": "two", "v3": "three"}
    doubled = pa.array([names[each] for each in calls.column("prompt_version").to_pylist()])
    calls = calls.set_column(calls.column_names.index("service"), "service", doubled)
    findings = find(calls, "negative", Limits()).findings
    same = {each.same_as for each in findings if each.value in {"two", "v2"}}
    assert same in ({"", "service: two"}, {"", "prompt_version: v2"})


def test_who_rates_is_told_and_a_comments_terms_are_asked_of_comments_alone():
    calls = made_calls(Recipe(calls=3000), seed=5)
    rows = calls.to_pylist()
    for number, row in enumerate(rows):
        is_long = row["seconds"] > 2
        row["IsRated"] = int(number % (2 if is_long else 10) == 0)
        row["IsNegative"] = int(bool(row["IsRated"]) and number % 3 == 0)
        row["IsPositive"] = int(bool(row["IsRated"]) and not row["IsNegative"])
        row["comment"] = "always said when disliked" if row["IsNegative"] else "fine" if number % 5 == 0 else ""
    calls = pa.Table.from_pylist(rows, schema=calls.schema)
    by_rated = find(calls, "rated", Limits()).findings
    assert by_rated[0].dimension == "seconds"
    assert by_rated[0].difference > 0.3
    assert by_rated[0].response_rate == pytest.approx(by_rated[0].share_with, abs=0.01)
    assert not [each for each in by_rated if each.dimension == "comment term"]
    by_negative = find(calls, "negative", Limits()).findings
    (said,) = {(each.cases, each.controls) for each in by_negative if each.dimension == "comment term"}
    commented = [row for row in rows if row["comment"] and row["IsRated"]]
    assert said == (sum(row["IsNegative"] for row in commented), sum(row["IsPositive"] for row in commented))
    assert {each.response_rate for each in by_negative if each.dimension == "comment term"} == {None}


def test_reweighing_mends_what_the_mix_of_rated_calls_gets_wrong():
    """What is disliked is the model small, which v2 mostly meets; small's calls are rated five times as often."""
    rows = made_calls(Recipe(calls=6000), seed=9).to_pylist()
    chance = np.random.default_rng(9)
    for row in rows:
        is_small = chance.random() < 0.5
        is_v2 = chance.random() < (0.8 if is_small else 0.2)
        row["request_model"], row["prompt_version"] = ("small" if is_small else "large"), ("v2" if is_v2 else "v1")
        row["IsRated"] = int(chance.random() < (0.5 if is_small else 0.1))
        row["IsNegative"] = int(bool(row["IsRated"]) and chance.random() < (0.6 if is_small else 0.2))
        row["IsPositive"] = int(bool(row["IsRated"]) and not row["IsNegative"])
    calls = pa.Table.from_pylist(rows)
    finding = next(each for each in find(calls, "negative", Limits(q=1)).findings if each.value == "v2")
    everyone = [row for row in rows if row["prompt_version"] == "v2"]
    others = [row for row in rows if row["prompt_version"] == "v1"]
    truth = 0.4 * (
        np.mean([row["request_model"] == "small" for row in everyone])
        - np.mean([row["request_model"] == "small" for row in others])
    )
    assert finding.reweighted_difference is not None
    assert abs(finding.difference - truth) > 0.05
    assert abs(finding.reweighted_difference - truth) < 0.04
    assert finding.response_rate == pytest.approx(np.mean([row["IsRated"] for row in everyone]))


def test_an_attribute_with_too_many_values_is_left_out_and_told():
    rows = made_calls(Recipe(), seed=1).to_pylist()
    for number, row in enumerate(rows):
        row["attributes"] = [f"request={number % 150}", "kind=a" if number % 2 else "kind=b"]
    (left_out,) = find(pa.Table.from_pylist(rows), "negative", Limits()).left_out
    assert left_out.dimension == "attribute request"
    assert "150 values" in left_out.why


def test_of_few_calls_nothing_is_told():
    calls = made_calls(Recipe(calls=2000, planted=PLANTED), seed=1).slice(0, 16)
    found = find(calls, "negative", Limits())
    assert (found.tested, found.findings) == (0, ())
