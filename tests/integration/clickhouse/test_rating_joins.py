"""Ratings beside the calls, traces and sessions that they rate.

Tests that end in the name and number of an issue show that what people asked for there is so here.
"""

from __future__ import annotations

from tests.support.otlp import NOON, SECOND, trace_request
from tests.support.ratings import Call, Submission, only_rating, only_span
from tests.support.segments import store

from otel_feedback.clickhouse.database import Database


def test_a_rated_call_is_one_row_with_call_and_rating(database: Database):
    call = Call(prompt="Capital of France?", session="s", user="u", tokens=(11, 7))
    rating = Submission(call, also={"gen_ai.evaluation.explanation": "right"})
    store(database, call.request())
    store(database, rating.carrier())
    store(database, rating.log())
    (row,) = database.query("SELECT Duration, InputTokens, Prompt, Name, Label, Comment, RaterId FROM rated_llm_calls")
    assert row == {
        "Duration": SECOND,
        "InputTokens": 11,
        "Prompt": "Capital of France?",
        "Name": "thumbs",
        "Label": "positive",
        "Comment": "right",
        "RaterId": "rater-1",
    }


def test_a_rating_of_a_trace_goes_with_its_final_call_alone(database: Database):
    first = Call()
    calls = [first, *(Call(trace_id=first.trace_id, at=NOON + number * SECOND) for number in (1, 3, 2))]
    store(database, *[each.request() for each in calls])
    store(database, Submission(first, scope="trace").carrier())
    (row,) = database.query("SELECT SpanId, Scope FROM rated_llm_calls")
    assert row == {"SpanId": calls[2].span_id.hex(), "Scope": "trace"}
    assert only_rating(database, "SpanId") == {"SpanId": ""}
    assert len(database.query("SELECT * FROM rated_traces")) == 1


def test_a_rating_of_a_session_is_found_with_the_session_and_the_user__langfuse_9643(database: Database):
    calls = [Call(session="s", user="u") for _ in range(3)]
    store(database, *[each.request() for each in calls])
    store(database, Submission(session="s", scope="session", rater="u", value=0.0).carrier())
    (row,) = database.query("SELECT SessionId, UserId, Calls, Label, Scope FROM rated_sessions")
    assert row == {"SessionId": "s", "UserId": "u", "Calls": 3, "Label": "negative", "Scope": "session"}
    assert database.query("SELECT * FROM rated_llm_calls") == []
    assert database.query("SELECT * FROM rated_traces") == []
    (user,) = database.query("SELECT UserId, Calls, Ratings, Negative FROM users")
    assert user == {"UserId": "u", "Calls": 3, "Ratings": 1, "Negative": 1}


def test_what_annotators_and_evaluators_say_is_no_vote_of_the_users(database: Database):
    call = Call(session="s", user="u")
    store(database, call.request())
    for source, value in (("end_user", 1.0), ("annotator", 0.0), ("evaluator", 0.0)):
        also = {"otel_feedback.source": source}
        store(database, Submission(call, id=source, rater=source, session="s", value=value, also=also).carrier())
    for counts in (
        "SELECT Ratings, Positive, Negative FROM traces",
        "SELECT Ratings, Positive, Negative FROM sessions",
    ):
        assert database.query(counts) == [{"Ratings": 1, "Positive": 1, "Negative": 0}]
    assert database.query("SELECT UserId, Ratings FROM users ORDER BY UserId") == [
        {"UserId": "end_user", "Ratings": 1},
        {"UserId": "u", "Ratings": 0},
    ]
    assert database.query("SELECT count() AS n FROM rated_llm_calls") == [{"n": 3}]


def test_a_rating_in_a_distributed_trace_finds_the_span_of_another_service__mlflow_22938(database: Database):
    call = Call()
    gateway = trace_request({"http.route": "/chat"}, service="gateway")
    root = only_span(gateway)
    root.trace_id = call.trace_id
    model = call.request()
    only_span(model).parent_span_id = root.span_id
    for request in (gateway, Submission(call).carrier(), model):
        store(database, request)
    (row,) = database.query("SELECT SpanId, ServiceName FROM rated_llm_calls")
    assert row == {"SpanId": call.span_id.hex(), "ServiceName": "app"}
