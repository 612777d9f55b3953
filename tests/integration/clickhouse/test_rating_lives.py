"""A rating is given, changed, taken back and delivered again: ``feedback_events`` and ``feedback``.

Tests that end in the name and number of an issue show that what people asked for there is so here.
"""

from __future__ import annotations

from typing import Any, Final

import pytest
from tests.support.otlp import NOON, SECOND
from tests.support.ratings import LINKED, WAITING, Call, Submission, current, journal, only_rating, seconds_ago
from tests.support.segments import store

from otel_feedback.clickhouse import statements
from otel_feedback.clickhouse.database import Database
from otel_feedback.dashboard.pages.feedback import FILTERS

DAY: Final = 86_400


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
            **dict.fromkeys(FILTERS, ""),
            "before_id": "",
            "text": "slow, NAÏVE",
            "since": 0,
            "until": 2**63 - 1,
            "before_time": 2**63 - 1,
            "limit": 10,
        },
    )
    assert [row["Comment"] for row in found] == ["Too SLOW, naïve"]
