"""``feedback_events``, ``feedback`` and the joins: what a rating becomes, whichever way and in whatever order it came.

Tests that end in the name and number of an issue show that what people asked for there is so here.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from tests.integration.clickhouse.conftest import empty
from tests.support.otlp import trace_request
from tests.support.ratings import NOON, SECOND, Call, Submission, only_span
from tests.support.segments import store

from otel_feedback.clickhouse import statements
from otel_feedback.clickhouse.database import Database
from otel_feedback.clickhouse.migrate import migrate
from otel_feedback.rating import label_of_category, label_of_score
from otel_feedback.settings import Settings

DAY: Final = 86_400
WAITING: Final = "waiting"
LINKED: Final = "linked"
UNMATCHED: Final = "unmatched"


def current(database: Database, columns: str = "*") -> list[dict[str, Any]]:
    rows = database.query(f"SELECT {columns} FROM feedback ORDER BY Name, RaterId, SessionId, FeedbackId")  # noqa: S608
    return [dict(row) for row in rows]


def only_rating(database: Database, columns: str = "*") -> dict[str, Any]:
    (row,) = current(database, columns)
    return row


def journal(database: Database) -> list[str]:
    return [row["EventId"] for row in database.query("SELECT EventId FROM feedback_events ORDER BY Time, EventId")]


def seconds_ago(seconds: float) -> int:
    return time.time_ns() - int(seconds * SECOND)


# A rating's life.


def test_everything_of_a_rating_has_its_column(database: Database):
    call = Call(session="conversation-1")
    submission = Submission(
        call,
        name="stars",
        value=4.0,
        session="conversation-1",
        response_id="chatcmpl-1",
        also={
            "gen_ai.evaluation.score.label": "positive",
            "gen_ai.evaluation.explanation": "so helpful",
            "otel_feedback.score.min": 1.0,
            "otel_feedback.score.max": 5.0,
            "otel_feedback.reasons": ["fast", 'said "hi"'],
            "otel_feedback.correction": "Paris, France",
            "otel_feedback.source": "annotator",
            "team": "blue",
        },
    )
    store(database, call.request())
    store(database, submission.carrier())
    row = only_rating(database, "* EXCEPT (Time, ReceivedTime, FeedbackId), toUnixTimestamp64Nano(Time) AS Time")
    assert row == {
        "EventId": "id-1",
        "Time": submission.at,
        "TraceId": call.trace_id.hex(),
        "SpanId": call.span_id.hex(),
        "SessionId": "conversation-1",
        "ResponseId": "chatcmpl-1",
        "Scope": "span",
        "Name": "stars",
        "Value": 4.0,
        "Label": "positive",
        "Comment": "so helpful",
        "Correction": "Paris, France",
        "Reasons": ["fast", 'said "hi"'],
        "ScoreMin": 1.0,
        "ScoreMax": 5.0,
        "Source": "annotator",
        "RaterId": "rater-1",
        "ServiceName": "app",
        "Attributes": {"team": "blue"},
        "Via": "span_event",
        "Changes": 0,
        "State": LINKED,
    }
    (event,) = database.query("SELECT * FROM feedback_events")
    assert (event["EventId"], event["Action"], event["Via"]) == ("id-1", "submit", "span_event")


def test_a_changed_vote_is_one_rating__langfuse_docs_3232(database: Database):
    up = Submission(Call())
    store(database, up.carrier())
    store(database, up.changed("id-2", value=0.0).carrier())
    assert only_rating(database, "EventId, Label, Changes") == {"EventId": "id-2", "Label": "negative", "Changes": 1}
    assert journal(database) == ["id-1", "id-2"], "the journal keeps every step"


def test_a_changed_vote_is_one_rating_when_the_change_comes_on_another_day(database: Database):
    up = Submission(Call())
    store(database, up.carrier(), up.changed("id-2", 40 * DAY, value=0.0).carrier())
    assert only_rating(database, "EventId, Changes") == {"EventId": "id-2", "Changes": 1}


def test_a_rating_can_be_taken_back__erato_865(database: Database):
    call = Call(session="s")
    up = Submission(call)
    store(database, call.request(), up.carrier())
    store(database, up.retracted("id-2").carrier())
    assert current(database) == []
    assert journal(database) == ["id-1", "id-2"]


def test_a_rating_that_was_taken_back_is_gone_everywhere__langfuse_11070(database: Database):
    call = Call(session="s", user="rater-1")
    up = Submission(call, session="s")
    store(database, call.request(), up.carrier())
    store(database, up.log())
    store(database, up.retracted("id-2").log())
    for view in ("feedback", "rated_llm_calls", "rated_traces", "rated_sessions"):
        assert database.query("SELECT * FROM {view:Identifier}", {"view": view}) == []
    for view in ("traces", "sessions", "users"):
        (row,) = database.query("SELECT Ratings, Positive FROM {view:Identifier}", {"view": view})
        assert row == {"Ratings": 0, "Positive": 0}


def test_a_rating_that_was_taken_back_can_be_given_again(database: Database):
    up = Submission(Call())
    down = up.changed("id-3", 2, value=0.0)
    store(database, up.log(), up.retracted("id-2").log(), down.log())
    assert only_rating(database, "EventId, Label, Changes") == {"EventId": "id-3", "Label": "negative", "Changes": 2}


def test_a_retraction_of_what_was_never_given_is_no_rating(database: Database):
    store(database, Submission(Call()).retracted("id-1").log())
    assert current(database) == []


def test_many_raters_of_one_trace_each_have_a_rating__phoenix_6440(database: Database):
    call = Call()
    raters = [f"rater-{number}" for number in range(5)]
    store(database, *[Submission(call, id=f"id-{rater}", rater=rater).carrier() for rater in raters])
    assert [row["RaterId"] for row in current(database)] == raters
    store(database, Submission(call, id="id-9", rater="rater-2", at=NOON + DAY * SECOND, value=0.0).log())
    assert [row["Label"] for row in current(database)] == ["positive", "positive", "negative", "positive", "positive"]


def test_each_name_is_a_rating_of_its_own(database: Database):
    call = Call()
    store(database, Submission(call).carrier(), Submission(call, id="id-2", name="tone").carrier())
    assert [row["Name"] for row in current(database)] == ["thumbs", "tone"]


def test_each_span_of_a_trace_and_the_trace_itself_are_rated_apart(database: Database):
    call = Call()
    other = Call(trace_id=call.trace_id)
    store(
        database,
        Submission(call, id="1").carrier(),
        Submission(other, id="2").carrier(),
        Submission(other, id="3", scope="trace").carrier(),
        Submission(other, id="4", scope="session", session="s").carrier(),
    )
    rows = {row["EventId"]: row for row in current(database)}
    assert set(rows) == {"1", "2", "3", "4"}
    assert [(rows[each]["Scope"], rows[each]["SpanId"] != "") for each in "1234"] == [
        ("span", True),
        ("span", True),
        ("trace", False),
        ("session", False),
    ]


@pytest.mark.parametrize("span_first", [True, False])
def test_one_thumb_on_both_carriers_is_one_rating__phoenix_14189(database: Database, span_first: bool):
    submission = Submission(Call())
    carriers: list[Any] = [submission.carrier(), submission.log()]
    for each in carriers if span_first else reversed(carriers):
        store(database, each)
    assert journal(database) == ["id-1"]
    assert only_rating(database, "EventId, Via, Changes") == {"EventId": "id-1", "Via": "span_event", "Changes": 0}


def test_what_is_delivered_again_changes_nothing(database: Database):
    submission = Submission(Call())
    for _ in range(3):
        store(database, submission.carrier(), submission.carrier())
        store(database, submission.log())
    assert journal(database) == ["id-1"]
    assert only_rating(database, "Changes") == {"Changes": 0}


def test_an_older_submission_that_comes_late_changes_nothing(database: Database):
    first = Submission(Call())
    second = first.changed("id-2", value=0.0)
    store(database, second.carrier())
    store(database, first.carrier())
    store(database, first.log())
    assert only_rating(database, "EventId, Label, Changes") == {"EventId": "id-2", "Label": "negative", "Changes": 1}


def test_a_retraction_that_comes_before_its_rating_holds(database: Database):
    up = Submission(Call())
    store(database, up.retracted("id-2").log())
    store(database, up.carrier())
    assert current(database) == []


@pytest.mark.parametrize("larger_first", [True, False])
def test_of_two_submissions_at_one_moment_the_larger_id_counts(database: Database, larger_first: bool):
    one = Submission(Call(), id="id-a")
    two = one.changed("id-b", 0, value=0.0)
    for each in (two, one) if larger_first else (one, two):
        store(database, each.carrier())
    assert only_rating(database, "EventId") == {"EventId": "id-b"}


def test_a_rating_survives_as_a_log_record_when_its_trace_is_sampled_away__langfuse_rb_60(database: Database):
    submission = Submission(Call(), at=seconds_ago(10))
    store(database, submission.log())
    row = only_rating(database, "EventId, SpanId, Via, State")
    assert submission.call is not None
    assert row == {"EventId": "id-1", "SpanId": submission.call.span_id.hex(), "Via": "log", "State": WAITING}


def test_a_rating_without_an_id_of_its_own_is_known_by_its_content__dspy_rb_168(database: Database):
    plain = Submission(Call(), also={"otel_feedback.id": None, "otel_feedback.action": None})
    store(database, plain.log())
    store(database, plain.log())
    assert len(journal(database)) == 1
    store(database, plain.changed("", value=0.0).log())
    assert only_rating(database, "Label, Changes") == {"Label": "negative", "Changes": 1}


def test_a_rating_can_be_found_by_its_comment__langfuse_14075(database: Database):
    call = Call()
    for number, comment in enumerate(["Too SLOW, naïve", "wrong city"]):
        also = {"gen_ai.evaluation.explanation": comment}
        store(database, Submission(call, id=f"id-{number}", rater=f"r-{number}", also=also).carrier())
    found = database.query(
        statements.load("queries/feedback_list.sql"),
        {
            **dict.fromkeys(("name", "label", "model", "service", "user", "state", "before_id"), ""),
            "text": "slow, NAÏVE",
            "since": 0,
            "until": 2**63 - 1,
            "before_time": 2**63 - 1,
            "limit": 10,
        },
    )
    assert [row["Comment"] for row in found] == ["Too SLOW, naïve"]


# What is rated.


def rated_span(database: Database) -> tuple[str, str, str]:
    row = only_rating(database, "Scope, TraceId, SpanId")
    return row["Scope"], row["TraceId"], row["SpanId"]


def test_a_carriers_link_names_the_rated_span(database: Database):
    call, elsewhere = Call(), Call()
    request = Submission(call).carrier()
    carrier = only_span(request)
    carrier.trace_id, carrier.parent_span_id = elsewhere.trace_id, elsewhere.span_id
    store(database, request)
    assert rated_span(database) == ("span", call.trace_id.hex(), call.span_id.hex())


def test_the_context_of_a_log_record_names_the_rated_span(database: Database):
    call = Call()
    store(database, Submission(call).log())
    assert rated_span(database) == ("span", call.trace_id.hex(), call.span_id.hex())


def test_an_event_on_the_llm_span_itself_rates_that_span(database: Database):
    call = Call()
    request = call.request()
    span = only_span(request)
    span.links.add(trace_id=b"\x01" * 16, span_id=b"\x02" * 8)  # an LLM call may link to whatever caused it
    Submission(call).add_event(span)
    store(database, request)
    assert rated_span(database) == ("span", call.trace_id.hex(), call.span_id.hex())
    assert only_rating(database, "State, Via") == {"State": LINKED, "Via": "span_event"}


def test_an_event_on_any_other_span_rates_that_span(database: Database):
    request = trace_request({"http.route": "/chat"})
    span = only_span(request)
    Submission().add_event(span)
    store(database, request)
    assert rated_span(database) == ("span", span.trace_id.hex(), span.span_id.hex())


def test_a_carrier_without_a_link_rates_its_parent(database: Database):
    call = Call()
    store(database, Submission(call).carrier(has_link=False))
    assert rated_span(database) == ("span", call.trace_id.hex(), call.span_id.hex())


def test_a_carriers_own_ids_never_name_what_is_rated(database: Database):
    store(database, Submission(session="s", scope="session").carrier())
    store(database, Submission(id="id-2", name="stars", response_id="r", at=seconds_ago(1)).carrier())
    assert [(row["Scope"], row["TraceId"], row["SpanId"]) for row in current(database)] == [
        ("span", "", ""),
        ("session", "", ""),
    ]


def test_a_rating_of_a_whole_trace_names_no_span(database: Database):
    call = Call()
    store(database, Submission(call, scope="trace").carrier())
    store(database, Submission(call, scope="trace").log())
    assert rated_span(database) == ("trace", call.trace_id.hex(), "")


def test_a_log_record_with_a_trace_id_alone_rates_the_trace(database: Database):
    call = Call(span_id=b"")
    store(database, Submission(call, also={"otel_feedback.scope": None}).log())
    assert rated_span(database) == ("trace", call.trace_id.hex(), "")


@pytest.mark.parametrize("key", ["session.id", "gen_ai.conversation.id"])
def test_with_nothing_but_a_session_the_session_is_rated(database: Database, key: str):
    store(database, Submission(also={"otel_feedback.scope": None, key: "s-1"}).log())
    assert only_rating(database, "Scope, SessionId") == {"Scope": "session", "SessionId": "s-1"}


def test_a_rating_of_a_session_is_one_whichever_trace_it_was_given_in(database: Database):
    first = Submission(Call(), scope="session", session="s")
    store(database, first.log())
    store(database, replace(first.changed("id-2", value=0.0), call=Call()).log())
    assert only_rating(database, "Label, TraceId, Changes") == {"Label": "negative", "TraceId": "", "Changes": 1}


def test_ratings_of_nothing_at_all_are_kept_apart_and_never_linked(database: Database):
    store(database, Call().request())
    for number in range(2):
        store(database, Submission(id=f"id-{number}", at=seconds_ago(1), also={"otel_feedback.scope": None}).log())
    assert [row["State"] for row in current(database)] == [WAITING, WAITING]


@pytest.mark.parametrize("rating_first", [True, False])
def test_a_response_id_names_the_call_before_and_after_it_comes(database: Database, rating_first: bool):
    call = Call(response_id="chatcmpl-1", session="s")
    rating = Submission(response_id="chatcmpl-1", at=seconds_ago(1)).log()
    for each in (rating, call.request()) if rating_first else (call.request(), rating):
        store(database, each)
        if each is rating and rating_first:
            assert only_rating(database, "State, SpanId") == {"State": WAITING, "SpanId": ""}
    assert rated_span(database) == ("span", call.trace_id.hex(), call.span_id.hex())
    assert only_rating(database, "State, SessionId") == {"State": LINKED, "SessionId": "s"}
    (joined,) = database.query("SELECT SpanId, Label FROM rated_llm_calls")
    assert joined == {"SpanId": call.span_id.hex(), "Label": "positive"}


def test_a_rating_by_response_id_and_one_by_span_are_the_same_rating(database: Database):
    call = Call(response_id="chatcmpl-1")
    by_response = Submission(response_id="chatcmpl-1")
    by_span = replace(by_response.changed("id-2", value=0.0), call=call, response_id="")
    store(database, by_response.log())
    store(database, by_span.log())
    store(database, call.request())
    assert only_rating(database, "EventId, Label, Changes") == {"EventId": "id-2", "Label": "negative", "Changes": 1}
    store(database, by_response.changed("id-3", 5).carrier())
    assert only_rating(database, "EventId, Changes") == {"EventId": "id-3", "Changes": 2}


def test_a_response_id_of_a_trace_scoped_rating_does_not_move_it(database: Database):
    call, other = Call(), Call(response_id="chatcmpl-1")
    store(database, call.request(), other.request())
    store(database, Submission(call, scope="trace", response_id="chatcmpl-1").log())
    assert rated_span(database) == ("trace", call.trace_id.hex(), "")


# States.


@pytest.mark.parametrize("scope", ["span", "trace"])
def test_a_rating_waits_for_its_trace_and_links_when_that_comes(database: Database, scope: str):
    call = Call(session="s")
    submission = Submission(call, scope=scope, at=seconds_ago(60))
    store(database, submission.carrier())
    store(database, submission.log())
    assert only_rating(database, "State") == {"State": WAITING}, "its own carrier is not the trace"
    assert database.query("SELECT * FROM traces") == []
    assert database.query("SELECT * FROM rated_llm_calls") == []
    store(database, call.request())
    assert only_rating(database, "State, SessionId") == {"State": LINKED, "SessionId": "s"}
    assert len(database.query("SELECT * FROM rated_llm_calls")) == 1


def test_a_rating_of_a_session_waits_for_the_session(database: Database):
    store(database, Submission(session="s", scope="session", at=seconds_ago(60)).log())
    store(database, Call(session="another").request())
    assert only_rating(database, "State") == {"State": WAITING}
    store(database, Call(session="s").request())
    assert only_rating(database, "State") == {"State": LINKED}


def test_a_rating_becomes_unmatched_after_a_while_and_links_all_the_same(database: Database):
    call = Call()
    store(database, Submission(call, at=seconds_ago(2 * DAY)).log())
    assert only_rating(database, "State") == {"State": UNMATCHED}
    store(database, call.request())
    assert only_rating(database, "State") == {"State": LINKED}


def test_how_long_a_rating_may_wait_is_a_setting(database: Database):
    store(database, Submission(Call(), at=seconds_ago(100)).log())
    for setting, state in (("1m", UNMATCHED), ("10m", WAITING), ("1d", WAITING)):
        migrate(database, Settings.load({"OTEL_FEEDBACK_UNMATCHED_AFTER": setting}))
        assert only_rating(database, "State") == {"State": state}


@pytest.mark.parametrize("moment", [0, 1, 2**63 - 1, 2**64 - 1])
def test_a_rating_from_an_impossible_time_leaves_the_others_readable(database: Database, moment: int):
    call = Call(at=moment, session="s", user="u")
    store(database, call.request())
    store(database, Submission(call, at=moment, session="s").carrier())
    store(database, Submission(call, at=moment, rater="u", id="id-2", session="s").log())
    for view in ("feedback", "rated_llm_calls", "rated_traces", "rated_sessions"):
        assert len(database.query("SELECT * FROM {view:Identifier}", {"view": view})) == 2
    for view in ("traces", "sessions"):
        (row,) = database.query("SELECT Ratings, Calls FROM {view:Identifier}", {"view": view})
        assert row == {"Ratings": 2, "Calls": 1}


# Labels.


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    scores=st.lists(
        st.one_of(
            st.tuples(st.sampled_from([0.0, 1.0, -0.0, 0.5, 2.0, -1.0, math.pi]), st.none()),
            st.tuples(st.integers(1, 5).map(float), st.just((1.0, 5.0))),
            st.tuples(st.integers(0, 30).map(lambda tenth: tenth / 10), st.sampled_from([(0.0, 3.0), (3.0, 0.0)])),
            st.tuples(
                st.floats(-1e6, 1e6), st.tuples(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6)).map(sorted).map(tuple)
            ),
        ),
        min_size=10,
        max_size=40,
    )
)
def test_a_score_without_a_label_has_the_label_of_its_place_in_its_range(database: Database, scores: list[Any]):
    empty(database)
    submissions = []
    for number, (value, bounds) in enumerate(scores):
        low, high = bounds or (None, None)
        also = {"otel_feedback.score.min": low, "otel_feedback.score.max": high}
        submissions.append(
            Submission(Call(), id=f"{number:03}", name="stars", rater=f"{number:03}", value=value, also=also).log()
        )
    store(database, *submissions)
    expected = [label_of_score(value, *(bounds or ())) for value, bounds in scores]
    assert [row["Label"] for row in current(database, "Label")] == expected


@pytest.mark.parametrize(
    ("label", "shown"),
    [
        ("positive", "positive"),
        ("negative", "negative"),
        ("neutral", "neutral"),
        ("pass", "positive"),
        ("FAIL", "negative"),
        (" Pass ", "positive"),
        ("off-topic", "off-topic"),
        ("Off-Topic", "Off-Topic"),
    ],
)
@pytest.mark.parametrize("value", [None, 0.0])
def test_a_label_counts_more_than_the_score(database: Database, label: str, shown: str, value: float | None):
    also = {"gen_ai.evaluation.score.label": label}
    store(database, Submission(Call(), value=value, also=also).log())
    assert only_rating(database, "Label, Value") == {"Label": shown, "Value": value}
    assert label_of_category(label) == shown


@pytest.mark.parametrize(
    ("value", "label"), [(math.nan, ""), (math.inf, ""), ("many", ""), (True, ""), (1, "positive")]
)
def test_a_score_that_is_no_number_is_none(database: Database, value: Any, label: str):
    store(database, Submission(Call(), value=value).log())
    assert only_rating(database, "Label, Value") == {"Label": label, "Value": 1.0 if label else None}


def test_a_comment_alone_is_a_rating_without_a_label(database: Database):
    store(database, Submission(Call(), value=None, also={"gen_ai.evaluation.explanation": "hm"}).log())
    assert only_rating(database, "Label, Value, Comment") == {"Label": "", "Value": None, "Comment": "hm"}


# The joins.


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


# One answer for every order.

_CALLS: Final = [
    Call(bytes([number + 1]) * 16, bytes([number + 1]) * 8, session="s", response_id=f"r-{number}")
    for number in range(2)
]


@st.composite
def deliveries(draw: st.DrawFn) -> list[Any]:
    """Requests that carry the submissions of a few raters, and those of the calls that they rate."""
    requests: list[Any] = [each.request() for each in _CALLS]
    for number in range(draw(st.integers(1, 6))):
        call = draw(st.sampled_from(_CALLS))
        submission = Submission(
            call,
            id=f"id-{number}",
            at=NOON + draw(st.integers(0, 2)) * SECOND,
            value=draw(st.sampled_from([0.0, 1.0])),
            rater=draw(st.sampled_from(["a", "b"])),
            scope=draw(st.sampled_from(["span", "trace", "session"])),
            session="s",
            action=draw(st.sampled_from(["submit", "submit", "retract"])),
        )
        if draw(st.booleans()) and submission.scope == "span":
            submission = replace(submission, call=None, response_id=call.response_id)
        carriers = [submission.carrier(), submission.log()]
        requests += draw(st.sampled_from([carriers, carriers[:1], carriers[1:]]))
    return requests


def stored_in(database: Database, requests: Sequence[Any], segments: int) -> list[dict[str, Any]]:
    """The current ratings after these requests, in this order, over so many segments of each signal."""
    empty(database)
    size = max(1, math.ceil(len(requests) / segments))
    for start in range(0, len(requests), size):
        batch = requests[start : start + size]
        for kind in (True, False):
            if same := [each for each in batch if isinstance(each, ExportTraceServiceRequest) == kind]:
                store(database, *same)
    return current(database, "* EXCEPT (ReceivedTime)")


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(requests=deliveries(), seed=st.integers(0, 1000), segments=st.integers(1, 4))
def test_any_order_and_any_repetition_end_in_the_same_ratings(
    database: Database, requests: list[Any], seed: int, segments: int
):
    in_order = stored_in(database, requests, 1)
    chance = random.Random(seed)
    jumbled = [*requests, *chance.choices(requests, k=len(requests) // 2)]
    chance.shuffle(jumbled)
    assert stored_in(database, jumbled, segments) == in_order
