from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from otel_feedback.dashboard.links import (
    answer_link,
    reading_link,
    session_link,
    span_link,
    text_link,
    trace_link,
    user_link,
    with_query,
)

IDS = ["plain", "a/b/c", "ünï cödé", "100%", 'say "hi"', "q?x=1&y=2", "#hash", "a+b", "tail/", "/head", "\\back", "<b>"]


@pytest.mark.parametrize("entity_id", IDS)
def test_an_id_survives_in_the_path(entity_id):
    split = urlsplit(session_link(entity_id))
    assert unquote(split.path) == f"/sessions/{entity_id}"
    assert not split.query
    assert not split.fragment


@pytest.mark.parametrize("entity_id", ["..", ".", "a/../b", "line\nbreak", "nul\x00", "../../login"])
def test_an_id_that_browsers_would_rewrite_goes_into_the_query(entity_id):
    split = urlsplit(user_link(entity_id))
    assert split.path == "/users/"
    assert parse_qs(split.query) == {"id": [entity_id]}


def test_an_answer_is_seen_in_its_session_or_else_in_its_trace():
    assert answer_link({"SessionId": "s", "TraceId": "t", "SpanId": "a1"}) == "/sessions/s?call=a1#call-a1"
    assert answer_link({"SessionId": "..", "SpanId": "a1"}) == "/sessions/?id=..&call=a1#call-a1"
    assert answer_link({"SessionId": "", "TraceId": "t", "SpanId": "a1"}) == trace_link("t", span_id="a1")
    assert answer_link({"SessionId": "", "TraceId": "", "SpanId": ""}) == ""


def test_empty_filters_do_not_clutter_an_address():
    assert with_query("/feedback", {"label": "negative", "name": ""}) == "/feedback?label=negative"
    assert with_query("/feedback", {"name": ""}) == "/feedback"


@pytest.mark.parametrize("entity_id", [*IDS, "", "..", "line\nbreak", " "])
def test_an_id_survives_in_the_query(entity_id):
    query = parse_qs(urlsplit(span_link(entity_id, entity_id)).query, keep_blank_values=True)
    assert query == {"trace": [entity_id], "span": [entity_id]}
    query = parse_qs(urlsplit(text_link(of="span", key=entity_id, number=3)).query, keep_blank_values=True)
    assert query == {"of": ["span"], "key": [entity_id], "number": ["3"]}


def test_a_trace_is_shown_at_its_span():
    assert trace_link("t") == "/traces/t"
    assert trace_link("t", span_id="a/b") == "/traces/t?span=a%2Fb#span-a%2Fb"
    assert trace_link("..", span_id="b") == "/traces/?id=..&span=b#span-b"


def test_a_rating_is_read_among_those_of_its_filter():
    assert reading_link("0a") == "/feedback/0a"
    assert reading_link("0a", {"label": "negative", "user": ""}) == "/feedback/0a?label=negative"
