"""The widget in a real browser, under a strict CSP, with the real FeedbackMiddleware behind it."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from tests.e2e.widget_page import WidgetPage, token_for
from tests.support.axe import axe_source, violations
from tests.support.browser import browser
from tests.support.http_app import serve
from tests.support.telemetry import Telemetry, in_memory_telemetry

from otel_feedback import semconv

__all__ = ["browser"]

numbers = itertools.count(1)


@dataclass
class Server:
    app: WidgetPage
    url: str
    telemetry: Telemetry


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    app = WidgetPage()
    with in_memory_telemetry() as telemetry, serve(app) as url:
        yield Server(app, url, telemetry)


class Visit:
    """One person's page with one widget, and what the server knows of its vote."""

    def __init__(self, page: Page, server: Server) -> None:
        self.page = page
        self.server = server
        self.trace = next(numbers)
        self.complaints: list[str] = []
        server.app.failures = 0
        server.app.requests.clear()
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", self._note)

    def _note(self, message: Any) -> None:
        # A refused request is what some tests order; everything else, such as a CSP violation, is a complaint.
        if message.type in {"error", "warning"} and "Failed to load resource" not in message.text:
            self.complaints.append(message.text)

    def open(self, **attributes: str) -> Visit:
        written = {name.replace("_", "-"): value for name, value in attributes.items()}
        query = urlencode({"trace": self.trace} | written)
        with self.page.expect_response(lambda answer: answer.url.endswith("/v1/feedback")):
            self.page.goto(f"{self.server.url}/?{query}")
        return self

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    @property
    def status(self) -> Locator:
        return self.page.get_by_role("status")

    @property
    def comment(self) -> Locator:
        return self.page.get_by_label("Comment (optional)")

    def stored(self) -> list[dict[str, Any]]:
        """What the endpoint answers for this token, asked from outside of the browser."""
        headers = {"Authorization": f"Bearer {token_for(self.trace)}"}
        ratings = httpx.get(f"{self.server.url}/v1/feedback", headers=headers).json()["ratings"]
        kept = ("name", "value", "label", "comment", "reasons")
        return [{key: rating[key] for key in kept if key in rating} for rating in ratings]

    def carriers(self) -> list[dict[str, Any]]:
        """The ratings that left the app as spans."""
        return [
            dict(span.attributes or {})
            for span in self.server.telemetry.carriers
            if span.context.trace_id == self.trace
        ]

    def events(self) -> list[dict[str, Any]]:
        heard: list[dict[str, Any]] = self.page.evaluate("window.heard")
        return heard


@pytest.fixture
def visit(browser: Browser, server: Server) -> Iterator[Visit]:
    context = browser.new_context()
    context.set_default_timeout(10_000)
    made = Visit(context.new_page(), server)
    yield made
    context.close()
    assert made.complaints == []


UP, DOWN = "Good answer", "Bad answer"
GOOD = {"name": "thumbs", "value": 1.0, "label": "positive"}
BAD = {"name": "thumbs", "value": 0.0, "label": "negative"}


def pressed(button: Locator, is_pressed: bool) -> None:
    expect(button).to_have_attribute("aria-pressed", str(is_pressed).lower())


def test_one_click_is_a_rating(visit):
    visit.open().button(UP).click()
    expect(visit.status).to_have_text("Thanks, saved.")
    pressed(visit.button(UP), True)
    pressed(visit.button(DOWN), False)
    assert visit.stored() == [GOOD]
    (carrier,) = visit.carriers()
    assert (carrier[semconv.EVALUATION_NAME], carrier[semconv.EVALUATION_SCORE_VALUE]) == ("thumbs", 1.0)
    assert carrier[semconv.ENDUSER_PSEUDO_ID] == "u-7"
    (event,) = visit.events()
    assert (event["type"], event["detail"]["value"]) == ("feedback-saved", True)
    assert event["detail"]["id"] == carrier[semconv.FEEDBACK_ID]
    assert "token" not in event["detail"]


def test_a_bad_vote_is_saved_before_anything_else_is_asked(visit):
    visit.open().button(DOWN).click()
    expect(visit.status).to_have_text("Saved. Tell us more, if you like.")
    assert visit.stored() == [BAD]
    expect(visit.comment).to_be_visible()
    expect(visit.page.get_by_text("are stored with this conversation")).to_be_visible()


def test_reasons_and_a_comment_are_added_to_the_vote(visit):
    visit.open(reasons="wrong:Wrong facts, long:Too long").button(DOWN).click()
    visit.button("Wrong facts").click()
    visit.button("Too long").click()
    visit.button("Too long").click()
    visit.comment.fill("  It is Canberra.  ")
    visit.button("Save").click()
    expect(visit.comment).to_be_hidden()
    assert visit.stored() == [BAD | {"comment": "It is Canberra.", "reasons": ["wrong"]}]
    expect(visit.button(DOWN)).to_be_focused()


def test_whoever_has_moved_on_while_it_saves_keeps_the_focus(visit):
    visit.open()
    visit.button(DOWN).click()
    visit.comment.fill("Too long")
    visit.page.evaluate("document.body.append(Object.assign(document.createElement('input'), { id: 'elsewhere' }))")
    visit.server.app.failures = 1  # so that saving takes as long as a retry does
    visit.button("Save").click()
    visit.page.locator("#elsewhere").focus()
    expect(visit.status).to_have_text("Thanks, saved.")
    expect(visit.comment).to_be_hidden()
    expect(visit.page.locator("#elsewhere")).to_be_focused()


def test_cancelling_the_form_keeps_the_bare_vote(visit):
    visit.open().button(DOWN).click()
    visit.comment.fill("never mind")
    visit.button("Cancel").click()
    expect(visit.comment).to_be_hidden()
    visit.button("Add a comment").click()
    expect(visit.comment).to_have_value("")
    assert visit.stored() == [BAD]


def test_a_good_vote_can_be_commented_too(visit):
    visit.open().button(UP).click()
    visit.button("Add a comment").click()
    expect(visit.comment).to_be_focused()
    expect(visit.page.get_by_text("What was wrong?")).to_be_hidden()
    visit.comment.fill("Short and right.")
    visit.button("Save").click()
    expect(visit.comment).to_be_hidden()
    assert visit.stored() == [GOOD | {"comment": "Short and right."}]


def test_a_comment_is_capped_at_a_thousand_characters(visit):
    visit.open().button(UP).click()
    visit.button("Add a comment").click()
    visit.comment.fill("x" * 999)
    visit.comment.press_sequentially("yyy")
    expect(visit.comment).to_have_value("x" * 999 + "y")


def test_a_changed_mind_is_one_rating(visit):
    visit.open().button(DOWN).click()
    visit.comment.fill("wrong")
    visit.button("Save").click()
    expect(visit.comment).to_be_hidden()
    visit.button(UP).click()
    pressed(visit.button(DOWN), False)
    expect(visit.status).to_have_text("Thanks, saved.")
    assert visit.stored() == [GOOD]


def test_a_second_click_takes_the_vote_back(visit):
    visit.open().button(UP).click()
    expect(visit.status).to_have_text("Thanks, saved.")
    visit.button(UP).click()
    expect(visit.status).to_have_text("Rating removed.")
    pressed(visit.button(UP), False)
    expect(visit.button("Add a comment")).to_be_hidden()
    assert visit.stored() == []
    assert [each["type"] for each in visit.events()] == ["feedback-saved", "feedback-retracted"]
    assert [each[semconv.FEEDBACK_ACTION] for each in visit.carriers()] == ["submit", "retract"]


def test_a_reload_restores_the_vote_and_its_comment(visit):
    visit.open().button(DOWN).click()
    visit.button("Incomplete").click()
    visit.comment.fill("Half of it.")
    visit.button("Save").click()
    expect(visit.comment).to_be_hidden()
    visit.open()
    pressed(visit.button(DOWN), True)
    visit.button("Add a comment").click()
    expect(visit.comment).to_have_value("Half of it.")
    pressed(visit.button("Incomplete"), True)
    pressed(visit.button("Too long"), False)


def test_a_failing_server_rolls_the_vote_back_and_says_so(visit):
    visit.open().button(UP).click()
    expect(visit.status).to_have_text("Thanks, saved.")
    visit.server.app.failures = 2
    visit.button(DOWN).click()
    pressed(visit.button(DOWN), True)
    expect(visit.status).to_have_text("Not saved. Try again, or reload the page.")
    pressed(visit.button(UP), True)
    pressed(visit.button(DOWN), False)
    assert visit.stored() == [GOOD]
    error = visit.events()[-1]
    assert (error["type"], error["detail"]["code"]) == ("feedback-error", "busy")


def test_one_failure_is_retried_as_the_same_submission(visit):
    visit.open()
    visit.server.app.failures = 1
    visit.button(UP).click()
    expect(visit.status).to_have_text("Thanks, saved.")
    posts = [json.loads(body) for method, body in visit.server.app.requests if method == "POST"]
    assert len(posts) == 2
    assert posts[0] == posts[1]
    assert len(visit.carriers()) == 1


def test_what_was_typed_survives_a_failure(visit):
    visit.open().button(DOWN).click()
    expect(visit.status).to_have_text("Saved. Tell us more, if you like.")
    visit.comment.fill("A long story.")
    visit.server.app.failures = 2
    visit.button("Save").click()
    expect(visit.status).to_have_text("Not saved. Try again, or reload the page.")
    expect(visit.comment).to_have_value("A long story.")
    visit.button("Save").click()
    expect(visit.comment).to_be_hidden()
    assert visit.stored() == [BAD | {"comment": "A long story."}]


def test_a_refused_token_is_not_asked_again(visit):
    visit.open(token="forged").button(UP).click()
    expect(visit.status).to_have_text("Not saved. Try again, or reload the page.")
    pressed(visit.button(UP), False)
    assert [method for method, _ in visit.server.app.requests].count("POST") == 1
    assert visit.events()[-1]["detail"]["code"] == "invalid_token"


def test_quick_clicks_end_in_the_last_one(visit):
    visit.open()
    visit.page.evaluate(
        """() => {
          const [up, down] = document.querySelector("llm-feedback").shadowRoot.querySelectorAll(".icon");
          for (const button of [up, down, up, up, down, up]) button.click();
        }"""
    )
    expect(visit.status).to_have_text("Thanks, saved.")
    pressed(visit.button(UP), True)
    assert visit.stored() == [GOOD]


def test_the_keyboard_alone_is_enough(visit):
    keyboard = visit.open().page.keyboard
    keyboard.press("Tab")
    expect(visit.button(UP)).to_be_focused()
    keyboard.press("Tab")
    keyboard.press("Enter")
    expect(visit.comment).to_be_visible()
    expect(visit.button(DOWN)).to_be_focused()
    keyboard.press("Tab")
    expect(visit.button("Incorrect")).to_be_focused()
    keyboard.press("Space")
    for _ in range(4):
        keyboard.press("Tab")
    expect(visit.comment).to_be_focused()
    keyboard.type("No.")
    keyboard.press("Tab")
    keyboard.press("Enter")
    expect(visit.comment).to_be_hidden()
    assert visit.stored() == [BAD | {"comment": "No.", "reasons": ["Incorrect"]}]
    keyboard.press("Tab")
    keyboard.press("Enter")
    expect(visit.comment).to_be_focused()
    keyboard.press("Escape")
    expect(visit.button(DOWN)).to_be_focused()
    keyboard.press("Space")
    expect(visit.status).to_have_text("Rating removed.")
    assert visit.stored() == []


def test_stars_are_a_radio_group_with_a_clear_button(visit):
    visit.open(type="stars")
    star = [visit.page.get_by_role("radio", name=f"{n} of 5 stars") for n in range(1, 6)]
    expect(visit.page.get_by_role("radiogroup", name="Rate this answer")).to_be_visible()
    visit.page.keyboard.press("Tab")
    expect(star[0]).to_be_focused()
    star[3].click()
    expect(star[3]).to_be_checked()
    expect(visit.status).to_have_text("Thanks, saved.")
    assert visit.stored() == [{"name": "stars", "value": 4.0, "label": "positive"}]
    visit.page.keyboard.press("ArrowLeft")
    expect(star[2]).to_be_focused()
    expect(star[2]).to_be_checked()
    expect(star[3]).not_to_be_checked()
    visit.open(type="stars")
    expect(star[2]).to_be_checked()
    visit.button("Clear rating").click()
    expect(visit.status).to_have_text("Rating removed.")
    expect(star[2]).not_to_be_checked()
    expect(star[0]).to_be_focused()
    assert visit.stored() == []


def test_few_stars_ask_what_was_wrong(visit):
    visit.open(type="stars", max="3")
    visit.page.get_by_role("radio", name="1 of 3 stars").click()
    expect(visit.page.get_by_text("What was wrong?")).to_be_visible()


def test_labels_are_buttons_that_come_back(visit):
    attributes = {"type": "labels", "name": "verdict", "labels": "pass:Correct, partly:Partly right, fail:Wrong"}
    visit.open(**attributes).button("Partly right").click()
    expect(visit.status).to_have_text("Thanks, saved.")
    assert visit.stored() == [{"name": "verdict", "label": "partly"}]
    visit.button("Correct").click()
    expect(visit.status).to_have_text("Thanks, saved.")
    visit.open(**attributes)
    pressed(visit.button("Correct"), True)
    assert visit.stored() == [{"name": "verdict", "label": "positive"}]


def test_it_is_off_while_the_answer_streams_and_without_a_token(visit):
    visit.open(disabled="")
    expect(visit.button(UP)).to_be_disabled()
    visit.page.evaluate("document.querySelector('llm-feedback').removeAttribute('disabled')")
    expect(visit.button(UP)).to_be_enabled()
    visit.page.evaluate("document.querySelector('llm-feedback').removeAttribute('token')")
    expect(visit.button(UP)).to_be_disabled()


def test_another_token_is_another_rating(visit):
    visit.open().button(UP).click()
    expect(visit.status).to_have_text("Thanks, saved.")
    visit.trace = next(numbers)
    visit.page.evaluate("t => document.querySelector('llm-feedback').setAttribute('token', t)", token_for(visit.trace))
    pressed(visit.button(UP), False)
    assert visit.stored() == []


def test_every_text_can_be_translated(visit):
    visit.open(label_up="Gut", label_saved="Danke!", label_add_comment="Kommentieren").button("Gut").click()
    expect(visit.status).to_have_text("Danke!")
    expect(visit.button("Kommentieren")).to_be_visible()


def test_the_status_region_is_there_before_it_speaks(visit):
    expect(visit.open().status).to_have_text("")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("kind", ["thumbs", "stars", "labels"])
def test_axe_finds_nothing(browser: Browser, server: Server, scheme: Any, kind: str):
    source = axe_source()
    context = browser.new_context(color_scheme=scheme, bypass_csp=True)
    visit = Visit(context.new_page(), server).open(type=kind)
    first = visit.page.locator("llm-feedback button").first if kind == "stars" else visit.page.locator("button").nth(1)
    first.click()
    expect(visit.status).not_to_have_text("")
    assert violations(visit.page, source) == []
    context.close()
