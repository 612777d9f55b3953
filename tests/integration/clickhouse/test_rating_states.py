"""Ratings that wait for what they rate, and link when it comes."""

from __future__ import annotations

from typing import Final

import pytest
from tests.support.ratings import LINKED, UNMATCHED, WAITING, Call, Submission, only_rating, seconds_ago
from tests.support.segments import store

from otel_feedback.clickhouse.database import Database
from otel_feedback.clickhouse.migrate import migrate
from otel_feedback.settings import Settings

DAY: Final = 86_400


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
