"""What is rated, by whichever of its names."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.support.otlp import trace_request
from tests.support.ratings import LINKED, WAITING, Call, Submission, current, only_rating, only_span, seconds_ago
from tests.support.segments import store

from otel_feedback.clickhouse.database import Database


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
