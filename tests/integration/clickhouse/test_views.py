"""``traces``, ``sessions`` and ``users``: counts that neither repeats, nor carriers, nor ratings can inflate."""

from __future__ import annotations

from typing import Any, Final

from tests.support.otlp import NOON, SECOND, trace_request
from tests.support.ratings import Call, Submission, only_span
from tests.support.segments import store

from otel_feedback.clickhouse.database import Database

FIGURES: Final = (
    "Calls, InputTokens, OutputTokens, TotalTokens, Errors, Ratings, Positive, Neutral, Negative,"
    " toUnixTimestamp64Nano(FirstTime) AS FirstTime, toUnixTimestamp64Nano(LastTime) AS LastTime, Duration"
)


def figures(database: Database, view: str, key: str) -> dict[str, dict[str, Any]]:
    rows = database.query(f"SELECT {key} AS Key, {FIGURES} FROM {view}")  # noqa: S608  # names of our own
    return {row.pop("Key"): row for row in map(dict, rows)}


def deliver(database: Database) -> tuple[Call, Call, Call]:
    """Two calls in one trace, the second failed, and one in another trace of the same session; six ratings of them."""
    root = trace_request({"session.id": "s", "user.id": "u"}, service="gateway")
    span = only_span(root)
    span.name, span.start_time_unix_nano, span.end_time_unix_nano = "POST /chat", NOON - SECOND, NOON + 20 * SECOND
    first = Call(span.trace_id, parent=span.span_id, session="s", user="u")
    failed = Call(
        span.trace_id,
        parent=span.span_id,
        at=NOON + 10 * SECOND,
        session="s",
        user="u",
        tokens=(7, 0),
        error="Timeout",
    )
    other = Call(session="s", user="u", at=NOON + 100 * SECOND, tokens=(1, 2))
    stars = {"otel_feedback.score.min": 1.0, "otel_feedback.score.max": 5.0}
    ratings = [
        Submission(first, id="1", rater="u"),
        Submission(first, id="2", rater="v", value=0.0),
        Submission(first, id="3", rater="u", name="stars", value=3.0, also=stars),
        Submission(first, id="4", rater="u", name="stars", scope="trace", value=5.0, also=stars),
        Submission(other, id="5", rater="u", name="tone", value=None, also={"gen_ai.evaluation.score.label": "rude"}),
        Submission(session="s", id="6", rater="w", scope="session", value=0.0),
    ]
    for request in (root, first.request(), failed.request(), other.request()):
        store(database, request)
    store(database, *[each.carrier() for each in ratings])
    store(database, *[each.log() for each in ratings])
    return first, failed, other


EXPECTED_TRACE: Final = {
    "Calls": 2,
    "InputTokens": 17,
    "OutputTokens": 5,
    "TotalTokens": 22,
    "Errors": 1,
    "Ratings": 4,
    "Positive": 2,
    "Neutral": 1,
    "Negative": 1,
    "FirstTime": NOON - SECOND,
    "LastTime": NOON + 20 * SECOND,
    "Duration": 21 * SECOND,
}
EXPECTED_SESSION: Final = {
    "Calls": 3,
    "InputTokens": 18,
    "OutputTokens": 7,
    "TotalTokens": 25,
    "Errors": 1,
    "Ratings": 6,
    "Positive": 2,
    "Neutral": 1,
    "Negative": 2,
    "FirstTime": NOON,
    "LastTime": NOON + 101 * SECOND,
    "Duration": 3 * SECOND,
}


def test_a_trace_has_its_calls_tokens_errors_and_ratings(database: Database):
    first, _, other = deliver(database)
    traces = figures(database, "traces", "TraceId")
    assert traces[first.trace_id.hex()] == EXPECTED_TRACE
    assert set(traces) == {first.trace_id.hex(), other.trace_id.hex()}, "a carrier is no trace"
    (row,) = database.query(
        "SELECT RootName, ServiceName, SessionId, UserId FROM traces WHERE Calls = 2",
    )
    assert row == {"RootName": "POST /chat", "ServiceName": "gateway", "SessionId": "s", "UserId": "u"}


def test_a_session_has_its_calls_tokens_errors_and_the_ratings_of_everything_in_it(database: Database):
    deliver(database)
    assert figures(database, "sessions", "SessionId") == {"s": EXPECTED_SESSION}
    (row,) = database.query("SELECT UserId, Traces FROM sessions")
    assert row == {"UserId": "u", "Traces": 2}


def test_a_user_has_the_calls_and_the_ratings_that_were_that_persons_own(database: Database):
    deliver(database)
    users = figures(database, "users", "UserId")
    own = {"Calls": 3, "TotalTokens": 25, "Errors": 1, "Ratings": 4, "Positive": 2, "Neutral": 1, "Negative": 0}
    assert {key: users["u"][key] for key in own} == own
    assert (users["u"]["FirstTime"], users["u"]["LastTime"]) == (NOON, NOON + 101 * SECOND)
    assert {user: (row["Calls"], row["Ratings"], row["Negative"]) for user, row in users.items()} == {
        "u": (3, 4, 0),
        "v": (0, 1, 1),
        "w": (0, 1, 1),
    }
    (row,) = database.query("SELECT Sessions FROM users WHERE UserId = 'u'")
    assert row == {"Sessions": 1}


def test_what_is_delivered_again_counts_once_everywhere(database: Database):
    first, failed, other = deliver(database)
    submission = Submission(first, id="1", rater="u")
    for _ in range(2):
        store(database, *[each.request() for each in (other, failed, first)], submission.carrier())
        store(database, submission.log())
    assert figures(database, "traces", "TraceId")[first.trace_id.hex()] == EXPECTED_TRACE
    assert figures(database, "sessions", "SessionId") == {"s": EXPECTED_SESSION}
    assert figures(database, "users", "UserId")["u"]["Calls"] == 3


def test_a_rating_without_a_session_counts_for_the_session_of_its_trace(database: Database):
    call = Call(session="s")
    store(database, Submission(call).log())
    store(database, call.request())
    assert figures(database, "sessions", "SessionId")["s"]["Ratings"] == 1
    (row,) = database.query("SELECT SessionId, Label FROM rated_sessions")
    assert row == {"SessionId": "s", "Label": "positive"}


def test_calls_without_session_and_user_are_in_no_session_and_of_no_user(database: Database):
    call = Call()
    store(database, call.request(), Submission(call, rater="").carrier())
    assert figures(database, "sessions", "SessionId") == {}
    assert figures(database, "users", "UserId") == {}
    assert figures(database, "traces", "TraceId")[call.trace_id.hex()]["Ratings"] == 1


def test_a_trace_that_holds_no_call_is_a_trace_all_the_same(database: Database):
    request = trace_request({"http.route": "/health"})
    store(database, request)
    (row,) = database.query("SELECT Calls, Errors, Ratings FROM traces")
    assert row == {"Calls": 0, "Errors": 0, "Ratings": 0}


def test_an_error_outside_of_the_calls_counts_for_its_trace(database: Database):
    request = trace_request({"http.route": "/chat"}, {"db.system": "qdrant"})
    for span in request.resource_spans[0].scope_spans[0].spans:
        span.trace_id = b"\x01" * 16
        span.status.code = 2  # type: ignore[assignment]
    store(database, request)
    (row,) = database.query("SELECT Errors FROM traces")
    assert row == {"Errors": 1}
