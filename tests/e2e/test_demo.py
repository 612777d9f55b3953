"""The whole demo: a person in a real browser, nobody at all, and every way in which it must end."""

from __future__ import annotations

import re
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from playwright.sync_api import Browser, Page, expect
from tests.support.axe import axe_source, violations
from tests.support.browser import browser
from tests.support.demo import STOP_SECONDS, RunningDemo, processes_in, run_demo, running_demo
from tests.support.http_app import serve
from tests.support.service import wait_until

from otel_feedback.demo.model_server import app as model_app

__all__ = ["browser"]  # a fixture, imported by name

ARTIFACTS = Path(__file__).resolve().parents[1] / "artifacts" / "demo"
WIDE = {"width": 1280, "height": 860}
PHONE = {"width": 390, "height": 844}
LOOKS: dict[str, tuple[Any, Any]] = {
    "light": (WIDE, "light"),
    "dark": (WIDE, "dark"),
    "phone": (PHONE, "light"),
    "phone-dark": (PHONE, "dark"),
}
QUESTION = "How do I season a cast iron pan?"
NOTE_WHAT_STREAMS = """
new MutationObserver(() => {
  const streaming = document.querySelector('[aria-busy="true"] llm-feedback:not([hidden])');
  if (streaming) (window.widgetWhileStreaming ??= []).push(streaming.hasAttribute("disabled"));
}).observe(document, { subtree: true, childList: true, characterData: true, attributes: true });
"""
JOINED_SECONDS = 20.0


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDemo]:
    with running_demo(tmp_path_factory.mktemp("demo")) as running:
        yield running
        assert running.end(signal.SIGINT) == 0
        assert running.output.endswith("Stopping ...\nStopped by SIGINT.\n")


@pytest.fixture
def page(browser: Browser, demo: RunningDemo) -> Iterator[Page]:
    """A page of the chat that fails the test if the browser complains about anything."""
    context = browser.new_context(viewport=WIDE, base_url=demo.chat)  # type: ignore[arg-type]  # a ViewportSize
    context.add_init_script(NOTE_WHAT_STREAMS)
    made = context.new_page()
    complaints: list[str] = []
    made.on("console", lambda said: complaints.append(said.text) if said.type in {"error", "warning"} else None)
    made.on("pageerror", lambda error: complaints.append(str(error)))
    yield made
    context.close()
    assert complaints == []


def ask(page: Page, question: str) -> str:
    """Type the question, and wait for the whole answer."""
    before = page.locator(".assistant").count()
    page.get_by_label("Your question").fill(question)
    page.keyboard.press("Enter")
    answer = page.locator(".assistant").nth(before)
    expect(answer).to_have_attribute("aria-busy", "false", timeout=30_000)
    return answer.locator(".text").inner_text()


def is_pressed(page: Page, name: str) -> None:
    expect(page.get_by_role("button", name=name)).to_have_attribute("aria-pressed", "true")


def test_a_changed_mind_is_one_rating_from_the_click_to_sql_and_the_dashboard(page: Page, demo: RunningDemo):
    page.goto("/")
    answer = ask(page, QUESTION)
    assert "230 °C" in answer
    assert set(page.evaluate("window.widgetWhileStreaming")) == {True}, "it is off while the answer streams"
    page.get_by_role("button", name="Bad answer").click()
    expect(page.get_by_role("status")).to_have_text("Saved. Tell us more, if you like.")
    page.get_by_label("Comment (optional)").fill("Too hot for my oven.")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_label("Comment (optional)")).to_be_hidden()
    page.get_by_role("button", name="Good answer").click()
    expect(page.get_by_role("status")).to_have_text("Thanks, saved.")
    page.reload()
    expect(page.locator(".assistant .text")).to_have_text(answer)
    is_pressed(page, "Good answer")
    session = page.evaluate("JSON.parse(localStorage.getItem('fernhill-chat')).chats.ana.id")

    row = wait_until(
        lambda: joined_rating(demo, session), JOINED_SECONDS, "the rating is not joined with its last value"
    )
    expected = {"Label": "positive", "Comment": "", "RaterId": "ana", "Prompt": QUESTION, "Completion": answer}
    assert {name: row[name] for name in expected} == expected
    assert (row["RequestModel"], row["PromptVersion"]) == ("shop-assistant-small", "v2")
    assert all(int(row[name]) > 0 for name in ("Duration", "InputTokens", "OutputTokens", "TimeToFirstChunk"))
    steps = demo.sql(
        "SELECT Label FROM feedback_events WHERE SessionId = {session:String} ORDER BY Time", session=session
    )
    assert [each["Label"] for each in steps] == ["negative", "negative", "positive"], "the journal keeps every step"

    page.goto(f"{demo.dashboard}/feedback?service=demo-chat")
    (shown,) = page.locator(".feedback-row").filter(has=page.locator(f"a[href*='{session}']")).all()
    expect(shown).to_contain_text("Positive")
    expect(shown).to_contain_text("ana")
    shown.get_by_role("link", name="Open in context").click()
    expect(page.locator("main")).to_contain_text(answer)
    page.locator("main").get_by_role("link", name=session).first.click()
    expect(page).to_have_url(re.compile(f"/sessions/{session}"))
    conversation = page.locator("main")
    for text in (QUESTION, answer, "Positive", "shop-assistant-small", "tokens"):
        expect(conversation).to_contain_text(text)


def joined_rating(demo: RunningDemo, session: str) -> dict[str, Any] | None:
    """The one current rating of the session once it has its last value; more than one fails at once."""
    rows = demo.sql("SELECT * FROM rated_llm_calls WHERE SessionId = {session:String}", session=session)
    assert len(rows) <= 1
    return rows[0] if rows and int(rows[0]["Changes"]) == 2 else None


def test_each_user_has_a_conversation_and_can_begin_another_one(page: Page):
    page.goto("/")
    page.get_by_label("You are").select_option("Mei")
    page.get_by_role("button", name="Where is my order A-1010?").click()
    answer = page.locator(".assistant")
    expect(answer).to_have_attribute("aria-busy", "false", timeout=30_000)
    expect(answer).to_contain_text("left Lyon this morning")
    page.get_by_label("You are").select_option("Kofi")
    expect(page.locator(".message")).to_have_count(0)
    page.reload()
    expect(page.get_by_label("You are")).to_have_value("kofi")
    page.get_by_label("You are").select_option("Mei")
    expect(page.locator(".message")).to_have_count(2)
    page.get_by_role("button", name="New conversation").click()
    expect(page.locator(".message")).to_have_count(0)
    expect(page.get_by_label("Your question")).to_be_focused()


def test_an_answer_is_text_and_nothing_else(page: Page):
    page.goto("/")
    page.route(
        "**/api/chat", lambda route: route.fulfill(body='{"text": "<img src=x onerror=alert(1)>"}\n{"done": true}\n')
    )
    assert ask(page, "Show me a <b>picture</b>") == "<img src=x onerror=alert(1)>"
    expect(page.locator(".user .text")).to_have_text("Show me a <b>picture</b>")
    assert page.locator("#conversation img, #conversation b").count() == 0


def test_a_failing_model_is_told_in_words(browser: Browser, demo: RunningDemo):
    page = browser.new_page(base_url=demo.chat)
    page.goto("/")
    page.get_by_role("button", name="What happens on a server error?").click()
    expect(page.locator(".failure")).to_contain_text("The assistant could not answer.")
    expect(page.locator("llm-feedback")).to_have_count(0)
    page.route("**/api/chat", lambda route: route.fulfill(body='{"text": "Half of it"}\n'))
    page.get_by_label("Your question").fill("Hello?")
    page.keyboard.press("Enter")
    expect(page.locator(".failure").nth(1)).to_contain_text("The answer broke off. Ask again.")
    page.unroute("**/api/chat")
    assert "Fernhill" in ask(page, "What are your opening hours?"), "a failure does not stay in the way"
    page.context.close()


@pytest.mark.parametrize("look", LOOKS)
def test_the_page_fits_its_screen_and_is_accessible(browser: Browser, demo: RunningDemo, look: str):
    source = axe_source()
    ARTIFACTS.mkdir(parents=True, exist_ok=True)
    viewport, scheme = LOOKS[look]
    context = browser.new_context(viewport=viewport, color_scheme=scheme, base_url=demo.chat, bypass_csp=True)
    page = context.new_page()
    page.goto("/")
    wrong = [f"empty: {each}" for each in violations(page, source)]
    page.screenshot(path=ARTIFACTS / f"empty-{look}.png")
    ask(page, "Which pans work on induction?")
    page.get_by_role("button", name="Bad answer").click()
    expect(page.get_by_label("Comment (optional)")).to_be_visible()
    wrong += [f"conversation: {each}" for each in violations(page, source)]
    page.screenshot(path=ARTIFACTS / f"conversation-{look}.png")
    assert not page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
    context.close()
    assert wrong == []


def test_unattended_it_rates_and_shows_the_joined_ratings(tmp_path: Path):
    done = run_demo(tmp_path, {"DEMO_ONESHOT": "1"})
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    lines = done.stdout.splitlines()
    table = lines[next(number for number, line in enumerate(lines) if line.startswith("rating")) :]
    assert [line.split()[0] for line in table[2:6]] == ["positive", "negative", "positive", "positive"]
    assert all(re.search(r"\d+\.\d\d s +\d+ +shop-assistant-small", line) for line in table[2:6])
    assert "Which pans" not in done.stdout, "the rating that was taken back is not there"
    assert processes_in(tmp_path) == []


# Elsewhere the children of a demo that is killed outlive it, as demo/tied.py says: there is nothing to be shown.
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process of its parent's death")
def test_a_killed_demo_leaves_no_process_can_still_be_asked_and_starts_again(tmp_path: Path):
    with running_demo(tmp_path) as demo:
        while_it_runs = demo.run_sql_line()
        assert demo.end(signal.SIGKILL) == -signal.SIGKILL
        assert demo.run_sql_line() == while_it_runs
    assert "Completion" in while_it_runs
    assert "positive" in while_it_runs
    assert processes_in(tmp_path) == []
    with serve(model_app) as url:
        done = run_demo(tmp_path, {"DEMO_ONESHOT": "1", "OPENAI_BASE_URL": f"{url}/v1"})
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert "sent by an earlier start" in done.stdout


def test_when_one_process_dies_it_is_named_and_all_end(tmp_path: Path):
    with running_demo(tmp_path) as demo:
        processes = demo.processes()
        (chat,) = (each for each in processes if "otel_feedback.demo.chat_app:create_app" in each.cmdline())
        chat.kill()
        _, alive = psutil.wait_procs(processes, STOP_SECONDS)
        assert alive == []
    last = demo.output.splitlines()[-1]
    assert last.startswith("otel-feedback demo: The chat app ended unexpectedly (signal 9)")
    assert last.endswith(f"See {demo.data_dir / 'demo' / 'chat.log'}")


def test_a_busy_chat_port_is_one_line_and_leaves_no_process(tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        address = f"127.0.0.1:{other.getsockname()[1]}"
        done = run_demo(tmp_path, {"DEMO_CHAT_ADDRESS": address})
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"otel-feedback demo: {address} is in use (another service?). "
        "Stop it, or set DEMO_CHAT_ADDRESS to another address.\n"
    )
    assert processes_in(tmp_path) == []


def test_a_busy_port_of_the_service_is_one_line_and_leaves_no_process(tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        address = f"127.0.0.1:{other.getsockname()[1]}"
        done = run_demo(tmp_path, {"OTEL_FEEDBACK_HTTP_ADDRESS": address})
    assert done.returncode == 1
    assert done.stderr == (
        f"otel-feedback demo: {address} is in use (another service?). "
        "Stop it, or set OTEL_FEEDBACK_HTTP_ADDRESS to another address.\n"
    )
    assert processes_in(tmp_path) == []


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"DEMO_CHAT_ADDRESS": "8080"}, "DEMO_CHAT_ADDRESS='8080' can't be read: expected host:port"),
        (
            {"OTEL_FEEDBACK_DATA_DIR": "/proc/demo"},
            "Set OTEL_FEEDBACK_DATA_DIR to a directory that this user may write",
        ),
        ({"OTEL_FEEDBACK_TLS_CERT": "cert.pem"}, "Unset it"),
        ({"OPENAI_BASE_URL": "http://127.0.0.1:9/v1"}, "Set OPENAI_MODEL to the one to use"),
    ],
)
def test_what_can_not_work_is_one_line(tmp_path: Path, environment: dict[str, str], said: str):
    done = run_demo(tmp_path, environment)
    assert done.returncode == 1
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
    assert processes_in(tmp_path) == []
