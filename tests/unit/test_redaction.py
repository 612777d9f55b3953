from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_feedback.errors import ConfigurationError
from otel_feedback.rating import Scope, Target, make_rating
from otel_feedback.redaction import REDACTED, load_redactor, redact_everything, redacted

TARGET = Target(Scope.SESSION, session_id="c-1")
TEXTS = {"comment": "I am Ann", "correction": "Ann is right", "reasons": ["Ann", "too long"]}


def without_ann(text: str) -> str:
    return text.replace("Ann", "***")


def fails_for_ann(text: str) -> str:
    if "Ann" in text:
        raise ValueError(f"can't redact {text}")
    return text


def test_every_text_goes_through_the_redactor_and_the_rest_stays():
    rating = make_rating("thumbs", False, TARGET, **TEXTS)
    kept = redacted(rating, without_ann)
    assert (kept.comment, kept.correction, kept.reasons) == ("I am ***", "*** is right", ("***", "too long"))
    assert (kept.value, kept.label, kept.id, kept.time_unix_nano) == (0.0, "negative", rating.id, rating.time_unix_nano)
    assert redacted(rating, None) is rating


def test_a_redactor_that_raises_lets_no_text_through_and_keeps_the_rating(caplog):
    kept = redacted(make_rating("thumbs", False, TARGET, **TEXTS), fails_for_ann)
    assert (kept.value, kept.comment, kept.correction, kept.reasons) == (0.0, "", "", ("too long",))
    assert "ValueError" in caplog.text
    assert "Ann" not in caplog.text


def test_of_a_rating_that_was_nothing_but_text_there_stays_that_it_was_given():
    for only in ({"comment": "I am Ann"}, {"correction": "Ann"}, {"reasons": ["Ann"]}):
        kept = redacted(make_rating("comment", None, TARGET, **only), fails_for_ann)
        assert (kept.comment, kept.correction, kept.reasons) == (REDACTED, "", ())


@pytest.mark.parametrize("returned", [None, 5, b"x", "\ud800", ["x"]])
def test_what_is_no_text_is_left_out(returned):
    kept = redacted(make_rating("thumbs", True, TARGET, comment="I am Ann"), lambda _: returned)
    assert (kept.value, kept.comment) == (1.0, "")


@given(st.text(st.characters(codec="utf-8"), max_size=50), st.integers(0, 100_000))
def test_whatever_it_returns_stays_within_the_limits_of_a_rating(text, times):
    rating = redacted(make_rating("thumbs", True, TARGET, **TEXTS), lambda _: text * times)
    make_rating("thumbs", True, TARGET, comment=rating.comment, correction=rating.correction, reasons=rating.reasons)


def test_a_redactor_is_named_like_an_entry_point():
    assert load_redactor("") is None
    assert load_redactor("otel_feedback.redaction:redact_everything") is redact_everything
    assert load_redactor("builtins:str.upper")("a") == "A"


@pytest.mark.parametrize(
    "path", ["otel_feedback.redaction", "no_such_module:f", "builtins:nothing", "builtins:__name__", ":", "a:b:c"]
)
def test_what_cannot_be_imported_is_refused_with_its_name_and_an_example(path):
    with pytest.raises(ConfigurationError, match=r"OTEL_FEEDBACK_REDACT"):
        load_redactor(path)
