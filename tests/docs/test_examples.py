"""The apps in examples/, each started as examples/README.md says, with a rating that is joined with its call."""

from __future__ import annotations

import os
import re
import shlex
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import distribution
from pathlib import Path
from typing import Final

import httpx
import pytest
from playwright.sync_api import Browser, expect
from tests.support.browser import browser
from tests.support.environments import pinned_python
from tests.support.http_app import serve
from tests.support.service import RunningService, running_service, wait_until

from otel_feedback.demo.model_server import app as model_app

__all__ = ["browser"]  # a fixture, imported by name

ROOT: Final = Path(__file__).parents[2]
EXAMPLES: Final = ROOT / "examples"
README: Final = (EXAMPLES / "README.md").read_text(encoding="utf-8")
START_SECONDS: Final = 60.0
OURS: Final = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
"""Where the tests themselves run has all that the other apps need."""
QUESTION: Final = "Where is my order A-1010?"
JOINED: Final = """
    SELECT Label, Prompt, Comment, RaterId, Duration > 0 AS HasLatency
    FROM rated_llm_calls
    WHERE ServiceName = {app:String}
"""


def started_by(app: str) -> str:
    """The command in the table of the document."""
    (command,) = re.findall(rf"\[{re.escape(app)}\][^|]*\|[^|]*\| `([^`]+)` \|", README)
    return command


def exports() -> dict[str, str]:
    lines = re.findall(r"^export (.*)$", README, re.MULTILINE)
    return dict(word.split("=", 1) for line in lines for word in shlex.split(line))


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    with running_service(
        tmp_path_factory.mktemp("examples") / "data",
        {"OTEL_FEEDBACK_SIGNING_KEYS": exports()["OTEL_FEEDBACK_SIGNING_KEYS"]},
    ) as running:
        yield running


@pytest.fixture(scope="module")
def model_url() -> Iterator[str]:
    with serve(model_app) as url:
        yield url


def installed(folder: Path, name: str) -> dict[str, str]:
    """An environment of pinned packages with this checkout in it, as ``pip install`` would have it there."""
    python = pinned_python(Path(__file__).parent / "requirements" / f"{name}.txt")
    commands, packages = folder / "bin", folder / "packages" / "otel_feedback-0.1.0.dist-info"
    commands.mkdir()
    packages.mkdir(parents=True)
    ours = distribution("otel-feedback")
    for file in ("METADATA", "entry_points.txt"):
        (packages / file).write_text(ours.read_text(file) or "", encoding="utf-8")
    run = "import sys; from opentelemetry.instrumentation.auto_instrumentation import run; sys.exit(run())"
    for command, arguments in {"opentelemetry-instrument": f' -c "{run}"', "python": ""}.items():
        (commands / command).write_text(f'#!/bin/sh\nexec {python}{arguments} "$@"\n', encoding="utf-8")
        (commands / command).chmod(0o755)
    return {"PATH": f"{commands}:{os.environ['PATH']}", "PYTHONPATH": f"{ROOT / 'src'}:{packages.parent}"}


def environment(app: str, service: RunningService, model_url: str, also: Mapping[str, str]) -> dict[str, str]:
    """As the document sets it, but for the addresses."""
    foreign = ("OTEL_", "PYTHON", "OPENAI_", "DJANGO_", "STREAMLIT_", "LANGCHAIN_", "LANGSMITH_")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    own = exports() | {
        "OPENAI_BASE_URL": f"{model_url}/v1",
        "OTEL_EXPORTER_OTLP_ENDPOINT": service.http,
        "OTEL_SERVICE_NAME": app,
        "NO_PROXY": "127.0.0.1,localhost",
        "STREAMLIT_BROWSER_GATHER_USAGE_STATS": "false",
    }
    return inherited | own | dict(also)


@contextmanager
def running(
    app: str, service: RunningService, model_url: str, folder: Path, also: Mapping[str, str] = OURS
) -> Iterator[str]:
    """The address of the app."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = started_by(app).replace("8000", str(port))
    if "streamlit" in command:
        command += f" --server.port {port} --server.headless true --server.address 127.0.0.1"
    told = environment(app, service, model_url, also) | {"PORT": str(port), "HOME": str(folder)}
    log = folder / "app.log"
    with (
        log.open("w") as output,
        subprocess.Popen(
            ["sh", "-c", f"exec env {command}"], cwd=EXAMPLES, env=told, stdout=output, stderr=subprocess.STDOUT
        ) as process,
    ):
        try:
            url = f"http://127.0.0.1:{port}"

            def answers() -> bool | None:
                assert process.poll() is None, log.read_text()
                try:
                    return httpx.get(url, timeout=5).status_code == 200 or None
                except httpx.HTTPError:
                    return None

            wait_until(answers, START_SECONDS, f"{app} does not answer")
            yield url
        finally:
            process.terminate()
            process.wait(30)
    assert "Traceback" not in log.read_text()


def joined(service: RunningService, app: str, label: str, comment: str = "") -> None:
    (row,) = service.wait_for_rows(JOINED, app=app)
    assert row["Label"] == label
    assert row["Comment"] == comment
    assert row["Prompt"] == QUESTION
    assert row["HasLatency"] == 1
    assert row["RaterId"] == "visitor"


@pytest.mark.parametrize("app", ["fastapi_app.py", "flask_app.py", "django_app.py"])
def test_a_thumb_in_the_page_is_joined_with_its_call(
    service: RunningService, model_url: str, browser: Browser, tmp_path: Path, app: str
):
    with running(app, service, model_url, tmp_path) as url:
        page = browser.new_page()
        said: list[str] = []
        page.on("console", lambda message: said.append(message.text))
        page.goto(url)
        page.get_by_label("Your question").fill(QUESTION)
        page.get_by_role("button", name="Ask").click()
        page.get_by_role("button", name="Good answer").click()
        expect(page.get_by_role("status")).to_contain_text("saved")
        page.close()
        joined(service, app, "positive")
    assert [line for line in said if "favicon" not in line and "404" not in line] == []


def test_streamlits_thumb_is_joined_with_its_call(
    service: RunningService, model_url: str, browser: Browser, tmp_path: Path
):
    with running("streamlit_app.py", service, model_url, tmp_path, installed(tmp_path, "streamlit")) as url:
        page = browser.new_page()
        page.goto(url)
        page.get_by_test_id("stChatInputTextArea").fill(QUESTION)
        page.get_by_test_id("stChatInputTextArea").press("Enter")
        thumbs = page.get_by_test_id("stFeedbackButton")
        expect(thumbs).to_have_count(2, timeout=30_000)
        thumbs.first.click()
        joined(service, "streamlit_app.py", "positive")
        page.close()


def test_langchains_answer_is_rated_in_a_terminal(service: RunningService, model_url: str, tmp_path: Path):
    also = installed(tmp_path, "langchain") | {"HOME": str(tmp_path)}
    done = subprocess.run(
        ["sh", "-c", f"exec env {started_by('langchain_app.py')}"],
        cwd=EXAMPLES,
        env=environment("langchain_app.py", service, model_url, also),
        input=f"{QUESTION}\nn\nIt is late\n\n",
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    joined(service, "langchain_app.py", "negative", "It is late")


def test_every_example_is_in_the_document_and_no_other():
    named = set(re.findall(r"\]\((\w+\.(?:py|html))\)", README))
    assert named == {path.name for path in EXAMPLES.iterdir() if path.suffix in {".py", ".html"}}
