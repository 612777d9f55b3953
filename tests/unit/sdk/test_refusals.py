from __future__ import annotations

import pytest

import otel_feedback
from otel_feedback.errors import TokenError
from otel_feedback.sdk import quiet
from otel_feedback.sdk.refusals import refusals_reported


@pytest.fixture(autouse=True)
def told_nothing_yet():
    quiet.forget()
    yield
    quiet.forget()


def test_what_is_refused_is_told_once_for_each_reason_and_ui(caplog):
    for ui in ("Gradio", "Gradio", "Streamlit"):
        for rater in ("u-1", "u-2"):
            with refusals_reported(ui):
                raise TokenError(403, "other_rater", f"the rating token is for another rater than {rater!r}")
        with refusals_reported(ui):
            otel_feedback.record("thumbs", "x" * 1000, session_id="c-42")
    assert [each.message for each in caplog.records] == [
        f"a rating of {ui}'s was refused: {message}"
        for ui in ("Gradio", "Streamlit")
        for message in (
            "the rating token is for another rater than 'u-1'. Give feedback_token() the rater who sees the answer",
            "value has 1000 characters; at most 64 are taken",
        )
    ]


def test_what_is_no_refusal_is_raised():
    with pytest.raises(KeyError), refusals_reported("Gradio"):
        raise KeyError("metadata")
