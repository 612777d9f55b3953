"""The dashboard in a real browser: from a rating to its answer, on every page, in both schemes and on a phone."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import expect
from tests.support.axe import axe_source, violations
from tests.support.browser import browser
from tests.support.dashboard.listening import listen
from tests.support.dashboard.process import DASHBOARD_TOKEN
from tests.support.dashboard.running import Dashboard, running_dashboard
from tests.support.dashboard.sample import HOSTILE_SESSION, HOSTILE_USER

from otel_feedback.dashboard.links import session_link, user_link

__all__ = ["browser"]  # a fixture, imported by name

ARTIFACTS = Path(__file__).resolve().parents[1] / "artifacts" / "dashboard"
WIDE = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}
IS_TOO_WIDE = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
LOOKS = {"light": (WIDE, "light"), "dark": (WIDE, "dark"), "phone": (PHONE, "light"), "phone-dark": (PHONE, "dark")}


@pytest.fixture(scope="module")
def dashboard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dashboard]:
    with running_dashboard(tmp_path_factory.mktemp("dashboard"), "sample") as running:
        yield running


@pytest.fixture
def page(browser, dashboard):
    """A page that fails the test if the browser complains about anything."""
    context = browser.new_context(viewport=WIDE, base_url=dashboard.url)
    page = context.new_page()
    complaints = listen(page)
    yield page
    context.close()
    assert complaints == []


@pytest.fixture(scope="module")
def axe() -> str:
    return axe_source()


def _rating(dashboard: Dashboard, comment: str) -> dict:
    return httpx.get(f"{dashboard.url}/api/feedback", params={"text": comment}).json()["rows"][0]


def _paths(dashboard: Dashboard) -> dict[str, str]:
    rated = _rating(dashboard, "It ignored the date")
    return {
        "overview": "/?range=30d",
        "feedback": "/feedback",
        "feedback-filtered": "/feedback?label=negative&model=gpt-4o-mini-2026-05-01",
        "reading": f"/feedback/{rated['FeedbackId']}?label=negative",
        "feedback-nothing": "/feedback?text=no-such-comment",
        "users": "/users",
        "user": "/users/maria",
        "user-hostile": user_link(HOSTILE_USER),
        "sessions": "/sessions",
        "session": f"/sessions/conversation-1009?call={rated['SpanId']}#call-{rated['SpanId']}",
        "session-failed-call": "/sessions/conversation-2044",
        "session-long-answer": "/sessions/conversation-0077",
        "session-hostile": session_link(HOSTILE_SESSION),
        "trace": f"/traces/{rated['TraceId']}",
        "insights-nothing": "/insights",
    }


def test_one_click_leads_from_a_rating_to_its_answer(page, dashboard):
    page.goto("/")
    page.get_by_role("navigation", name="Sections").get_by_role("link", name="Feedback").click()
    row = page.get_by_role("listitem").filter(has_text="It ignored the date I gave")
    row.get_by_role("link", name="Open in context").click()
    rated = _rating(dashboard, "It ignored the date")
    span_id = rated["SpanId"]
    expect(page).to_have_url(re.compile(rf"/feedback/{rated['FeedbackId']}$"))
    expect(page.locator("#rated")).to_contain_text("Refunds are paid back within 14 days")
    page.get_by_role("link", name="conversation-1009").click()
    expect(page).to_have_url(re.compile(rf"/sessions/conversation-1009\?call={span_id}#call-{span_id}$"))
    turn = page.locator(f"#call-{span_id}")
    expect(turn).to_be_in_viewport()
    expect(turn).to_contain_text("Refunds are paid back within 14 days")
    expect(turn).to_contain_text("It ignored the date I gave")
    turn.get_by_role("link", name="Trace").first.click()
    rated = page.locator(f"#span-{span_id}")
    expect(rated).to_be_in_viewport()
    expect(rated).to_contain_text("Negative")
    assert rated.locator(":scope > details").evaluate("details => details.open")


def test_filters_work_from_the_keyboard_and_stay_in_the_address(page):
    page.goto("/feedback")
    page.get_by_label("Comment contains").focus()
    page.keyboard.type("ignored the date")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("text=ignored"))
    expect(page.locator(".feedback-row")).to_have_count(1)
    page.get_by_role("link", name="Clear").click()
    expect(page).to_have_url(re.compile("/feedback$"))


def test_the_keyboard_skips_to_the_content(page):
    page.goto("/feedback")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_the_next_page_and_back(page):
    page.goto("/feedback")
    expect(page.locator(".feedback-row")).to_have_count(50)
    page.get_by_role("link", name="Next page").click()
    expect(page).to_have_url(re.compile("cursor="))
    expect(page.locator(".feedback-row")).not_to_have_count(0)
    page.go_back()
    expect(page).not_to_have_url(re.compile("cursor="))
    expect(page.locator(".feedback-row")).to_have_count(50)


def test_times_are_shown_in_the_viewers_own_zone(browser, dashboard):
    shown = []
    for zone in ("America/New_York", "Asia/Tokyo"):
        context = browser.new_context(base_url=dashboard.url, timezone_id=zone)
        page = context.new_page()
        page.goto("/feedback")
        first = page.locator("time").first
        assert "UTC" in (first.get_attribute("title") or "")
        shown.append(first.inner_text())
        context.close()
    assert shown[0] != shown[1]


def test_a_hostile_text_does_nothing_in_a_browser(page):
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    page.goto(session_link(HOSTILE_SESSION))
    expect(page.get_by_role("heading", level=1)).to_contain_text('weird/session id "quoted" <b>ünïcode</b>')
    assert "owned" not in page.title()
    page.get_by_role("link", name=HOSTILE_USER).first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(HOSTILE_USER)
    assert dialogs == []


@pytest.mark.parametrize("look", LOOKS)
def test_charts_are_drawn_for_the_scheme_and_the_screen(browser, dashboard, look):
    viewport, scheme = LOOKS[look]
    context = browser.new_context(viewport=viewport, color_scheme=scheme, base_url=dashboard.url)
    page = context.new_page()
    complaints = listen(page)
    page.goto("/?range=30d")
    pictures = page.locator("picture img")
    expect(pictures).to_have_count(5)
    for number in range(5):
        pictures.nth(number).scroll_into_view_if_needed()
        pictures.nth(number).evaluate("image => image.decode()")
        address = pictures.nth(number).evaluate("image => image.currentSrc")
        assert ("scheme=dark" in address, "width=phone" in address) == (scheme == "dark", viewport is PHONE)
        assert pictures.nth(number).evaluate("image => image.naturalWidth") > 250
    context.close()
    assert complaints == []


def test_the_numbers_and_the_query_behind_a_chart_are_there_for_everyone(browser, dashboard, axe):
    context = browser.new_context(viewport=WIDE, base_url=dashboard.url)
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.goto("/?range=30d")
    section = page.get_by_role("region", name="By model")
    section.get_by_text("The numbers").click()
    expect(section.get_by_role("rowheader").first).to_be_visible()
    section.get_by_text("Show the query").focus()
    page.keyboard.press("Enter")
    copy = section.get_by_role("button", name="Copy")
    copy.click()
    expect(section.get_by_role("button", name="Copied")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("-- How satisfied are people with each model's answers?\nWITH")
    assert copied == section.locator("code").first.text_content()
    for summary in page.locator(".chart-tools summary").all():
        if not summary.evaluate("each => each.parentElement.open"):
            summary.click()
    assert violations(page, axe) == []
    context.close()


def test_a_file_of_what_is_filtered_is_saved(page):
    page.goto("/feedback?label=negative")
    with page.expect_download() as saving:
        page.get_by_role("link", name="CSV").click()
    assert re.fullmatch(r"feedback-negative-\d{4}-\d\d-\d\d\.csv", saving.value.suggested_filename)
    assert saving.value.path().read_text(encoding="utf-8").startswith("Time,FeedbackId,Name,Label,")


def test_signing_in_leads_back_to_where_one_was_going(browser, dashboard):
    context = browser.new_context(base_url=dashboard.guarded_url)
    page = context.new_page()
    page.goto("/users/maria")
    page.get_by_label("Dashboard token").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_have_text("This is not the dashboard token.")
    page.get_by_label("Dashboard token").fill(DASHBOARD_TOKEN)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("maria")
    assert page.evaluate("document.cookie") == ""
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    context.close()


@pytest.mark.parametrize("look", LOOKS)
def test_every_page_is_quiet_fits_its_screen_and_is_accessible(browser, dashboard, axe, look):
    viewport, scheme = LOOKS[look]
    ARTIFACTS.mkdir(parents=True, exist_ok=True)
    context = browser.new_context(viewport=viewport, color_scheme=scheme, base_url=dashboard.url)
    page = context.new_page()
    complaints = listen(page)
    wrong: list[str] = []
    for name, path in _paths(dashboard).items():
        page.goto(path)
        page.screenshot(path=ARTIFACTS / f"{name}-{look}.png", full_page=True)
        if page.evaluate(IS_TOO_WIDE):
            wrong.append(f"{name} is wider than the screen")
        wrong += [f"{name}: {each}" for each in violations(page, axe)]
    context.close()
    assert complaints == []
    assert wrong == []


def test_empty_pages_fit_too(browser, axe, tmp_path):
    with running_dashboard(tmp_path, "empty") as running:
        context = browser.new_context(viewport=PHONE, base_url=running.url)
        page = context.new_page()
        complaints = listen(page)
        for name in ("", "feedback", "users", "sessions"):
            page.goto(f"/{name}")
            page.screenshot(path=ARTIFACTS / f"empty-{name or 'overview'}-phone.png", full_page=True)
            assert not page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"), (
                name
            )
            assert violations(page, axe) == []
        context.close()
        assert complaints == []
