"""Ratings that others wrote: Microsoft's human evaluations, OpenInference's annotations, plain evaluation events."""

from __future__ import annotations

import pytest
from tests.support.foreign_ratings import (
    CLICKED,
    annotated_span,
    evaluation_log,
    evaluation_span,
    stars_of_microsoft,
    thumbs_of_microsoft,
)
from tests.support.otlp import log_request, trace_request
from tests.support.ratings import EVENT, LINKED, UNMATCHED, Call, current, only_rating, only_span
from tests.support.segments import store

from otel_feedback.clickhouse.database import Database

_WHAT = "Scope, TraceId, SpanId, State"


def of_call(call: Call, state: str = LINKED) -> dict[str, str]:
    return {"Scope": "span", "TraceId": call.trace_id.hex(), "SpanId": call.span_id.hex(), "State": state}


@pytest.mark.parametrize("carrier", [evaluation_span, evaluation_log])
def test_a_thumb_of_microsofts(database: Database, carrier: type):
    call = Call(response_id="resp_1")
    values = thumbs_of_microsoft(
        **{
            "gen_ai.response.id": "resp_1",
            "gen_ai.evaluation.explanation": "as asked",
            "microsoft.gen_ai.evaluation.tags.plan": "free",
        }
    )
    store(database, call.request())
    store(database, carrier(values))
    assert only_rating(database, _WHAT) == of_call(call)
    row = only_rating(database)
    assert row["EventId"] == "0b27be45-cd65-4671-ab08-c3eafd4c9613"
    assert (row["Name"], row["Value"], row["Label"], row["Comment"]) == ("task_completion", 1.0, "positive", "as asked")
    assert (row["ScoreMin"], row["ScoreMax"], row["Source"]) == (0.0, 1.0, "end_user")
    assert (row["RaterId"], row["ResponseId"]) == ("oid:241964ad", "resp_1")
    assert row["Attributes"]["microsoft.gen_ai.evaluation.tags.plan"] == "free"


@pytest.mark.parametrize(
    ("score", "source", "label", "whose"),
    [
        (5, "end_user", "positive", "end_user"),
        (3, "builder", "positive", "annotator"),
        (2, "expert", "negative", "annotator"),
        (1, "end_user", "negative", "end_user"),
    ],
)
@pytest.mark.parametrize("carrier", [evaluation_span, evaluation_log])
def test_stars_of_microsofts(database: Database, carrier: type, score: int, source: str, label: str, whose: str):
    store(database, carrier(stars_of_microsoft(score, source)))
    row = only_rating(database)
    assert (row["Value"], row["Label"], row["Source"]) == (score, label, whose)
    assert (row["ScoreMin"], row["ScoreMax"], row["Comment"]) == (1.0, 5.0, "to the point")
    assert row["EventId"] == "69d937a7-32e2-412e-97c9-119e2d282723"


@pytest.mark.parametrize(("score", "label"), [(1, "negative"), (3, "neutral"), (5, "positive")])
def test_stars_without_a_label_are_judged_by_their_range(database: Database, score: int, label: str):
    store(database, evaluation_log(stars_of_microsoft(score, **{"gen_ai.evaluation.score.label": None})))
    assert only_rating(database, "Label") == {"Label": label}


@pytest.mark.parametrize("number", ["1.0", 1.0, 1])
def test_a_range_is_read_from_text_and_from_numbers(database: Database, number: str | float):
    properties = {"gen_ai.evaluation.min_value": number, "gen_ai.evaluation.max_value": 5}
    store(database, evaluation_log(stars_of_microsoft(4, internal_properties=properties)))
    assert only_rating(database, "ScoreMin, ScoreMax") == {"ScoreMin": 1.0, "ScoreMax": 5.0}


def test_a_verdict_of_microsofts_evaluators_is_no_persons(database: Database):
    values = thumbs_of_microsoft(
        **{
            "microsoft.gen_ai.human_evaluation.source": None,
            "microsoft.gen_ai.evaluation.actor.type": None,
        }
    )
    store(database, evaluation_log(values))
    assert only_rating(database, "Source") == {"Source": "evaluator"}


@pytest.mark.parametrize("carrier", [evaluation_span, evaluation_log])
def test_the_context_names_what_is_rated_where_the_response_id_leads_nowhere(database: Database, carrier: type):
    call = Call()
    store(database, carrier(thumbs_of_microsoft(**{"gen_ai.response.id": "resp_unknown"}), call))
    assert only_rating(database, _WHAT) == of_call(call, UNMATCHED)
    store(database, call.request())
    assert only_rating(database, _WHAT) == of_call(call)


@pytest.mark.parametrize("carrier", [evaluation_span, evaluation_log])
def test_the_response_id_is_better_than_the_request_in_which_the_rating_came(database: Database, carrier: type):
    call, feedback_request = Call(response_id="resp_1"), Call()
    store(database, carrier(thumbs_of_microsoft(**{"gen_ai.response.id": "resp_1"}), feedback_request))
    store(database, call.request())
    assert only_rating(database, _WHAT) == of_call(call)


def test_both_carriers_of_one_evaluation_are_one_rating(database: Database):
    call = Call(response_id="resp_1")
    values = thumbs_of_microsoft(**{"gen_ai.response.id": "resp_1"})
    store(database, evaluation_span(values, call))
    store(database, evaluation_log(values))
    assert len(current(database)) == 1


def test_a_span_that_tells_a_rating_twice_is_one_rating(database: Database):
    request = evaluation_span(thumbs_of_microsoft())
    span = only_span(request)
    event = span.events.add(name=EVENT, time_unix_nano=CLICKED)
    event.attributes.extend(span.attributes)
    store(database, request)
    assert only_rating(database, "Via") == {"Via": "span_event"}


def test_a_span_that_is_a_rating_does_not_make_its_trace_come(database: Database):
    call = Call()
    store(database, evaluation_span(thumbs_of_microsoft(), call))
    assert only_rating(database, "State")["State"] != LINKED
    assert database.query("SELECT * FROM traces") == []


def test_a_score_of_older_conventions(database: Database):
    store(
        database, evaluation_log({"event.name": EVENT, "gen_ai.evaluation.name": "x", "gen_ai.evaluation.score": 0.25})
    )
    assert only_rating(database, "Name, Value, Label, Source") == {
        "Name": "x", "Value": 0.25, "Label": "", "Source": "end_user",
    }  # fmt: skip


def test_annotations_of_a_span(database: Database):
    request = annotated_span(
        {
            "name": "hallucination",
            "score": 1,
            "label": "hallucinated",
            "annotator_kind": "LLM",
            "identifier": "judge-v2",
        },
        {
            "name": "user feedback",
            "label": "positive",
            "annotator_kind": "HUMAN",
            "explanation": "good",
            "metadata": "{}",
        },
        {"name": "latency", "score": 0.5, "annotator_kind": "CODE"},
        {"name": "says nothing", "explanation": "neither score nor label"},
    )
    span = only_span(request)
    store(database, request)
    rows = current(database, "Name, Value, Label, Comment, Source, RaterId, Via, SpanId, Attributes")
    shared = {"Via": "span", "SpanId": span.span_id.hex()}
    assert rows == [
        {"Name": "hallucination", "Value": 1.0, "Label": "hallucinated", "Comment": "", "Source": "evaluator",
         "RaterId": "judge-v2", "Attributes": {}, **shared},
        {"Name": "latency", "Value": 0.5, "Label": "", "Comment": "", "Source": "evaluator", "RaterId": "",
         "Attributes": {}, **shared},
        {"Name": "user feedback", "Value": None, "Label": "positive", "Comment": "good", "Source": "end_user",
         "RaterId": "", "Attributes": {"metadata": "{}"}, **shared},
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("prefix", "scope"),
    [
        ("annotation.", "span"),
        ("evaluation.", "span"),
        ("evaluations.{}.evaluation.", "span"),
        ("trace.annotations.{}.annotation.", "trace"),
        ("trace.evaluations.{}.evaluation.", "trace"),
        ("session.annotations.{}.annotation.", "session"),
        ("session.evaluations.{}.evaluation.", "session"),
    ],
)
def test_every_form_of_an_annotation(database: Database, prefix: str, scope: str):
    request = annotated_span({"name": "thumbs", "score": 1}, prefix=prefix, **{"session.id": "s-1"})
    store(database, request)
    row = only_rating(database)
    trace_id, span_id = only_span(request).trace_id.hex(), only_span(request).span_id.hex()
    assert (row["Scope"], row["Name"], row["Label"]) == (scope, "thumbs", "positive")
    expected = {"span": (trace_id, span_id), "trace": (trace_id, ""), "session": ("", "")}[scope]
    assert (row["TraceId"], row["SpanId"], row["SessionId"]) == (*expected, "s-1")


@pytest.mark.parametrize(
    "says",
    [
        {"openinference.span.kind": ""},
        {"openinference.span.kind": "EVALUATOR"},
        {"openinference.span.kind": "", "gen_ai.operation.name": "evaluation"},
    ],
)
def test_an_evaluation_span_with_a_link_rates_what_it_links_to(database: Database, says: dict[str, str]):
    call = Call()
    request = annotated_span({"name": "thumbs", "score": 0}, **says)
    only_span(request).links.add(trace_id=call.trace_id, span_id=call.span_id)
    store(database, call.request(), request)
    assert only_rating(database, _WHAT) == of_call(call)


def test_an_annotated_call_is_what_is_rated_whatever_it_links_to(database: Database):
    request = annotated_span({"name": "thumbs", "score": 0})
    span = only_span(request)
    span.links.add(trace_id=b"\x01" * 16, span_id=b"\x02" * 8)
    store(database, request)
    assert only_rating(database, "TraceId, SpanId") == {"TraceId": span.trace_id.hex(), "SpanId": span.span_id.hex()}


def test_a_span_sent_twice_is_annotated_once(database: Database):
    request = annotated_span({"name": "thumbs", "score": 0})
    store(database, request)
    store(database, request)
    assert only_rating(database, "Changes") == {"Changes": 0}


@pytest.mark.parametrize(
    "values",
    [
        {"evaluation.name": "nightly run"},
        {"annotations.0.annotation.score": 1},
        {"annotations.x.annotation.name": "thumbs", "annotations.x.annotation.score": 1},
        {"my.evaluation.name": "thumbs", "my.evaluation.score": 1},
    ],
)
def test_what_only_looks_like_an_annotation_is_no_rating(database: Database, values: dict[str, str | int]):
    store(database, trace_request(values))
    assert current(database) == []


def test_any_other_log_record_is_no_rating(database: Database):
    store(database, log_request("hello", **{"microsoft.custom_event.name": "page_view", "gen_ai.evaluation.name": "x"}))
    assert current(database) == []
