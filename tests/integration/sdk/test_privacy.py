"""What leaves the app of what people wrote and of who they are."""

from __future__ import annotations

import asyncio

import pytest
from tests.support.telemetry import sdk_settings, telemetry

import otel_feedback
from otel_feedback import semconv
from otel_feedback.rating import Scope, Target, make_rating
from otel_feedback.sdk.configuration import forget, keyring
from otel_feedback.sdk.endpoint import AppRatingStore
from otel_feedback.sdk.instrumentor import uninstrument
from otel_feedback.tokens import Keyring

__all__ = ["sdk_settings", "telemetry"]

SAID = {"comment": "I am Ann", "correction": "Ann is right", "reasons": ["Ann", "too long"]}
REDACTOR = f"{__name__}:redact"


@pytest.fixture(autouse=True)
def _as_before(sdk_settings):  # noqa: ARG001  # settings come first
    yield
    uninstrument()


def redact(text: str) -> str:
    return text.replace("Ann", "***")


def fail(text: str) -> str:
    raise RuntimeError(text)


def everything_sent(telemetry) -> str:
    spans = [
        (span.name, dict(span.attributes), [dict(event.attributes) for event in span.events])
        for span in telemetry.spans
    ]
    return repr(spans) + repr([dict(log.attributes) for log in telemetry.logs])


def test_ratings_leave_as_spans_and_log_records_unless_one_is_asked_for(sdk_settings, telemetry):
    for mode, spans, logs in (("both", 1, 1), ("spans", 1, 0), ("logs", 0, 1)):
        sdk_settings.setenv("OTEL_FEEDBACK_RATINGS_AS", mode)
        forget()
        telemetry.span_exporter.clear()
        telemetry.log_exporter.clear()
        otel_feedback.record("thumbs", True, session_id="c-1")
        assert (len(telemetry.carriers), len(telemetry.logs)) == (spans, logs), mode


def test_as_logs_alone_not_even_the_span_that_still_records_gets_an_event(sdk_settings, telemetry):
    sdk_settings.setenv("OTEL_FEEDBACK_RATINGS_AS", "logs")
    with telemetry.tracer.start_as_current_span("chat") as span:
        otel_feedback.record("thumbs", True, target=span)
    assert list(telemetry.span("chat").events) == []
    assert telemetry.logs[0].span_id == span.get_span_context().span_id


@pytest.mark.parametrize("is_by_code", [True, False])
def test_texts_are_redacted_before_they_are_sent(sdk_settings, telemetry, is_by_code):
    if is_by_code:
        otel_feedback.instrument(redact=redact)
    else:
        sdk_settings.setenv("OTEL_FEEDBACK_REDACT", REDACTOR)
    otel_feedback.record("thumbs", False, session_id="c-1", **SAID)
    attributes = telemetry.carriers[0].attributes
    assert attributes[semconv.EVALUATION_EXPLANATION] == "I am ***"
    assert attributes[semconv.FEEDBACK_CORRECTION] == "*** is right"
    assert attributes[semconv.FEEDBACK_REASONS] == ("***", "too long")
    assert "Ann" not in everything_sent(telemetry)


@pytest.mark.parametrize("named", [f"{__name__}:fail", "no_such_module:redact"])
def test_a_redactor_that_fails_or_is_not_there_lets_no_text_through_and_no_rating_is_lost(
    sdk_settings, telemetry, named, caplog
):
    sdk_settings.setenv("OTEL_FEEDBACK_REDACT", named)
    otel_feedback.record("thumbs", False, session_id="c-1", **SAID)
    otel_feedback.record("comment", None, session_id="c-1", comment="I am Ann")
    assert [carrier.attributes[semconv.EVALUATION_NAME] for carrier in telemetry.carriers] == ["thumbs", "comment"]
    assert telemetry.carriers[0].attributes[semconv.EVALUATION_SCORE_VALUE] == 0.0
    assert "Ann" not in everything_sent(telemetry) + caplog.text


def test_what_a_page_reads_back_is_what_was_sent(telemetry):
    otel_feedback.instrument(redact=redact)
    store, target = AppRatingStore(Keyring(("key",)), None), Target(Scope.SESSION, session_id="c-1")
    asyncio.run(store.submit(make_rating("thumbs", True, target, comment="I am Ann")))
    (shown,) = asyncio.run(store.current(target, ""))
    assert shown.comment == "I am ***"
    assert "Ann" not in everything_sent(telemetry)


def test_a_redactor_that_is_no_function_is_refused():
    with pytest.raises(TypeError, match=r"redact must be a function"):
        otel_feedback.instrument(redact="myapp:redact")


def test_with_a_pseudonym_key_no_user_id_leaves_the_app(sdk_settings, telemetry):
    sdk_settings.setenv("OTEL_FEEDBACK_PSEUDONYM_KEY", "a secret")
    with otel_feedback.session("c-1", user="ann@example.org"):
        telemetry.llm_call()
        token = otel_feedback.feedback_token()
        otel_feedback.record("thumbs", True)
    otel_feedback.record("stars", 4, minimum=1, maximum=5, target=token, rater="ann@example.org")
    otel_feedback.retract("thumbs", target=token)
    expected = otel_feedback.pseudonym("ann@example.org")
    assert expected.startswith("p-")
    assert len(expected) == 34
    assert [carrier.attributes[semconv.ENDUSER_PSEUDO_ID] for carrier in telemetry.carriers] == [expected] * 3
    assert telemetry.span("chat").attributes[semconv.ENDUSER_PSEUDO_ID] == keyring().verify(token).rater_id == expected
    assert "ann@" not in everything_sent(telemetry) + repr(keyring().verify(token))
    named = keyring().verify(otel_feedback.feedback_token(session_id="c-1", rater="ann@example.org"))
    assert named.rater_id == expected


def test_a_pseudonym_depends_on_the_key_and_the_user_alone(sdk_settings):
    def made(key: str, user: str) -> str:
        sdk_settings.setenv("OTEL_FEEDBACK_PSEUDONYM_KEY", key)
        forget()
        return otel_feedback.pseudonym(user)

    assert made("a", "u-7") == made("a", "u-7")
    assert len({made("a", "u-7"), made("a", "u-8"), made("b", "u-7")}) == 3
    assert made("a", "") == ""


def test_without_a_key_users_are_stored_as_given_and_an_email_address_is_warned_of_once(telemetry, caplog):
    for _ in range(2):
        otel_feedback.record("thumbs", True, session_id="c-1", rater="ann@example.org")
    assert telemetry.carriers[0].attributes[semconv.ENDUSER_PSEUDO_ID] == "ann@example.org"
    assert caplog.text.count("OTEL_FEEDBACK_PSEUDONYM_KEY") == 1
    assert "ann@" not in caplog.text


def test_while_settings_cannot_be_read_neither_texts_nor_user_ids_leave_the_app(sdk_settings, telemetry, tmp_path):
    file = tmp_path / "otel-feedback.toml"
    file.write_text(f'pseudonym_key = "a secret"\nredact = "{REDACTOR}"\nretension = "8w"\n')
    sdk_settings.setenv("OTEL_FEEDBACK_CONFIG", str(file))
    otel_feedback.record("thumbs", False, session_id="c-1", rater="u-ann", **SAID)
    assert len(telemetry.carriers) == 1
    sent = everything_sent(telemetry)
    assert "Ann" not in sent
    assert "u-ann" not in sent
