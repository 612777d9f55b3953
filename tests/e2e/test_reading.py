"""Reading ratings in a real browser over a real service: by keyboard alone, with ratings of one's own, live."""

import re
import time
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Page, Route, expect
from tests.support.axe import axe_source, violations
from tests.support.browser import browser
from tests.support.dashboard.history import MINUTE, History
from tests.support.dashboard.listening import listen
from tests.support.service import RunningService, running_service

__all__ = ["browser"]  # a fixture, imported by name

NEGATIVES = 14
LIST = "/feedback?label=negative&range=7d"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    """A service that has got a chat of some turns, most of them rated, over OTLP."""
    now = time.time_ns()
    history = History()
    for number in range(NEGATIVES + 6):
        at = now - (number + 2) * 10 * MINUTE
        call = history.call(
            f"Question {number}: where is parcel {number}?",
            f"Parcel {number} is on its way.",
            at=at,
            session=f"parcels-{number % 3}",
            user="maria",
            version="v3",
        )
        label = "negative" if number < NEGATIVES else "positive"
        history.rate(call, label, at=at + MINUTE, rater="maria", comment=f"Comment {number}")
    with running_service(tmp_path_factory.mktemp("reading") / "data") as running:
        _send(running, history)
        running.wait_for_rows("SELECT FeedbackId FROM feedback WHERE State = 'linked'", NEGATIVES + 6)
        yield running


@pytest.fixture
def page(browser, service) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 900}, base_url=service.dashboard)
    page = context.new_page()
    complaints = listen(page)
    yield page
    context.close()
    assert complaints == []


def _send(service: RunningService, history: History) -> None:
    answer = httpx.post(
        f"{service.http}/v1/traces",
        content=history.request().SerializeToString(),
        headers={"Content-Type": "application/x-protobuf"},
    )
    assert answer.status_code == 200


def _ids(service: RunningService) -> list[str]:
    rows = httpx.get(service.dashboard + LIST.replace("/feedback", "/api/feedback")).json()["rows"]
    return [row["FeedbackId"] for row in rows if row["Source"] == "end_user"]


def _reviews(service: RunningService, rater: str, label: str, changes: int = 0) -> list[dict]:
    return service.wait_for_rows(
        "SELECT * FROM feedback WHERE Name = 'review' AND State = 'linked' "
        "AND RaterId = {rater:String} AND Label = {label:String} AND Changes = {changes:UInt64}",
        rater=rater,
        label=label,
        changes=changes,
    )


def _expect_walked_to(page: Page, place: int) -> None:
    """The page of that rating is there, not only its address, which changes before its script can hear a key."""
    expect(page.locator(".walk-place")).to_have_text(f"Rating {place} of {NEGATIVES}")


def test_ten_ratings_are_read_and_left_with_the_keyboard_alone(page, service):
    ids = _ids(service)
    page.goto(LIST)
    for _ in range(3):
        page.keyboard.press("j")
    page.keyboard.press("k")
    expect(page.locator(f"#rating-{ids[1]}")).to_be_focused()
    page.keyboard.press("Enter")
    for number in range(1, 11):
        expect(page).to_have_url(re.compile(rf"/feedback/{ids[number]}\?label=negative&range=7d$"))
        _expect_walked_to(page, number + 1)
        expect(page.locator(".reading-rating .comment")).to_contain_text(f"Comment {number}")
        expect(page.locator("#rated")).to_contain_text(f"Parcel {number} is on its way.")
        page.keyboard.press("j")
    _expect_walked_to(page, 12)
    page.keyboard.press("k")
    _expect_walked_to(page, 11)
    page.keyboard.press("u")
    expect(page).to_have_url(re.compile(rf"/feedback\?label=negative&range=7d#rating-{ids[10]}$"))
    expect(page.locator(f"#rating-{ids[10]}")).to_be_focused()
    expect(page.locator(f"#rating-{ids[10]}")).to_be_in_viewport()


def test_reading_shows_the_turns_before_and_leads_to_session_and_trace(page, service):
    page.goto(f"/feedback/{_ids(service)[0]}?label=negative")
    before = page.locator(".before")
    expect(before).to_contain_text("Question 3: where is parcel 3?")
    expect(before).to_contain_text("Question 6: where is parcel 6?")
    expect(page.locator(".reading-facts")).to_contain_text("v3")
    page.keyboard.press("s")
    expect(page.get_by_role("heading", level=1)).to_have_text("parcels-0")
    page.go_back()
    page.keyboard.press("t")
    expect(page.locator(".span-rated .span-detail")).to_contain_text("Comment 0")


def test_keys_stay_away_from_fields_and_modifiers_and_can_be_switched_off(page, service):
    first = f"/feedback/{_ids(service)[0]}?label=negative"
    page.goto(first)
    page.get_by_label("Note").focus()
    page.keyboard.type("jkust?")
    expect(page.get_by_label("Note")).to_have_value("jkust?")
    page.locator("h1").click()
    page.keyboard.press("Alt+j")
    page.keyboard.press("Control+k")
    page.keyboard.press("Shift+J")
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keys")
    expect(dialog).to_be_visible()
    page.keyboard.press("j")
    dialog.get_by_role("checkbox").uncheck()
    page.keyboard.press("Escape")
    page.locator("h1").click()
    page.keyboard.press("j")
    assert page.url.endswith(first)
    page.reload()
    page.get_by_role("button", name="Keys").click()
    expect(dialog.get_by_role("checkbox")).not_to_be_checked()
    dialog.get_by_role("checkbox").check()
    dialog.get_by_role("button", name="Close").click()
    page.keyboard.press("j")
    expect(page).not_to_have_url(re.compile(re.escape(first)))


def test_an_annotator_rates_what_is_read_changes_it_and_takes_it_back(page, service):
    rated = _ids(service)[2]
    page.goto(f"/feedback/{rated}?label=negative")
    page.keyboard.press("a")
    page.keyboard.press("ArrowLeft")  # from None to Negative
    page.get_by_label("Note").fill("It never looks the parcel up.\nTwice now.")
    page.get_by_label("The answer you wanted").fill("Parcel 2 is in Leipzig.")
    page.get_by_label("Reasons").fill("not accurate, no tool used")
    page.get_by_label("Your name").fill("ines")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("status").filter(has_text="Your rating is saved.")).to_be_visible()
    expect(page.get_by_label("Negative")).to_be_checked()  # read back at once
    expect(page.get_by_label("Note")).to_have_value("It never looks the parcel up.\nTwice now.")
    (stored,) = _reviews(service, "ines", "negative")
    (original,) = service.sql(
        "SELECT TraceId, SpanId, SessionId FROM feedback WHERE FeedbackId = {id:String}", id=rated
    )
    assert {key: stored[key] for key in original} == original
    assert stored["Source"] == "annotator"
    assert (stored["Label"], stored["Value"]) == ("negative", 0)
    assert stored["Comment"] == "It never looks the parcel up.\nTwice now."
    assert stored["Correction"] == "Parcel 2 is in Leipzig."
    assert stored["Reasons"] == ["not accurate", "no tool used"]
    carriers = service.wait_for_rows(
        "SELECT ParentSpanId, Links.SpanId AS Linked FROM otel_traces WHERE SpanName = 'user_feedback review' "
        "AND SpanAttributes['enduser.pseudo.id'] = 'ines'"
    )
    assert carriers == [{"ParentSpanId": original["SpanId"], "Linked": [original["SpanId"]]}]
    assert service.wait_for_rows("SELECT 1 FROM otel_logs WHERE LogAttributes['enduser.pseudo.id'] = 'ines'")

    page.get_by_label("Positive").check()
    page.get_by_role("button", name="Save, and next").click()
    expect(page).to_have_url(re.compile(_ids(service)[3]))
    expect(page.locator(".done")).to_have_text("Your rating of the one before is saved.")
    expect(page.get_by_label("Your name")).to_have_value("ines")  # kept in a cookie
    expect(page.get_by_label("None")).to_be_checked()
    page.get_by_role("link", name="Previous").click()
    expect(page.get_by_label("Positive")).to_be_checked()
    _reviews(service, "ines", "positive", 1)
    page.get_by_role("button", name="Take it back").click()
    expect(page.get_by_role("status").filter(has_text="taken back")).to_be_visible()
    expect(page.get_by_label("None")).to_be_checked()
    service.wait_for_rows("SELECT 1 FROM feedback_events WHERE Name = 'review' AND Action = 'retract'")
    assert service.sql("SELECT 1 FROM feedback WHERE Name = 'review' AND RaterId = 'ines'") == []


def test_an_annotation_without_anything_in_it_is_refused_in_words(page, service):
    page.goto(f"/feedback/{_ids(service)[4]}")
    page.get_by_label("Your name").fill("ines")
    with page.expect_response(lambda response: response.request.method == "POST") as answered:
        page.get_by_role("button", name="Save", exact=True).click()
    assert answered.value.status == 400
    expect(page.get_by_role("alert")).to_contain_text("nothing in it yet")


def test_what_was_written_on_a_page_that_is_too_old_is_not_lost(page, service):
    page.goto(f"/feedback/{_ids(service)[4]}")
    page.get_by_label("Your name").fill("ivo")
    page.get_by_label("Note").fill("half an hour's work")
    page.locator("[name=form_token]").evaluate("field => { field.value = 'f'.repeat(64); }")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("too old")
    expect(page.get_by_label("Note")).to_have_value("half an hour's work")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("status").filter(has_text="saved")).to_be_visible()
    service.wait_for_rows("SELECT 1 FROM feedback WHERE Name = 'review' AND RaterId = 'ivo'")


def test_annotating_needs_no_script(browser, service):
    context = browser.new_context(base_url=service.dashboard, java_script_enabled=False)
    page = context.new_page()
    page.goto(f"/feedback/{_ids(service)[5]}?label=negative")
    page.get_by_label("Positive").check()
    page.get_by_label("Your name").fill("no script")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".done")).to_have_text("Your rating is saved.")
    page.get_by_role("link", name="Next").click()
    expect(page.locator(".walk-place")).to_have_text(f"Rating 7 of {NEGATIVES}")
    context.close()
    _reviews(service, "no script", "positive")


def test_forms_of_other_sites_write_nothing(service):
    foreign = [
        {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
    ]
    with httpx.Client(base_url=service.dashboard) as client:
        path = f"/feedback/{_ids(service)[6]}"
        token = re.search(r'name="form_token" value="(\w+)"', client.get(path).text)[1]
        fields = {"verdict": "positive", "annotator": "mallory", "form_token": token}
        answers = [client.post(path, data=fields, headers=headers) for headers in foreign]
        answers += [client.post(path, data={**fields, "form_token": guess}) for guess in ("", "f" * 64)]
        assert [answer.status_code for answer in answers] == [403] * 6
        assert client.post(path, data={**fields, "annotator": "own page"}).status_code == 303
    _reviews(service, "own page", "positive")
    assert service.sql("SELECT 1 FROM feedback_events WHERE RaterId = 'mallory'") == []


def test_live_ratings_come_to_the_top_and_stop_with_the_switch(page, service):
    page.goto("/feedback?name=live")
    expect(page.get_by_role("heading", name="No rating matches these filters")).to_be_visible()
    switch = page.get_by_role("switch", name="Live")
    switch.click()
    expect(switch).to_be_checked()
    expect(page).to_have_url(re.compile("live=1"))
    history = History(seed=8)
    now = time.time_ns()
    first = history.call("Is anyone there?", "Yes.", at=now - 5 * MINUTE, session="live")
    history.rate(first, "negative", at=now - 3 * MINUTE, name="live", rater="ada", comment="First")
    _send(service, history)
    expect(page.locator("[data-rows] > li")).to_have_count(1, timeout=20_000)
    expect(page.get_by_role("status")).to_have_text("One new rating")
    expect(page.locator(".empty")).to_have_count(0)

    changed = History(seed=9)
    changed.rate(first, "positive", at=now - 2 * MINUTE, name="live", rater="ada", comment="Changed <b>my</b> mind")
    other = changed.call("And you?", "Me, too.", at=now - MINUTE, session="live")
    changed.rate(other, "positive", at=now, name="live", rater="bob", comment="Second")
    _send(service, changed)
    rows = page.locator("[data-rows] > li")
    expect(rows).to_have_count(2, timeout=20_000)
    expect(rows.nth(0)).to_contain_text("Second")
    expect(rows.nth(1)).to_contain_text("Changed <b>my</b> mind")

    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/tail" in request.url else None)
    with page.expect_request(re.compile("/api/feedback/tail")):
        pass
    switch.click()
    expect(switch).not_to_be_checked()
    expect(page).not_to_have_url(re.compile("live=1"))
    asked.clear()
    page.evaluate("new Promise((done) => setTimeout(done, 3500))")  # longer than the pause between two questions
    assert asked == []


def test_live_says_when_it_can_not_ask_and_when_it_can_again(page):
    page.route("**/api/feedback/tail*", lambda route: route.fulfill(status=503, body="away"))
    page.goto("/feedback?name=live&live=1")
    expect(page.get_by_role("switch", name="Live")).to_be_checked()
    expect(page.get_by_role("status")).to_contain_text("can't be asked for now")
    page.unroute("**/api/feedback/tail*")
    expect(page.get_by_role("status")).to_have_text("New ratings come again.", timeout=20_000)
    page.route("**/api/feedback/tail*", lambda route: route.fulfill(status=401, body="{}"))
    expect(page.get_by_role("status")).to_contain_text("Sign in again", timeout=20_000)
    expect(page.get_by_role("switch", name="Live")).not_to_be_checked()


def test_a_slow_answer_says_that_it_is_awaited(page):
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route(re.compile("text=slow"), hold)
    page.add_init_script(  # Playwright looks at no element while a page is on its way, but hears the console
        "new MutationObserver(() => { const note = document.querySelector('.waiting'); "
        "if (note) console.info(note.textContent); }).observe(document, { subtree: true, childList: true });"
    )
    page.goto("/feedback")
    page.get_by_label("Comment contains").fill("slow")
    with page.expect_console_message(lambda message: message.text == "Asking the database …"):
        page.get_by_role("button", name="Apply").click(no_wait_after=True)
    with page.expect_console_message(lambda message: "A shorter time or more filters" in message.text):
        pass
    held[0].continue_()
    expect(page.get_by_role("heading", name="No rating matches these filters")).to_be_visible()
    expect(page.locator(".waiting")).to_have_count(0)


def test_a_piece_that_can_not_be_loaded_says_so_and_comes_when_it_is_opened_again(page, service):
    page.route("**/messages?*", lambda route: route.fulfill(status=503, body="away"))
    page.goto(f"/feedback/{_ids(service)[0]}")
    messages = page.locator("#rated .full-messages")
    messages.locator("summary").click()
    expect(messages.get_by_role("alert")).to_contain_text("could not be loaded")
    page.unroute("**/messages?*")
    messages.locator("summary").click()
    messages.locator("summary").click()
    expect(messages.locator(".loaded")).to_contain_text("Question 0: where is parcel 0?")
    expect(messages.get_by_role("alert")).to_have_count(0)


def test_the_reading_pages_are_accessible(page, service):
    axe = axe_source()
    for path in (LIST, f"/feedback/{_ids(service)[0]}?label=negative"):
        page.goto(path)
        assert violations(page, axe) == []
    page.keyboard.press("?")
    assert violations(page, axe) == []
