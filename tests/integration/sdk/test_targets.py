"""Every way to say what is rated, for ratings, retractions and tokens; every mistake with what to do about it."""

from __future__ import annotations

from typing import Any

import pytest
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags
from tests.support.telemetry import sdk_settings, telemetry

import otel_feedback
from otel_feedback import semconv
from otel_feedback.rating import Scope, Target
from otel_feedback.sdk.configuration import keyring
from otel_feedback.testing import RecordedFeedback

__all__ = ["sdk_settings", "telemetry"]

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
CONTEXT = SpanContext(int(TRACE, 16), int(SPAN, 16), is_remote=True, trace_flags=TraceFlags(1))
ON_SPAN = Target(Scope.SPAN, trace_id=TRACE, span_id=SPAN)
WAYS: dict[str, tuple[dict[str, Any], Target]] = {
    "token": ({"target": ""}, ON_SPAN),  # made within the test, with the test's key
    "traceparent": ({"target": f"00-{TRACE}-{SPAN}-01"}, ON_SPAN),
    "SpanContext": ({"target": CONTEXT}, ON_SPAN),
    "span": ({"target": NonRecordingSpan(CONTEXT)}, ON_SPAN),
    "response id": ({"response_id": "chatcmpl-9"}, Target(Scope.SPAN, response_id="chatcmpl-9")),
    "session id": ({"session_id": "c-42"}, Target(Scope.SESSION, session_id="c-42")),
    "trace id": ({"trace_id": TRACE}, Target(Scope.TRACE, trace_id=TRACE)),
}
RATINGS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "thumbs": ({"value": True}, {"value": 1.0, "label": "positive"}),
    "stars": (
        {"value": 2, "minimum": 1, "maximum": 5},
        {"value": 2.0, "label": "negative", "minimum": 1, "maximum": 5},
    ),
    "choice": ({"value": "off topic"}, {"value": None, "label": "off topic"}),
    "comment": ({"value": None, "comment": "Nearly."}, {"value": None, "label": "", "comment": "Nearly."}),
    "reasons": ({"value": None, "reasons": ["long", "rude"]}, {"reasons": ("long", "rude")}),
    "correction": ({"value": None, "correction": "42"}, {"correction": "42"}),
}


def named(way: str) -> dict[str, Any]:
    arguments, _ = WAYS[way]
    return {"target": otel_feedback.feedback_token(target=CONTEXT)} if way == "token" else arguments


@pytest.fixture
def recorded(telemetry, recorded_feedback) -> RecordedFeedback:  # noqa: ARG001  # the test's own providers come first
    return recorded_feedback


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("rating", RATINGS)
def test_each_kind_of_rating_is_given_and_taken_back_by_each_way_of_naming(recorded, way, rating):
    given, expected = RATINGS[rating]
    parts = {part: value for part, value in given.items() if part != "value"}
    identity = otel_feedback.record(rating, given["value"], **named(way), **parts)
    retracted = otel_feedback.retract(rating, **named(way))
    submit, retract = recorded.ratings
    assert {part: getattr(submit, part) for part in expected} == expected
    assert (submit.target, submit.action, submit.id) == (WAYS[way][1], "submit", identity)
    assert (retract.target, retract.action, retract.id) == (WAYS[way][1], "retract", retracted)
    assert (retract.name, retract.value) == (rating, None)


@pytest.mark.usefixtures("recorded")
@pytest.mark.parametrize("way", WAYS)
def test_a_token_is_made_for_each_way_of_naming(way):
    assert keyring().verify(otel_feedback.feedback_token(**named(way))).target == WAYS[way][1]


NAN = float("nan")


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        ({"name": 5}, TypeError, "name must be a string"),
        ({"name": " "}, ValueError, "name must not be empty: say what is rated"),
        ({"name": "x" * 65}, ValueError, "name has 65 characters; at most 64"),
        ({"value": None}, ValueError, "value is None: a rating needs a value, a comment"),
        ({"value": {"up": 1}}, TypeError, "value must be True, False, a number, a label or None, not dict"),
        ({"value": NAN}, ValueError, "value must be finite"),
        ({"value": " "}, ValueError, "value must not be an empty string; use None"),
        ({"value": 9, "minimum": 1, "maximum": 5}, ValueError, r"value 9 is outside \[1, 5\]"),
        ({"value": 1, "minimum": 0}, ValueError, "minimum and maximum belong together: give both or neither"),
        ({"value": 1, "minimum": 5, "maximum": 1}, ValueError, "minimum 5 must be below maximum 1"),
        ({"value": 1, "minimum": "0", "maximum": 1}, TypeError, "minimum must be a number"),
        ({"value": 1, "minimum": 0, "maximum": NAN}, ValueError, "maximum must be finite"),
        ({"comment": None}, TypeError, "comment must be a string"),
        ({"comment": "x" * 10_001}, ValueError, "comment has 10001 characters; at most 10000"),
        ({"correction": b"x"}, TypeError, "correction must be a string"),
        ({"reasons": "long"}, TypeError, "reasons must be a list of strings"),
        ({"reasons": ["x"] * 33}, ValueError, "reasons has 33 entries; at most 32"),
        ({"reasons": [5]}, TypeError, "reasons must be a string"),
        ({"rater": 7}, TypeError, "rater must be a string"),
        ({"rater": "x" * 257}, ValueError, "rater has 257 characters; at most 256"),
        ({"source": 5}, TypeError, "source must be a string"),
        ({"attributes": ["a"]}, TypeError, "attributes must be a mapping"),
        ({"attributes": {"a": 1}}, TypeError, "attributes must map strings to strings; 'a' does not"),
        ({"session_id": " "}, ValueError, "session_id must not be empty"),
        ({"session_id": None, "response_id": 5}, TypeError, "response_id must be a string"),
        ({"session_id": None, "trace_id": "xyz"}, ValueError, "trace_id must be 32 lower-case hexadecimal digits"),
        ({"session_id": None, "target": 5}, TypeError, "target must be a rating token, a traceparent, a Span"),
        ({"trace_id": TRACE}, ValueError, "session_id and trace_id name different things to rate: give one of them"),
    ],
)
def test_a_mistake_is_refused_with_its_argument_and_what_is_right(recorded, arguments, error, says):
    with pytest.raises(error, match=says):
        otel_feedback.record(**{"name": "thumbs", "value": True, "session_id": "c-42", **arguments})
    assert recorded.ratings == []


@pytest.mark.usefixtures("recorded")
def test_a_token_that_nobody_would_take_is_not_made():
    with pytest.raises(ValueError, match="shorten session_id, response_id, rater or names"):
        otel_feedback.feedback_token(session_id="会" * 256, rater="話" * 256, names=["名" * 64] * 8)


def test_in_a_session_the_session_and_its_user_are_in_the_rating(recorded, telemetry):
    with otel_feedback.session("c-42", user="u-7"):
        telemetry.llm_call(response_id="chatcmpl-9")
        otel_feedback.record("thumbs", True)
    rating = recorded.rating()
    assert (rating.session, rating.rater, rating.target.response_id) == ("c-42", "u-7", "chatcmpl-9")
    assert telemetry.carriers[0].attributes[semconv.FEEDBACK_ID] == rating.id
