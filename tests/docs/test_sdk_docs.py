"""The Python in docs/testing.md, docs/privacy.md and docs/tokens.md runs and does what the text around it says."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import fields as fields_of
from pathlib import Path
from typing import Any

import pytest

import otel_feedback
from otel_feedback.sdk.instrumentor import uninstrument
from otel_feedback.settings import PREFIX, Settings, setting_name
from otel_feedback.testing import RecordedFeedback, RecordedRating, RecordedSpan
from otel_feedback.tokens import Keyring

DOCS = Path(__file__).parents[2] / "docs"


def snippets(document: str) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```$", (DOCS / document).read_text(), re.MULTILINE | re.DOTALL)


def test_the_test_of_an_app_passes(tmp_path: Path):
    with_fixture, without = snippets("testing.md")
    (tmp_path / "test_app.py").write_text(with_fixture)
    (tmp_path / "without.py").write_text(f"import otel_feedback\n{without}")
    for command in (["-m", "pytest", "-q", "-p", "no:cacheprovider", "test_app.py"], ["without.py"]):
        done = subprocess.run(
            [sys.executable, "-W", "error", *command],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_parts_of_what_is_recorded_are_those_of_the_table():
    lines = (DOCS / "testing.md").read_text().splitlines()
    ratings, spans = (
        line.split("|")[2] for line in lines if re.match(r"\| `recorded_feedback\.(ratings|spans)`", line)
    )
    for text, kind in ((ratings, RecordedRating), (spans, RecordedSpan)):
        assert re.findall(r"`(\w+)`", text) == [field.name for field in fields_of(kind)]


def test_the_redactor_stores_what_the_text_says(recorded_feedback: RecordedFeedback):
    (snippet,) = snippets("privacy.md")
    scope: dict[str, Any] = {}
    try:
        exec(snippet, scope)  # noqa: S102  # the snippet is ours
        comment = recorded_feedback.rating("thumbs").comment
    finally:
        uninstrument()
    assert f"stores `{comment}`" in (DOCS / "privacy.md").read_text()


@pytest.mark.usefixtures("recorded_feedback")
def test_a_token_is_made_as_the_text_says(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OTEL_FEEDBACK_SIGNING_KEYS", "new,old")
    (snippet,) = snippets("tokens.md")
    scope: dict[str, Any] = {"otel_feedback": otel_feedback}
    with otel_feedback.session("conversation-42", user="u-7"):
        exec(snippet, scope)  # noqa: S102  # the snippet is ours
    grant = Keyring(("another", "new")).verify(scope["token"])
    assert (grant.names, grant.rater_id, grant.target.session_id) == (("thumbs",), "u-7", "conversation-42")


@pytest.mark.parametrize("document", ["privacy.md", "testing.md", "tokens.md"])
def test_every_setting_that_is_named_exists(document: str):
    known = {PREFIX + setting_name(each.name).upper() for each in fields_of(Settings)}
    assert set(re.findall(rf"{PREFIX}[A-Z_]+", (DOCS / document).read_text())) <= known
