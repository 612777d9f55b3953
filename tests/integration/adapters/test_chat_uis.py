"""The apps of docs/chat-uis.md, with the real Streamlit, Gradio and Chainlit, each in an environment of its own."""

from __future__ import annotations

import itertools
import json
import os
import re
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect
from tests.support.browser import browser
from tests.support.environments import pinned_python
from tests.support.service import wait_until

from otel_feedback.rating import Scope, Target
from otel_feedback.tokens import Grant, Keyring

__all__ = ["browser"]

HERE, ROOT = Path(__file__).parent, Path(__file__).parents[3]
START_SECONDS = 120.0
CLICK_SECONDS = 20.0
expect.set_options(timeout=CLICK_SECONDS * 1000)


def snippet(heading: str) -> str:
    """The Python under a heading of the document."""
    _, _, section = (ROOT / "docs" / "chat-uis.md").read_text().partition(f"## {heading}\n")
    (code,) = re.findall(r"^```python\n(.*?)^```$", section.partition("\n## ")[0], re.MULTILINE | re.DOTALL)
    return code


class App:
    """An app of the document in a folder of its own, and what it has recorded."""

    def __init__(self, folder: Path, name: str) -> None:
        self.path = folder / "app.py"
        self.path.write_text(snippet(name.title()))
        self.python = pinned_python(HERE / "requirements" / f"{name}.txt")
        self._folder = folder

    @property
    def environment(self) -> dict[str, str]:
        foreign = ("OTEL_", "PYTHON", "STREAMLIT_", "GRADIO_", "CHAINLIT_", "DATABASE_URL", "LITERAL_")
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
        return {
            **inherited,
            "PYTHONPATH": f"{ROOT / 'src'}:{HERE / 'apps'}",
            "RATINGS_FILE": str(self._folder / "ratings.jsonl"),
            "OTEL_FEEDBACK_SIGNING_KEYS": "key of these tests",
            "HOME": str(self._folder),
            "NO_PROXY": "127.0.0.1,localhost",
            "no_proxy": "127.0.0.1,localhost",
            "GRADIO_ANALYTICS_ENABLED": "False",
            "STREAMLIT_BROWSER_GATHER_USAGE_STATS": "false",
        }

    def ratings(self) -> list[dict[str, Any]]:
        file = self._folder / "ratings.jsonl"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    def wait_for(self, count: int) -> list[dict[str, Any]]:
        return wait_until(lambda: self.ratings() if len(self.ratings()) >= count else None, CLICK_SECONDS, "no rating")

    @contextmanager
    def serving(self, *command: str, **environment: str) -> Iterator[str]:
        """Its address while it runs; ``PORT`` in the command stands for the port."""
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = str(free.getsockname()[1])
        log = self._folder / "app.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [str(self.python), *(part.replace("PORT", port) for part in command)],
                cwd=self._folder,
                env={**self.environment, **{key: value.replace("PORT", port) for key, value in environment.items()}},
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        url = f"http://127.0.0.1:{port}"

        def answers() -> bool | None:
            assert process.poll() is None, log.read_text()
            try:
                return httpx.get(url).status_code == 200 or None
            except httpx.TransportError:
                return None

        try:
            wait_until(answers, START_SECONDS, "the app does not answer")
            yield url
        finally:
            process.terminate()
            process.wait(30)


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    page = browser.new_page()
    page.set_default_timeout(CLICK_SECONDS * 1000)
    yield page
    page.close()


def test_streamlit(tmp_path: Path):
    app = App(tmp_path, "streamlit")
    done = subprocess.run(
        [str(app.python), str(HERE / "apps" / "drive_streamlit.py"), str(app.path)],
        env=app.environment, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    told = [(each["response"], each["action"], each["value"]) for each in app.ratings()]
    assert told == [
        ("answer to first", "submit", 1.0),
        ("answer to first", "submit", 0.0),
        ("answer to first", "retract", None),
        ("answer to second", "submit", 1.0),
    ]
    assert {(each["name"], each["rater"], each["session"]) for each in app.ratings()} == {
        ("thumbs", "u-7", "conversation-42")
    }


def test_streamlits_stars_are_scores_from_one_to_five(tmp_path: Path):
    app = App(tmp_path, "streamlit")
    thumbs, stars = re.findall(r"feedback\(message\[\"token\"\].*?\)", app.path.read_text())
    app.path.write_text(app.path.read_text().replace(thumbs, stars, 1))
    drive = 'app.chat_input[0].set_value("first").run(); app.feedback[0].set_value(4).run()'
    code = f"from streamlit.testing.v1 import AppTest; app = AppTest.from_file({str(app.path)!r}).run(); {drive}"
    done = subprocess.run(
        [str(app.python), "-c", code], env=app.environment, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (rating,) = app.ratings()
    assert (rating["name"], rating["value"], rating["maximum"], rating["label"]) == ("stars", 5.0, 5.0, "positive")


def test_gradio(tmp_path: Path, page: Page):
    app = App(tmp_path, "gradio")
    options = 'gr.Chatbot(feedback_options=("Like", "Dislike", "Spam"))'
    app.path.write_text(app.path.read_text().replace("gr.Chatbot()", options))
    with app.serving("app.py", GRADIO_SERVER_PORT="PORT", GRADIO_SERVER_NAME="127.0.0.1") as url:
        page.goto(url)
        for question in ("first", "second"):
            page.get_by_label("Ask something").fill(question)
            page.get_by_label("Ask something").press("Enter")
            expect(page.get_by_text(f"{question}? Canberra.")).to_be_visible()
        for count, (button, which) in enumerate([("Like", 0), ("Dislike", 1), ("Disliked", 0), ("Spam", 0)], 1):
            if button == "Spam":
                page.get_by_label("Feedback").first.click()
                page.get_by_text("Spam").first.click()
            else:
                page.get_by_label(button, exact=True).nth(which).click()
            app.wait_for(count)
    told = [(each["response"], each["action"], each["value"], each["label"]) for each in app.ratings()]
    # On a busy machine Gradio tells of one choice twice.
    assert [each for each, _ in itertools.groupby(told)] == [
        ("answer to first", "submit", 1.0, "positive"),
        ("answer to second", "submit", 0.0, "negative"),
        ("answer to second", "retract", None, ""),
        ("answer to first", "submit", None, "Spam"),
    ]
    assert {(each["rater"], each["session"]) for each in app.ratings()} == {("u-7", "conversation-42")}


def test_chainlit(tmp_path: Path, page: Page):
    app = App(tmp_path, "chainlit")
    with app.serving("-m", "chainlit", "run", "app.py", "--headless", "--port", "PORT") as url:
        page.goto(url)
        page.locator("#chat-input").fill("first")
        expect(page.locator("#chat-submit")).to_be_enabled()
        page.locator("#chat-submit").click()
        expect(page.get_by_text("first? Canberra.")).to_be_visible()
        page.locator(".negative-feedback-off").click()
        page.get_by_placeholder("Your feedback...").fill("Too short.")
        page.locator("#submit-feedback").click()
        app.wait_for(1)
        page.locator(".negative-feedback-on").click()
        app.wait_for(2)
    told = [(each["response"], each["action"], each["value"], each["comment"]) for each in app.ratings()]
    assert told == [("answer to first", "submit", 0.0, "Too short."), ("answer to first", "retract", None, "")]


def test_chainlits_thumbs_for_messages_of_before_a_restart_are_recorded(tmp_path: Path):
    app = App(tmp_path, "chainlit")
    done = subprocess.run(
        [str(app.python), str(HERE / "apps" / "drive_chainlit.py")],
        cwd=tmp_path, env=app.environment, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    told = [(each["response"], each["value"], each["session"]) for each in app.ratings()]
    assert told == [("answer to first", 1.0, "thread-1")] * 2


@pytest.mark.parametrize("ui", ["Streamlit", "Gradio", "Chainlit"])
def test_clicks_with_tokens_that_are_refused_do_no_harm_and_are_told_once(ui: str, tmp_path: Path):
    """Of a page that was open for too long, of another process, and handed on wrongly."""
    app, grant = App(tmp_path, ui.lower()), Grant(Target(Scope.SESSION, session_id="conversation-42"))
    own = Keyring((app.environment["OTEL_FEEDBACK_SIGNING_KEYS"],))
    expired, foreign = own.mint(grant, lifetime_seconds=1, now=1_700_000_000), Keyring(("another key",)).mint(grant)
    done = subprocess.run(
        [str(app.python), str(HERE / "apps" / f"refused_{ui.lower()}.py")],
        cwd=tmp_path, env={**app.environment, "TOKENS": f"{expired} {foreign} {own.mint(grant)[:-2]}"},
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    for told in ("longer lifetime_seconds", "the same secret in every process", "feedback_token() returned as it is"):
        assert said.count(told) == 1, said
    assert said.count(f"a rating of {ui}'s was refused: ") == 3
    assert "Traceback" not in said
    assert app.ratings() == []
