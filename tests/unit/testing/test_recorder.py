"""The recorder that app developers test with, in pytest runs of their own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import otel_feedback
from otel_feedback.testing import record_feedback

APP_TEST = """
import otel_feedback
from opentelemetry import trace

tracer = trace.get_tracer("app")

def answer():
    with otel_feedback.session("c-42", user="u-7"):
        with tracer.start_as_current_span("chat", attributes={"gen_ai.operation.name": "chat"}):
            pass
        return otel_feedback.feedback_token()

def test_a_click_is_recorded(recorded_feedback):
    otel_feedback.record("thumbs", False, target=answer(), comment="No.", reasons=["wrong"])
    rating = recorded_feedback.rating("thumbs")
    assert (rating.value, rating.label, rating.comment, rating.reasons) == (False, "negative", "No.", ("wrong",))
    assert (rating.rater, rating.session, rating.action) == ("u-7", "c-42", "submit")
    span = recorded_feedback.span("chat")
    assert (span.session, span.user) == ("c-42", "u-7")
    assert (rating.target.scope, rating.target.span_id) == ("span", span.span_id)

def test_the_next_test_starts_empty(recorded_feedback):
    assert (recorded_feedback.ratings, recorded_feedback.spans) == ([], [])
    otel_feedback.record("thumbs", True, session_id="c-1")
    otel_feedback.retract("thumbs", session_id="c-1")
    assert [rating.action for rating in recorded_feedback.ratings] == ["submit", "retract"]

def test_settings_of_a_test_count(recorded_feedback_with_comments_off, recorded_feedback):
    otel_feedback.record("thumbs", True, session_id="c-1", comment="My name is Ann.")
    assert recorded_feedback.rating().comment == ""
"""
CONFTEST = """
import pytest

@pytest.fixture
def recorded_feedback_with_comments_off(monkeypatch):
    monkeypatch.setenv("OTEL_FEEDBACK_CAPTURE_COMMENTS", "false")
"""


def test_an_apps_tests_have_the_fixture_without_any_import(tmp_path: Path):
    (tmp_path / "test_app.py").write_text(APP_TEST)
    (tmp_path / "conftest.py").write_text(CONFTEST)
    command = [sys.executable, "-W", "error", "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 passed" in done.stdout


def test_nothing_is_recorded_outside_of_the_block():
    with record_feedback() as recorded:
        otel_feedback.record("thumbs", True, session_id="c-1")
    otel_feedback.record("thumbs", False, session_id="c-1")
    assert recorded.rating().value == 1.0


def test_what_was_recorded_is_listed_where_one_was_expected():
    with record_feedback() as recorded:
        with pytest.raises(AssertionError, match=r"0 ratings thumbs .* none"):
            recorded.rating("thumbs")
        otel_feedback.record("stars", 4, session_id="c-1", minimum=1, maximum=5)
        with pytest.raises(AssertionError, match=r"submit stars=positive"):
            recorded.rating("thumbs")
        with pytest.raises(AssertionError, match=r"0 spans 'chat'"):
            recorded.span("chat")
        recorded.clear()
        assert recorded.ratings == []
