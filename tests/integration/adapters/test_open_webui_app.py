"""A person rates answers in the real Open WebUI, in a browser; its export goes through the importer into a service.

Open WebUI runs as its own slim image does (``requirements-slim.txt`` in its package): without local models and vector
databases, which ratings need not.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect
from tests.support.browser import browser
from tests.support.environments import pinned_python
from tests.support.service import RunningService, running_service, wait_until

from otel_feedback.adapters.open_webui import import_feedback
from otel_feedback.testing import RecordedFeedback

__all__ = ["browser"]

HERE = Path(__file__).parent
NEWEST, OLDER = (HERE / "requirements" / f"{name}.txt" for name in ("open-webui", "open-webui-older"))
EXPORT_PATH = "/api/v1/evaluations/feedbacks/all/export"
QUESTION = "Do you ship to Norway?"
ANSWER = "up to six to Norway"
START_SECONDS = 120.0
CLICK_SECONDS = 20.0


SETTINGS = {
    "WEBUI_SECRET_KEY": "key of these tests",
    "WEBUI_AUTH": "false",
    "USE_SLIM_DOCKER": "true",
    "OFFLINE_MODE": "true",
    "ENABLE_OLLAMA_API": "false",
    "OPENAI_API_KEY": "none",
    # What Open WebUI asks the model for by itself, beside the person's questions.
    "ENABLE_TITLE_GENERATION": "false",
    "ENABLE_TAGS_GENERATION": "false",
    "ENABLE_FOLLOW_UP_GENERATION": "false",
}


def inherited_environment(home: Path) -> dict[str, str]:
    """Nothing of the caller's settings, and no proxy on the way to this machine."""
    foreign = ("OTEL_", "PYTHON", "OPENAI_", "DATABASE_URL", "HF_")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    return {**inherited, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1", "HOME": str(home)}


@contextmanager
def serving(command: list[str], folder: Path, environment: dict[str, str], path: str) -> Iterator[str]:
    """The address of a server while it runs; ``PORT`` in the command stands for the port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    folder.mkdir()
    log = folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [part.replace("PORT", port) for part in command],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    url = f"http://127.0.0.1:{port}"

    def answers() -> bool | None:
        assert process.poll() is None, log.read_text()
        try:
            return httpx.get(url + path).status_code == 200 or None
        except httpx.TransportError:
            return None

    try:
        wait_until(answers, START_SECONDS, f"{command[0]} does not answer")
        yield url
    finally:
        process.terminate()
        process.wait(30)


@pytest.fixture(scope="module")
def open_webui(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Its address: with the demo's model, and one person who need not sign in."""
    folder = tmp_path_factory.mktemp("open-webui")
    inherited = inherited_environment(folder)
    model = ["-m", "uvicorn", "otel_feedback.demo.model_server:app", "--port", "PORT", "--log-level", "warning"]
    with serving([sys.executable, *model], folder / "model", inherited, "/v1/models") as model_url:
        environment = (
            inherited
            | SETTINGS
            | {
                "DATA_DIR": str(folder / "app"),
                "STATIC_DIR": str(folder / "static"),
                "OPENAI_API_BASE_URL": f"{model_url}/v1",
            }
        )
        start = [str(pinned_python(NEWEST)), "-c", "from open_webui import app; app()", "serve"]
        with serving([*start, "--host", "127.0.0.1", "--port", "PORT"], folder / "app", environment, "/health") as url:
            yield url


@pytest.fixture
def page(browser: Browser, open_webui: str) -> Iterator[Page]:
    page = browser.new_page()
    page.set_default_timeout(CLICK_SECONDS * 1000)
    expect.set_options(timeout=CLICK_SECONDS * 1000)
    # What is new is told until it is read, some time after the page shows.
    page.add_locator_handler(page.get_by_role("button", name="Okay, Let's Go!"), lambda button: button.click())
    page.goto(open_webui)
    yield page
    page.close()


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    with running_service(tmp_path_factory.mktemp("service") / "data") as service:
        yield service


def ask(page: Page) -> None:
    page.locator("#chat-input").click()
    page.keyboard.type(QUESTION)
    page.keyboard.press("Enter")
    expect(page.get_by_text(ANSWER)).to_be_visible()


def click(page: Page, label: str) -> None:
    """Wait until Open WebUI has stored what was clicked."""
    with page.expect_response(lambda answer: "/evaluations/feedback" in answer.url and answer.ok):
        page.get_by_role("button", name=label, exact=True).last.click()


def exported(page: Page, url: str) -> list[dict[str, Any]]:
    """What the admin panel downloads."""
    token = page.evaluate("localStorage.token")
    answer = httpx.get(url + EXPORT_PATH, headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 200, answer.text
    rows: list[dict[str, Any]] = answer.json()
    return rows


def imported(service: RunningService, file: Path) -> str:
    """What the importer prints."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    exporting = {"OTEL_EXPORTER_OTLP_ENDPOINT": service.http, "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"}
    command = [Path(sys.executable).with_name("opentelemetry-instrument"), sys.executable, "-m"]
    done = subprocess.run(
        [*command, "otel_feedback.adapters.open_webui", file],
        env={**inherited, **exporting}, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_thumbs_of_open_webuis_page_are_in_sql_with_number_reason_and_comment(
    page: Page, open_webui: str, service: RunningService, tmp_path: Path
):
    ask(page)
    click(page, "Bad Response")
    page.get_by_label("Rate 3 out of 10").click()
    page.get_by_role("button", name="Not helpful").click()
    page.get_by_placeholder("Feel free to add specific details").fill("Which carrier?")
    click(page, "Save")
    chat = page.url.rpartition("/")[2]

    (row,) = exported(page, open_webui)
    file = tmp_path / "export.json"
    file.write_text(json.dumps([row]))
    assert imported(service, file) == "2 ratings sent; 0 rows held none\n"
    told = service.wait_for_rows(
        """SELECT Name, Value, Label, Comment, Reasons, ResponseId, SessionId, RaterId, ScoreMax,
                  toUnixTimestamp(Time) AS Seconds, Attributes['open_webui.model'] AS Model
           FROM feedback WHERE SessionId = {chat:String} ORDER BY Name""",
        2,
        chat=chat,
    )
    both = {
        "Label": "negative",
        "ResponseId": row["meta"]["message_id"],
        "SessionId": chat,
        "RaterId": row["user_id"],
        "Seconds": row["updated_at"],
        "Model": "shop-assistant-small",
    }
    details = {"Name": "details", "Value": 3, "Comment": "", "Reasons": [], "ScoreMax": 10}
    thumbs = {"Name": "thumbs", "Value": 0, "Comment": "Which carrier?", "Reasons": ["not_helpful"], "ScoreMax": None}
    assert told == [{**both, **details}, {**both, **thumbs}]


def test_a_thumb_that_was_turned_over_replaces_the_one_that_was_imported(
    page: Page, open_webui: str, service: RunningService, tmp_path: Path
):
    ask(page)
    file, values = tmp_path / "export.json", []
    for thumb in ("Good Response", "Bad Response"):
        click(page, thumb)
        chat = page.url.rpartition("/")[2]
        row = next(each for each in exported(page, open_webui) if each["meta"]["chat_id"] == chat)
        # Open WebUI keeps seconds, and nobody changes their mind within one.
        row["updated_at"] += len(values)
        file.write_text(json.dumps([row]))
        imported(service, file)
        query = "SELECT Value FROM feedback WHERE SessionId = {chat:String} AND Value = {value:Float64}"
        values += service.wait_for_rows(query, chat=chat, value=str(1 - len(values)))
    assert values == [{"Value": 1}, {"Value": 0}]
    assert service.sql("SELECT count() AS Current FROM feedback WHERE SessionId = {chat:String}", chat=chat) == [
        {"Current": 1}
    ]


def test_an_older_open_webui_exports_what_the_newest_does(recorded_feedback: RecordedFeedback, tmp_path: Path):
    given = {
        "type": "rating",
        "data": {
            "rating": -1,
            "model_id": "llama",
            "reason": "not_helpful",
            "comment": "No.",
            "details": {"rating": 3},
        },
        "meta": {"model_id": "llama", "message_id": "message-1", "message_index": 2, "chat_id": "chat-1"},
        "snapshot": {"chat": {"id": "chat-1"}},
    }
    # Any vector database but Chroma, which it would load at once; none is asked here.
    settings = SETTINGS | {"DATA_DIR": str(tmp_path), "VECTOR_DB": "milvus"}
    done = subprocess.run(
        [str(pinned_python(OLDER)), str(HERE / "apps" / "drive_older_open_webui.py")],
        cwd=tmp_path, env=inherited_environment(tmp_path) | settings, input=json.dumps(given),
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    import_feedback(json.loads((tmp_path / "export.json").read_bytes()))
    thumbs, details = recorded_feedback.ratings
    assert (thumbs.value, thumbs.comment, thumbs.reasons) == (0.0, "No.", ("not_helpful",))
    assert (details.value, details.maximum) == (3.0, 10.0)
    assert {(each.rater, each.session, each.target.response_id) for each in (thumbs, details)} == {
        ("user-1", "chat-1", "message-1")
    }
