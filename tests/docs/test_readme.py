"""Everything that the README tells people to type runs, and prints what the README says."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from starlette.applications import Starlette
from starlette.responses import HTMLResponse
from starlette.routing import Route
from tests.support.browser import browser
from tests.support.commands import otel_feedback
from tests.support.http_app import serve
from tests.support.service import RunningService, running_service

from otel_feedback.demo.history import send_history
from otel_feedback.demo.model_server import app as model_app
from otel_feedback.demo.running_service import RunningService as ServiceOfTheDemo

__all__ = ["browser"]  # a fixture, imported by name

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
BIN = Path(sys.executable).parent
# What stands around the README's lines in somebody's app.
APP = """
from openai import OpenAI
client, model = OpenAI(base_url={model_url!r}, api_key="none"), "shop-assistant-small"
messages = [{{"role": "user", "content": "Where is my order A-1010?"}}]
{snippet}
print(token)
"""


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def exports() -> dict[str, str]:
    """The variables that the README's shell blocks set."""
    lines = [line for block in blocks("sh") for line in block.splitlines() if line.startswith("export ")]
    words = [word for line in lines for word in shlex.split(line, comments=True)[1:]]
    return dict(word.split("=", 1) for word in words)


class Page:
    """A page of somebody's app; ``html`` is set by the test."""

    def __init__(self) -> None:
        self.html = ""
        self.url = ""

    async def answer(self, _: object) -> HTMLResponse:
        return HTMLResponse(f"<!doctype html><title>App</title>{self.html}")


@pytest.fixture(scope="module")
def app_page() -> Iterator[Page]:
    page = Page()
    with serve(Starlette(routes=[Route("/", page.answer)])) as page.url:
        yield page


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, app_page: Page) -> Iterator[RunningService]:
    settings = {
        "OTEL_FEEDBACK_SIGNING_KEYS": exports()["OTEL_FEEDBACK_SIGNING_KEYS"],
        "OTEL_FEEDBACK_ALLOWED_ORIGINS": app_page.url,
    }
    with running_service(tmp_path_factory.mktemp("readme") / "otel-feedback-data", settings) as service:
        yield service


def run_app(service: RunningService, folder: Path, snippet: str) -> str:
    """The last line that the README's Python prints, started as the README says."""
    with serve(model_app) as model_url:
        (folder / "app.py").write_text(APP.format(model_url=f"{model_url}/v1", snippet=snippet))
        (command,) = (line for block in blocks("sh") for line in block.splitlines() if "app.py" in line)
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
        own = exports()
        assert own["OTEL_EXPORTER_OTLP_ENDPOINT"] == "http://127.0.0.1:4318", "the default of the HTTP address"
        own["OTEL_EXPORTER_OTLP_ENDPOINT"] = service.http
        environment = {**inherited, **own, "PATH": f"{BIN}:{os.environ['PATH']}"}
        done = subprocess.run(
            ["sh", "-c", command], cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False
        )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout.splitlines()[-1]


def test_an_answer_is_rated_in_a_page_with_what_the_readme_shows(
    service: RunningService, app_page: Page, browser: Browser, tmp_path: Path
):
    integration, _ = blocks("python")
    token = run_app(service, tmp_path, integration)
    (tag,) = blocks("html")
    app_page.html = tag.replace("http://127.0.0.1:4318", service.http).replace("THE TOKEN", token)
    page = browser.new_page()
    page.goto(app_page.url)
    page.get_by_role("button", name="Good answer").click()
    expect(page.get_by_role("status")).to_contain_text("saved")
    page.close()
    (row,) = service.wait_for_rows(
        "SELECT Label, RaterId, UserId, SessionId, Prompt FROM rated_llm_calls WHERE SessionId = 'conversation-42'"
    )
    assert row == {
        "Label": "positive",
        "RaterId": "u-7",
        "UserId": "u-7",
        "SessionId": "conversation-42",
        "Prompt": "Where is my order A-1010?",
    }


def test_a_rating_from_the_backend_is_joined_and_taken_back(service: RunningService, tmp_path: Path):
    integration, backend = blocks("python")
    record, retract = backend.splitlines()
    assert retract.startswith("otel_feedback.retract(")
    other = integration.replace("conversation-42", "conversation-43")
    run_app(service, tmp_path, f"{other}{record}")
    (row,) = service.wait_for_rows("SELECT Label, Value, Comment, Prompt FROM rated_llm_calls WHERE Name = 'stars'")
    assert (row["Label"], row["Value"], row["Comment"]) == ("positive", 4, "Nearly.")
    run_app(service, tmp_path, f"{integration.replace('conversation-42', 'conversation-44')}{backend}")
    service.wait_for_rows("SELECT 1 FROM feedback_events WHERE SessionId = 'conversation-44' AND Action = 'retract'")
    assert service.sql("SELECT 1 FROM feedback WHERE SessionId = 'conversation-44'") == []


def test_the_query_prints_what_the_readme_shows(service: RunningService):
    found = ServiceOfTheDemo.find(service.data_dir, service.pid, ())
    assert found is not None
    send_history(found, time.time())
    service.wait_for_rows("SELECT 1 FROM rated_llm_calls WHERE ServiceName = 'shop-assistant' LIMIT 1")
    (command,) = (block for block in blocks("sh") if "otel-feedback sql" in block)
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    done = subprocess.run(
        ["sh", "-c", command],
        cwd=service.data_dir.parent,
        env={**inherited, "PATH": f"{BIN}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == blocks("text")[0]


def test_what_the_readme_says_to_run_when_something_is_wrong_runs(service: RunningService):
    (block,) = (each for each in blocks("sh") if "otel-feedback doctor" in each)
    for line in block.splitlines():
        done = otel_feedback(service.data_dir, *shlex.split(line)[1:])
        assert (done.returncode, done.stderr) == (0, ""), line


def test_the_make_targets_and_packages_that_the_readme_names_exist():
    commands = [line for block in blocks("sh") for line in block.splitlines()]
    for target in re.findall(r"^make (\w+)$", "\n".join(commands), re.MULTILINE):
        shown = subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, text=True, check=False)
        assert shown.returncode == 0, shown.stderr
    (install,) = (shlex.split(line)[2:] for line in commands if line.startswith("pip install"))
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    for name in install:
        package, _, extra = name.rstrip("]").partition("[")
        assert version(package)
        assert not extra or extra in extras


@pytest.mark.parametrize(
    "document",
    [
        "README.md",
        "ARCHITECTURE.md",
        "CONTRIBUTING.md",
        *sorted(f"docs/{each.name}" for each in (ROOT / "docs").glob("*.md")),
    ],
)
def test_every_link_within_the_project_leads_somewhere(document: str):
    text = (ROOT / document).read_text()
    targets = re.findall(r"\]\(([^)#]+)[^)]*\)", text) + re.findall(r'(?:src|srcset)="([^"]+)"', text)
    for target in targets:
        if not target.startswith("http"):
            assert (ROOT / document).parent.joinpath(target).exists(), target
