"""With OpenTelemetry switched off the app answers as ever, and nobody is told about it again and again."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.instrumented_apps import APPS, HEADER, INSTRUMENT, RunningApp, running_app

from otel_feedback.rating import Scope, Target
from otel_feedback.tokens import Grant, Keyring

APP_FILES = sorted(path.stem for path in APPS.glob("*_[aw]*[pi].py"))


@pytest.fixture(scope="module", params=APP_FILES)
def chat(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    command = [INSTRUMENT, sys.executable, str(APPS / f"{request.param}.py")]
    with running_app(tmp_path_factory.mktemp("chat"), command, {"OTEL_SDK_DISABLED": "true"}) as running:
        yield running


def test_the_app_answers_takes_ratings_and_says_nothing(chat):
    for _ in range(3):
        for path, said in (
            ("/answer", b"Canberra"),
            ("/stream", b"Canberra"),
            ("/thread", b"Canberra"),
            ("/page", b""),
        ):
            response = chat.client.get(path)
            assert (response.status_code, HEADER in response.headers) == (200, False)
            assert said in response.content
    token = Keyring(("shared",)).mint(Grant(Target(Scope.SESSION, session_id="c-42"), "u-7"))
    for value in (True, False):
        taken = chat.client.post("/v1/feedback", json={"token": token, "name": "thumbs", "value": value})
        assert taken.status_code == 202
    (rating,) = chat.client.get("/v1/feedback", params={"token": token}).json()["ratings"]
    assert rating["value"] == 0.0
    assert (chat.sink.spans, chat.sink.logs) == ([], [])
    said = Path(chat.errors).read_text()
    assert "WARNING" not in said
    assert "otel_feedback" not in said


def test_every_app_is_tried():
    assert len(APP_FILES) == 8
