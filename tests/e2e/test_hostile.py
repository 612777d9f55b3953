"""What strangers send, through real OTLP, on every page, in a real browser: nothing runs, loads, breaks or grows."""

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import Page
from tests.support.axe import axe_source, violations
from tests.support.browser import browser
from tests.support.dashboard.hostile import CONTROLS, EVIL, HostileTraffic, hostile_traffic
from tests.support.dashboard.html import mistakes_in
from tests.support.dashboard.listening import listen
from tests.support.service import RunningService, running_service

from otel_feedback.dashboard.links import messages_link, session_link, span_link, trace_link, user_link

__all__ = ["browser"]  # a fixture, imported by name

MOST_BYTES = 150_000
ARTIFACTS = Path(__file__).resolve().parents[1] / "artifacts" / "hostile"
LOADED = re.compile(r'<div class="loaded"><p[^>]*><a href="([^"]+)">')
IS_TOO_WIDE = "document.documentElement.scrollWidth > document.documentElement.clientWidth"


@dataclass(frozen=True)
class Hostile:
    service: RunningService
    traffic: HostileTraffic

    @property
    def wild(self) -> tuple[str, str]:
        call = self.traffic.calls[-1]
        return call.trace_id.hex(), call.span_id.hex()

    def ratings(self) -> list[dict]:
        rows, cursor = [], ""
        while True:
            answer = httpx.get(f"{self.service.dashboard}/api/feedback", params={"cursor": cursor}, timeout=30).json()
            rows += answer["rows"]
            if not (cursor := answer["next_cursor"]):
                return rows

    def paths(self) -> list[str]:
        """Every page that shows something of it."""
        trace, span = self.wild
        ratings = [row for row in self.ratings() if not row["RaterId"].startswith("crowd")]
        calls = [(each.trace_id.hex(), each.span_id.hex()) for each in self.traffic.calls]
        return [
            "/",
            "/feedback",
            "/feedback?text=" + "%3Cscript%3E",
            "/users",
            "/sessions",
            "/insights",
            *(f"/feedback/{row['FeedbackId']}" for row in ratings),
            *(session_link(each) for each in self.traffic.sessions),
            *(user_link(each) for each in ("mallory", *self.traffic.sessions[-10:])),
            *(messages_link(*each) for each in calls[8:16]),
            *(trace_link(each, span_id=its) for each, its in calls[:9]),
            trace_link(trace, span_id=span),
            trace_link(trace) + "?page=3",
            span_link(trace, f"{2000:016x}"),
            span_link(trace, f"{5:016x}"),
            f"/text?of=span&trace={trace}&span={2000:016x}&field=SpanAttributes&key=large&part=2",
        ]


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hostile]:
    traffic = hostile_traffic(time.time_ns())
    with running_service(tmp_path_factory.mktemp("hostile") / "data") as service:
        for signal, request in (("traces", traffic.traces), ("logs", traffic.logs)):
            answer = httpx.post(
                f"{service.http}/v1/{signal}",
                content=request.SerializeToString(),
                headers={"Content-Type": "application/x-protobuf"},
                timeout=60,
            )
            assert answer.status_code == 200, answer.text
        service.wait_for_rows("SELECT 1 FROM feedback WHERE State = 'linked'", traffic.ratings)
        yield Hostile(service, traffic)


def test_every_page_and_piece_is_valid_html_of_a_bounded_size(hostile):
    wrong: list[str] = []
    seen: set[str] = set()
    with httpx.Client(base_url=hostile.service.dashboard, timeout=60) as client:
        waiting = [urlsplit(path)._replace(fragment="").geturl() for path in hostile.paths()]
        pages = len(waiting)
        for number, path in enumerate(waiting):
            answer = client.get(path)
            if answer.status_code != 200:
                wrong.append(f"{path}: {answer.status_code}")
            if len(answer.content) > MOST_BYTES:
                wrong.append(f"{path}: {len(answer.content)} bytes")
            html = answer.text
            if path.endswith("fragment=1"):
                html = f"<!doctype html><html><head><title>x</title></head><body>{html}</body></html>"
            wrong += [f"{path}: {each}" for each in mistakes_in(html)[:3]]
            raw = {each for each in CONTROLS + "\x1b" if ord(each) < 9 or 0x0E <= ord(each) < 0x20 or each == "\u202e"}
            wrong += [f"{path}: holds {each!r}" for each in raw if each in html]
            if number < pages:
                found = {f"{each.replace('&amp;', '&')}&fragment=1" for each in LOADED.findall(html)}
                fresh = sorted(found - seen)[:6]
                seen.update(fresh)
                waiting += fresh
    assert len(seen) > 40
    assert not wrong, "\n".join(wrong)


def test_nothing_runs_loads_or_breaks_in_a_browser(browser, hostile):
    context = browser.new_context(viewport={"width": 1280, "height": 900}, base_url=hostile.service.dashboard)
    page = context.new_page()
    page.set_default_timeout(60_000)
    complaints = listen(page)
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    asked: set[str] = set()
    page.on("request", lambda request: asked.add(urlsplit(request.url).netloc))
    wrong: list[str] = []
    axe = axe_source()
    ARTIFACTS.mkdir(parents=True, exist_ok=True)
    for number, path in enumerate(_looked_at(hostile)):
        page.goto(path)
        wrong += [f"{path}: {each}" for each in _betrayals(page)]
        wrong += [f"{path}: {each}" for each in violations(page, axe)]
        page.screenshot(path=ARTIFACTS / f"{number:02}.png")
    assert page.evaluate("document.cookie") == ""
    context.close()
    assert complaints == []
    assert dialogs == []
    assert asked == {urlsplit(hostile.service.dashboard).netloc}
    assert EVIL not in " ".join(asked)
    assert not wrong, "\n".join(wrong)


def _looked_at(hostile: Hostile) -> list[str]:
    """One page of each kind, with the worst on it, and all the ratings of texts."""
    trace, span = hostile.wild
    texts = [row for row in hostile.ratings() if row["SessionId"].startswith(("text ", "messages "))]
    return [
        "/feedback",
        "/sessions",
        *(f"/feedback/{row['FeedbackId']}" for row in texts),
        session_link("text markup"),
        session_link("messages pictures"),
        session_link("many turns"),
        session_link(hostile.traffic.sessions[-7]),
        user_link(hostile.traffic.sessions[-7]),
        trace_link(trace, span_id=span),
        span_link(trace, f"{2000:016x}"),
    ]


def _betrayals(page: Page) -> list[str]:
    """Open all that can be opened, let it load, and see whether anything of it acted."""
    page.evaluate(
        """async () => {
            for (const each of [...document.querySelectorAll("main details")].slice(0, 12)) each.open = true;
            const waits = () => document.querySelector("main details[data-load][open]:not([data-state=loaded])");
            for (let tries = 0; tries < 400 && waits() && !document.querySelector(".problem"); tries++)
                await new Promise((done) => setTimeout(done, 25));
        }"""
    )
    wrong = []
    if page.locator("main details[data-load][open]:not([data-state=loaded])").count():
        wrong.append("a piece did not come")
    if "owned" in page.title():
        wrong.append("a script ran")
    if page.evaluate("document.querySelector('main script, main iframe, main img, main style, main base, main meta')"):
        wrong.append("an element came out of a text")
    if page.locator(".problem").count():
        wrong.append(f"a piece did not load: {page.locator('.problem').first.inner_text()}")
    if page.evaluate(IS_TOO_WIDE):
        wrong.append("wider than the screen")
    return wrong


def test_pictures_are_told_of_and_never_loaded(hostile):
    call = next(each for each in hostile.traffic.calls if each.session == "messages pictures")
    page = httpx.get(hostile.service.dashboard + messages_link(call.trace_id.hex(), call.span_id.hex())).text
    assert "image/png, 21 kB" in page
    assert "image/svg+xml, 59 bytes" in page
    assert f"at https://{EVIL}/pixel.png, not loaded" in page
    assert "<img" not in page


def test_a_megabyte_is_read_in_parts_to_its_end(hostile):
    call = next(each for each in hostile.traffic.calls if each.session == "text a megabyte of markup")
    with httpx.Client(base_url=hostile.service.dashboard) as client:
        place = f"/text?of=call&trace={call.trace_id.hex()}&span={call.span_id.hex()}&field=Completion"
        last = client.get(f"{place}&part=63").text
        assert "Part 63 of 63, 1\u202f000\u202f000 characters in all" in last
        assert last.count("&lt;&amp;&#34;&#39;&gt;") == (1_000_000 - 62 * 16_000) // 5
        assert client.get(f"{place}&part=64").status_code == 200
        assert client.get(f"{place}&part=0").status_code == 400
        assert client.get(place.replace("Completion", "Attributes")).status_code == 400
        assert client.get(place.replace(call.span_id.hex(), "0" * 16)).status_code == 404
