from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ParentBased
from opentelemetry.trace import SpanContext, SpanKind, TraceFlags
from tests.support.telemetry import in_memory_telemetry, sdk_settings, telemetry

import otel_feedback
from otel_feedback import semconv
from otel_feedback.errors import TokenError
from otel_feedback.rating import Scope
from otel_feedback.sdk import configuration
from otel_feedback.sdk.configuration import keyring
from otel_feedback.tokens import Keyring

__all__ = ["sdk_settings", "telemetry"]

TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
TRACE_ID, SPAN_ID = 0x4BF92F3577B34DA6A3CE929D0E0E4736, 0x00F067AA0BA902B7


def ids(span_context):
    return span_context.trace_id, span_context.span_id


def test_a_later_click_becomes_a_carrier_span_with_event_and_link_and_a_log_record(telemetry):
    with otel_feedback.session("c-42", user="u-7"):
        call = telemetry.llm_call(response_id="chatcmpl-9")
        token = otel_feedback.feedback_token()
    before = time.time_ns()
    with telemetry.tracer.start_as_current_span("POST /v1/feedback"):
        submission = otel_feedback.record(
            "thumbs", False, target=token, comment="No.", reasons=["wrong", "long"], correction="Yes.",
            attributes={"page": "/chat"},
        )  # fmt: skip
    (carrier,), (log,) = telemetry.carriers, telemetry.logs
    assert carrier.name == "user_feedback thumbs"
    assert carrier.kind is SpanKind.INTERNAL
    assert before <= carrier.start_time == carrier.end_time <= time.time_ns()
    assert carrier.parent.is_remote
    assert ids(carrier.parent) == ids(call)
    assert [ids(link.context) for link in carrier.links] == [ids(call)]
    assert semconv.OPERATION_NAME not in carrier.attributes
    (event,) = carrier.events
    assert (event.name, event.timestamp) == ("gen_ai.evaluation.result", carrier.start_time)
    expected = {
        "gen_ai.evaluation.name": "thumbs",
        "gen_ai.evaluation.score.value": 0.0,
        "gen_ai.evaluation.score.label": "negative",
        "gen_ai.evaluation.explanation": "No.",
        "gen_ai.response.id": "chatcmpl-9",
        "session.id": "c-42",
        "gen_ai.conversation.id": "c-42",
        "enduser.pseudo.id": "u-7",
        "otel_feedback.id": submission,
        "otel_feedback.action": "submit",
        "otel_feedback.source": "end_user",
        "otel_feedback.scope": "span",
        "otel_feedback.reasons": ("wrong", "long"),
        "otel_feedback.correction": "Yes.",
        "page": "/chat",
    }
    assert dict(event.attributes) == expected
    assert dict(carrier.attributes) == expected
    assert {
        key: tuple(value) if isinstance(value, list) else value for key, value in log.attributes.items()
    } == expected
    assert isinstance(event.attributes["gen_ai.evaluation.score.value"], float)
    assert (log.event_name, log.timestamp) == ("gen_ai.evaluation.result", carrier.start_time)
    assert (log.trace_id, log.span_id) == ids(call)


def test_a_span_that_still_records_gets_the_event_itself(telemetry):
    with telemetry.tracer.start_as_current_span("chat") as span:
        otel_feedback.record("stars", 4, target=span, minimum=1, maximum=5)
    assert telemetry.carriers == []
    (event,) = telemetry.span("chat").events
    scores = [event.attributes[f"{key}"] for key in (semconv.FEEDBACK_SCORE_MIN, semconv.FEEDBACK_SCORE_MAX)]
    assert (event.attributes[semconv.EVALUATION_SCORE_VALUE], scores) == (4.0, [1.0, 5.0])
    assert all(isinstance(score, float) for score in scores)
    assert (telemetry.logs[0].trace_id, telemetry.logs[0].span_id) == ids(span.get_span_context())


def test_without_a_target_it_is_the_latest_llm_call_of_the_context(telemetry):
    with otel_feedback.session("c-42", user="u-7"), telemetry.tracer.start_as_current_span("request"):
        telemetry.llm_call("first")
        second = telemetry.llm_call("second")
        with telemetry.tracer.start_as_current_span("postprocess"):
            otel_feedback.record("thumbs", True)
    (carrier,) = telemetry.carriers
    assert ids(carrier.parent) == ids(second)
    assert (carrier.attributes[semconv.SESSION_ID], carrier.attributes[semconv.ENDUSER_PSEUDO_ID]) == ("c-42", "u-7")


def test_an_llm_call_that_still_runs_gets_the_event(telemetry):
    with otel_feedback.session("c-42"):
        stream = telemetry.tracer.start_span("chat", attributes={semconv.OPERATION_NAME: "chat"})
        otel_feedback.record("thumbs", True)
        stream.end()
        otel_feedback.record("thumbs", False)
    assert len(telemetry.span("chat").events) == 1
    assert len(telemetry.carriers) == 1


def test_a_call_that_tells_only_at_its_end_what_it_is_counts_too(telemetry):
    with otel_feedback.session("c-42"):
        with telemetry.tracer.start_as_current_span("old dialect") as span:
            span.set_attribute("llm.request.type", "chat")
        granted = keyring().verify(otel_feedback.feedback_token())
    assert granted.target.span_id == trace.format_span_id(span.get_span_context().span_id)


def test_other_operations_are_no_llm_calls(telemetry):
    with otel_feedback.session("c-42"):
        call = telemetry.llm_call("chat")
        telemetry.tracer.start_span("tool", attributes={semconv.OPERATION_NAME: "execute_tool"}).end()
        telemetry.tracer.start_span("embed", attributes={semconv.OPERATION_NAME: "embeddings"}).end()
        granted = keyring().verify(otel_feedback.feedback_token())
    assert int(granted.target.span_id, 16) == call.span_id


def test_without_a_call_it_is_the_current_span(telemetry):
    with telemetry.tracer.start_as_current_span("answer"):
        otel_feedback.record("thumbs", True)
    assert len(telemetry.span("answer").events) == 1


def test_before_the_call_a_token_names_the_trace(telemetry):
    with otel_feedback.session("c-42"), telemetry.tracer.start_as_current_span("request") as span:
        target = keyring().verify(otel_feedback.feedback_token()).target
    assert (target.scope, target.session_id) == (Scope.TRACE, "c-42")
    assert int(target.trace_id, 16) == span.get_span_context().trace_id


def test_without_a_span_it_is_the_session_as_a_new_root_without_link(telemetry):
    with otel_feedback.session("c-42", user="u-7"):
        otel_feedback.record("thumbs", True)
    (carrier,), (log,) = telemetry.carriers, telemetry.logs
    assert (carrier.parent, list(carrier.links)) == (None, [])
    assert carrier.attributes[semconv.FEEDBACK_SCOPE] == "session"
    assert (log.trace_id, log.span_id) == (0, 0)


@pytest.mark.parametrize("named", [{"session_id": "c-9"}, {"response_id": "chatcmpl-9"}])
def test_a_session_or_response_is_not_tied_to_the_request_of_the_click(telemetry, named):
    with telemetry.tracer.start_as_current_span("POST /v1/feedback"):
        otel_feedback.record("thumbs", True, **named)
    (carrier,), (log,) = telemetry.carriers, telemetry.logs
    assert (carrier.parent, list(carrier.links), log.trace_id) == (None, [], 0)
    key = {"session_id": semconv.SESSION_ID, "response_id": semconv.RESPONSE_ID}[next(iter(named))]
    assert carrier.attributes[key] == next(iter(named.values()))
    if "response_id" in named:
        assert semconv.SESSION_ID not in carrier.attributes


def test_a_trace_without_a_known_span_is_rated_inside_that_trace(telemetry):
    otel_feedback.record("thumbs", True, trace_id=f"{TRACE_ID:032x}")
    (carrier,), (log,) = telemetry.carriers, telemetry.logs
    assert carrier.context.trace_id == log.trace_id == TRACE_ID
    assert (list(carrier.links), log.span_id) == ([], 0)
    assert carrier.attributes[semconv.FEEDBACK_SCOPE] == "trace"


def test_traceparents_and_span_contexts_name_spans(telemetry):
    otel_feedback.record("thumbs", True, target=TRACEPARENT)
    otel_feedback.record("thumbs", True, target=SpanContext(TRACE_ID, SPAN_ID, True, TraceFlags(1)))
    assert [ids(carrier.parent) for carrier in telemetry.carriers] == [(TRACE_ID, SPAN_ID)] * 2


def test_of_an_unsampled_trace_the_log_record_survives(telemetry):
    otel_feedback.record("thumbs", True, target=TRACEPARENT[:-2] + "00")
    assert telemetry.carriers == []
    assert (telemetry.logs[0].trace_id, telemetry.logs[0].span_id) == (TRACE_ID, SPAN_ID)


@pytest.mark.usefixtures("sdk_settings")
def test_with_sampling_off_the_log_record_survives():
    with in_memory_telemetry(ParentBased(ALWAYS_OFF)) as telemetry:
        otel_feedback.record("thumbs", True, session_id="c-42")
        assert (telemetry.spans, len(telemetry.logs)) == ([], 1)


def test_comments_are_dropped_where_they_are_not_captured(sdk_settings, telemetry):
    sdk_settings.setenv("OTEL_FEEDBACK_CAPTURE_COMMENTS", "false")
    otel_feedback.record("thumbs", False, target=TRACEPARENT, comment="My name is Ann.", correction="No.")
    otel_feedback.record("comment", None, target=TRACEPARENT, comment="My name is Ann.")
    (carrier,) = telemetry.carriers
    assert semconv.EVALUATION_EXPLANATION not in carrier.attributes
    assert semconv.FEEDBACK_CORRECTION not in carrier.attributes


def test_a_retraction_is_sent_like_a_rating(telemetry):
    first = otel_feedback.record("thumbs", True, target=TRACEPARENT, rater="u-7")
    second = otel_feedback.retract("thumbs", target=TRACEPARENT, rater="u-7")
    actions = [carrier.attributes[semconv.FEEDBACK_ACTION] for carrier in telemetry.carriers]
    assert (actions, first != second) == (["submit", "retract"], True)
    assert semconv.EVALUATION_SCORE_VALUE not in telemetry.carriers[1].attributes


def test_a_rater_that_is_named_wins_over_the_sessions_user(telemetry):
    with otel_feedback.session("c-42", user="u-7"):
        telemetry.llm_call()
        otel_feedback.record("thumbs", True, rater="annotator-1", source="annotator")
    assert telemetry.carriers[0].attributes[semconv.ENDUSER_PSEUDO_ID] == "annotator-1"


def token_of_a_call(telemetry, **options: Any):
    with otel_feedback.session("c-42", user="u-7"):
        telemetry.llm_call()
        return otel_feedback.feedback_token(**options)


def test_a_token_allows_its_names_and_its_rater_alone(telemetry):
    token = token_of_a_call(telemetry, names=["thumbs"])
    otel_feedback.record("thumbs", True, target=token, rater="u-7")
    with pytest.raises(TokenError, match="stars"):
        otel_feedback.record("stars", 5, target=token)
    with pytest.raises(TokenError, match="u-8"):
        otel_feedback.retract("thumbs", target=token, rater="u-8")
    assert len(telemetry.carriers) == 1


def test_a_bad_token_is_refused(telemetry):
    token = token_of_a_call(telemetry)
    foreign = Keyring(("another",)).mint(keyring().verify(token))
    for bad in (token[:-1], foreign, "", "nonsense"):
        with pytest.raises(TokenError):
            otel_feedback.record("thumbs", True, target=bad)
    assert telemetry.carriers == []


def test_a_token_expires(telemetry):
    token = token_of_a_call(telemetry, lifetime_seconds=1e-9)
    with pytest.raises(TokenError, match="expired"):
        otel_feedback.record("thumbs", True, target=token)


@pytest.mark.parametrize(
    ("arguments", "error", "named"),
    [
        ({"target": 5}, TypeError, "target"),
        ({"target": TRACEPARENT, "session_id": "c"}, ValueError, "target and session_id"),
        ({"target": f"00-{'0' * 32}-{'1' * 16}-01"}, ValueError, "traceparent"),
        ({"session_id": ""}, ValueError, "session_id"),
        ({"response_id": 5}, TypeError, "response_id"),
        ({"trace_id": "xyz"}, ValueError, "trace_id"),
        ({"trace_id": 5}, TypeError, "trace_id"),
        ({"session_id": "c", "rater": 5}, TypeError, "rater"),
        ({"session_id": "c", "attributes": {"a": 1}}, TypeError, "attributes"),
        ({"session_id": "c", "attributes": "a"}, TypeError, "attributes"),
        ({"session_id": "c", "comment": 5}, TypeError, "comment"),
    ],
)
def test_a_mistake_is_refused_with_the_name_of_its_argument(telemetry, arguments, error, named):
    with pytest.raises(error, match=named):
        otel_feedback.record("thumbs", True, **arguments)
    assert telemetry.logs == []


@pytest.mark.usefixtures("telemetry")
@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"names": "thumbs"}, TypeError),
        ({"names": [5]}, TypeError),
        ({"lifetime_seconds": 0}, ValueError),
        ({"lifetime_seconds": float("inf")}, ValueError),
        ({"lifetime_seconds": "1d"}, TypeError),
    ],
)
def test_a_mistake_in_a_token_is_refused_with_the_name_of_its_argument(arguments, error):
    with pytest.raises(error, match=next(iter(arguments))):
        otel_feedback.feedback_token(session_id="c", **arguments)


def test_mistakes_are_refused_even_where_nothing_can_be_rated():
    with pytest.raises(ValueError, match="value"):
        otel_feedback.record("thumbs", float("nan"))


def test_failing_telemetry_never_reaches_the_app(telemetry, monkeypatch, caplog):
    def fail(*_: Any, **__: Any):
        raise RuntimeError("exporter is gone")

    monkeypatch.setattr(trace, "get_tracer", fail)
    otel_feedback.record("thumbs", True, target=TRACEPARENT)
    otel_feedback.record("thumbs", True, target=TRACEPARENT)
    assert otel_feedback.flush()
    warnings = [each for each in caplog.records if each.levelname == "WARNING" and each.name == "otel_feedback"]
    assert len(warnings) == 1
    assert len(telemetry.logs) == 2


def test_without_a_signing_key_tokens_work_in_this_process_and_one_warning_says_so(sdk_settings, telemetry, caplog):
    sdk_settings.delenv("OTEL_FEEDBACK_SIGNING_KEYS")
    for _ in range(3):
        otel_feedback.record("thumbs", True, target=token_of_a_call(telemetry))
    assert len(telemetry.carriers) == 3
    warnings = [each for each in caplog.records if "OTEL_FEEDBACK_SIGNING_KEYS" in each.getMessage()]
    assert len(warnings) == 1


def test_a_malformed_setting_does_not_stop_the_app_and_keeps_comments_private(sdk_settings, telemetry, caplog):
    sdk_settings.setenv("OTEL_FEEDBACK_CAPTURE_COMMENTS", "flase")
    otel_feedback.record("thumbs", True, target=token_of_a_call(telemetry), comment="My name is Ann.")
    assert semconv.EVALUATION_EXPLANATION not in telemetry.carriers[0].attributes
    assert "OTEL_FEEDBACK_CAPTURE_COMMENTS" in caplog.text


def test_a_rating_on_its_way_is_waited_for_no_longer_than_a_flush_may_take(telemetry):
    slow, may_end = threading.Event(), threading.Event()

    def redact(text: str) -> str:
        slow.set()
        assert may_end.wait(20)
        return text

    configuration.redact_with(redact)
    otel_feedback.record("thumbs", True, target=TRACEPARENT, comment="Good.")
    assert slow.wait(5)
    assert not telemetry.provider.force_flush(timeout_millis=50)
    assert not otel_feedback.flush(timeout_seconds=0.05)
    may_end.set()
    assert telemetry.provider.force_flush(5000)
    assert len(telemetry.carriers) == 1


@pytest.mark.usefixtures("telemetry")
def test_providers_that_cannot_be_looked_at_do_not_break_the_app(monkeypatch, caplog):
    def fail() -> None:
        raise RuntimeError("on purpose")

    with monkeypatch.context() as patch:
        patch.setattr(trace, "get_tracer_provider", fail)
        otel_feedback.record("thumbs", True, target=TRACEPARENT)
    assert "looking at the providers failed" in caplog.text
