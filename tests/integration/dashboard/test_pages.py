"""Every page over a real embedded engine, filled through the same decode that the service uses."""

import re
import time
from itertools import pairwise
from urllib.parse import urlsplit

import httpx
import pytest
from tests.support.dashboard.sample import HOSTILE_SESSION, HOSTILE_USER

from otel_feedback.dashboard.cursor import Cursor
from otel_feedback.dashboard.links import session_link, user_link
from otel_feedback.dashboard.security_headers import SECURITY_HEADERS

LISTS = ["/", "/?range=24h", "/?range=30d", "/feedback", "/users", "/sessions"]


def _every(client, collection, **filters):
    """Every row of a list that matches, page by page."""
    rows, cursor = [], ""
    while True:
        answer = client.get(f"/api/{collection}", params={**filters, "cursor": cursor})
        assert answer.status_code == 200, answer.text
        rows += answer.json()["rows"]
        cursor = answer.json()["next_cursor"]
        if not cursor:
            return rows


def _ratings(client, **filters):
    return _every(client, "feedback", **filters)


def _rating(client, comment):
    (row,) = _ratings(client, text=comment)
    return row


@pytest.mark.parametrize("path", LISTS)
def test_a_list_is_shown_with_data(browser, path):
    page = browser.get(path)
    assert page.status_code == 200
    assert "<h1>" in page.text
    assert "yet</h2>" not in page.text


@pytest.mark.parametrize("path", LISTS)
def test_an_empty_list_says_how_to_send_a_first_rating(empty_dashboard, path):
    page = httpx.get(empty_dashboard.url + path)
    assert page.status_code == 200
    assert "otel_feedback.record(" in page.text
    assert "OTEL_EXPORTER_OTLP_ENDPOINT" in page.text


def test_the_overview_counts_what_was_sent(browser, dashboard):
    page = browser.get("/?range=30d").text
    assert f"{dashboard.rated_calls} of {dashboard.calls} LLM calls were rated" in page
    assert f'<dd class="big">{dashboard.ratings}</dd>' in page
    assert "1 waiting</a>, " in page
    assert "It ignored the date I gave" in page
    table = re.search(r"<caption[^>]*>Ratings over time.*?</table>", page, re.DOTALL)
    assert table
    assert sum(int(count) for count in re.findall(r'class="number">(\d+)<', table[0])) == dashboard.ratings


def test_every_rating_is_listed_once_with_its_answer(browser, dashboard):
    rows = _ratings(browser)
    assert len(rows) == dashboard.ratings == len({row["FeedbackId"] for row in rows})
    assert [row["TimeUnixNano"] for row in rows] == sorted((row["TimeUnixNano"] for row in rows), reverse=True)
    row = next(row for row in rows if row["Comment"].startswith("It ignored"))
    assert row["Prompt"] == "Where is my refund for order A-1009?"
    assert row["Model"] == "gpt-4o-mini-2026-05-01"
    assert (row["SessionId"], row["RaterId"], row["State"]) == ("conversation-1009", "maria", "linked")
    assert row["Reasons"] == ["not accurate", "did not follow instructions"]


def test_a_changed_vote_is_one_rating_and_says_so(browser):
    assert not _ratings(browser, text="wrong thumb")
    row = _rating(browser, "Perfect list")
    assert (row["Label"], row["Changes"]) == ("positive", 1)
    assert "changed 1 time" in browser.get("/feedback", params={"text": "Perfect list"}).text


@pytest.mark.parametrize(
    ("filters", "matches"),
    [
        ({"label": "negative"}, lambda row: row["Label"] == "negative"),
        ({"name": "stars"}, lambda row: row["Name"] == "stars"),
        ({"service": "help-centre"}, lambda row: row["ServiceName"] == "help-centre"),
        ({"session": "conversation-1009"}, lambda row: row["SessionId"] == "conversation-1009"),
        ({"version": "v3"}, lambda row: row["Comment"].startswith("It ignored")),
        ({"source": "end_user"}, lambda row: row["Source"] == "end_user"),
        ({"state": "waiting"}, lambda row: row["State"] == "waiting"),
        ({"text": "IGNORED THE DATE"}, lambda row: "ignored the date" in row["Comment"]),
        ({"model": "gpt-4o-2026-05-01"}, lambda row: row["Model"] == "gpt-4o-2026-05-01"),
        ({"user": "tariq"}, lambda row: row["RaterId"] == "tariq"),
        ({"label": "positive", "name": "stars"}, lambda row: (row["Label"], row["Name"]) == ("positive", "stars")),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_a_filter_keeps_exactly_what_matches(browser, filters, matches):
    expected = {row["FeedbackId"] for row in _ratings(browser) if matches(row)}
    assert expected
    assert {row["FeedbackId"] for row in _ratings(browser, **filters)} == expected


def test_a_filter_by_user_finds_session_ratings_too(browser):
    scopes = {row["Scope"] for row in _ratings(browser, user="maria")}
    assert scopes == {"span", "session"}


def test_a_time_range_cuts_old_ratings_off(browser):
    everything, lately = _ratings(browser), _ratings(browser, range="24h")
    assert 0 < len(lately) < len(everything)
    assert _ratings(browser, **{"from": "2000-01-01", "to": "2000-12-31"}) == []
    assert browser.get("/feedback?from=2000-01-01&to=2000-12-31").text.count("No rating matches") == 1


@pytest.mark.parametrize(
    ("collection", "row_id", "time_column"),
    [
        ("feedback", "FeedbackId", "TimeUnixNano"),
        ("users", "UserId", "LastUnixNano"),
        ("sessions", "SessionId", "LastUnixNano"),
    ],
)
def test_paging_visits_every_row_once_also_among_equal_times(browser, collection, row_id, time_column):
    rows = _every(browser, collection)
    assert len(rows) > 50
    assert len({row[row_id] for row in rows}) == len(rows)
    assert len({row[time_column] for row in rows}) < len(rows)
    for before, after in pairwise(rows):
        cursor = str(Cursor(before[time_column], before[row_id]))
        assert browser.get(f"/api/{collection}", params={"cursor": cursor}).json()["rows"][0] == after


def test_the_link_to_the_next_page_keeps_the_filters(browser):
    page = browser.get("/feedback?label=positive&range=30d").text
    link = re.search(r'rel="next" href="([^"]+)"', page)[1].replace("&amp;", "&")
    assert "label=positive" in link
    assert "range=30d" in link
    assert "First page" in browser.get(link).text


@pytest.mark.parametrize("path", ["/feedback", "/users", "/sessions"])
@pytest.mark.parametrize("query", ["cursor=%00", "cursor=W10", "range=1y", "text=" + "x" * 3000])
def test_a_link_that_makes_no_sense_is_refused_in_words(browser, path, query):
    page = browser.get(f"{path}?{query}")
    assert page.status_code == 400
    assert "This link can&#39;t be read" in page.text


def test_a_session_reads_as_the_conversation(browser):
    page = browser.get("/sessions/conversation-1009").text
    parts = [
        "Ratings of the whole session",
        "Got there in the end.",
        "Where is my refund for order A-1009?",
        "Refunds are paid back within 14 days",
        "It ignored the date I gave",
        "The refund for A-1009 was paid on 3 May",
        "look_up_payments",
        "You are right: two payments",
    ]
    places = [page.index(part) for part in parts]
    assert places == sorted(places)
    assert page.count('<p class="who">User</p>') == 2, "the question that led to a tool call is shown once"
    assert "412 in, 57 out" in page
    assert "first chunk" in page
    link = re.search(r'<a href="(/messages[^"]+)"', page)[1].replace("&amp;", "&")
    messages = browser.get(f"{link}&fragment=1")
    assert "never promise a refund" in messages.text
    assert "<html" not in messages.text
    assert "never promise a refund" in browser.get(link).text


def test_a_failed_call_shows_its_error(browser):
    page = browser.get("/sessions/conversation-2044").text
    assert "RateLimitError" in page
    assert "message-error" in page


def test_a_rating_opens_its_answer_in_context(browser):
    row = _rating(browser, "It ignored the date")
    page = browser.get("/feedback", params={"text": "It ignored the date"}).text
    link = re.search(r'class="open-answer"[^>]* href="([^"]+)"', page)[1].replace("&amp;", "&")
    assert link == f"/feedback/{row['FeedbackId']}?text=It+ignored+the+date"
    reading = browser.get(link).text
    for part in (
        "It ignored the date I gave",
        "Where is my refund",
        "Refunds are paid back",
        "412 in, 57 out",
        "1 of 1",
    ):
        assert part in reading
    for other in re.findall(r'data-key="[st]" href="([^"]+)"', reading):
        target = urlsplit(other.replace("&amp;", "&"))
        assert target.fragment in {f"call-{row['SpanId']}", f"span-{row['SpanId']}"}
        assert f'id="{target.fragment}"' in browser.get(other.replace("&amp;", "&")).text


def test_reading_walks_the_ratings_of_the_filter_in_their_order(browser):
    rows = _ratings(browser, label="negative", range="30d")
    assert len(rows) > 5
    walked, link = [], f"/feedback/{rows[0]['FeedbackId']}?label=negative&range=30d"
    while link:
        page = browser.get(link).text
        walked.append(urlsplit(link).path.rpartition("/")[2])
        assert f"{len(walked)} of {len(rows)}" in page
        before = re.search(r'rel="prev" data-key="k" href="([^"]+)"', page)
        assert (before and urlsplit(before[1]).path.rpartition("/")[2]) == (walked[-2] if len(walked) > 1 else None)
        after = re.search(r'rel="next" data-key="j" data-prefetch href="([^"]+)"', page)
        link = after and after[1].replace("&amp;", "&")
    assert walked == [row["FeedbackId"] for row in rows]


def test_browsers_are_told_to_fetch_the_next_rating_ahead(browser):
    page = browser.get(f"/feedback/{_ratings(browser)[0]['FeedbackId']}")
    rules = browser.get(page.headers["Speculation-Rules"].strip('"'))
    assert rules.headers["Content-Type"] == "application/speculationrules+json"
    assert rules.json()["prefetch"][0]["where"] == {"selector_matches": "a[data-prefetch]"}
    assert len(re.findall("<a [^>]*data-prefetch", page.text)) == 1


def test_the_way_back_leads_to_the_page_of_the_list_that_has_the_rating(browser):
    rows = _ratings(browser, label="positive")
    assert len(rows) > 50
    for row in (rows[0], rows[49], rows[50], rows[-1]):
        page = browser.get(f"/feedback/{row['FeedbackId']}?label=positive").text
        back = re.search(r'data-key="u" href="([^"]+)"', page)[1].replace("&amp;", "&")
        assert urlsplit(back).fragment == f"rating-{row['FeedbackId']}"
        assert f'id="rating-{row["FeedbackId"]}"' in browser.get(back).text


def test_a_rating_that_is_gone_or_outside_of_the_filter_says_so(browser):
    gone = browser.get(f"/feedback/{'0' * 32}?label=negative")
    assert gone.status_code == 404
    assert 'href="/feedback?label=negative"' in gone.text
    assert browser.get("/feedback/%2e%2e%2fx").status_code == 404
    positive = _ratings(browser, label="positive")[0]
    page = browser.get(f"/feedback/{positive['FeedbackId']}?label=negative").text
    assert "not in this filter" in page


def test_a_rating_of_a_session_or_of_what_has_not_arrived_can_be_read_too(browser):
    of_session = _rating(browser, "Got there in the end")
    page = browser.get(f"/feedback/{of_session['FeedbackId']}").text
    assert "The session it rates" in page
    assert "You are right: two payments" in page
    waiting = _rating(browser, "No trace of this one yet")
    assert "has not arrived" in browser.get(f"/feedback/{waiting['FeedbackId']}").text


def test_without_someone_to_take_annotations_there_is_no_form(browser):
    row = _rating(browser, "It ignored the date")
    assert "<form" not in browser.get(f"/feedback/{row['FeedbackId']}").text.replace('<form method="dialog">', "")
    assert browser.post(f"/feedback/{row['FeedbackId']}", data={"verdict": "positive"}).status_code == 405


def test_the_tail_tells_what_was_stored_since(browser):
    everything = browser.get("/api/feedback/tail", params={"after": "1", "label": "negative"}).json()
    assert everything["html"].count("<li data-rating=") == len(_ratings(browser, label="negative"))
    later = browser.get("/api/feedback/tail", params={"after": str(time.time_ns() + 60 * 10**9)}).json()
    assert later["html"].strip() == ""
    assert int(later["after"]) > int(everything["after"])
    assert browser.get("/api/feedback/tail", params={"after": "soon"}).status_code == 400


def test_a_waiting_rating_has_a_session_page_before_its_calls(browser):
    page = browser.get("/sessions/conversation-lost")
    assert page.status_code == 200
    assert "No trace of this one yet." in page.text
    assert "its ratings wait for them" in page.text


def test_a_trace_is_a_waterfall_with_its_rated_span_marked(browser):
    row = _rating(browser, "It ignored the date")
    page = browser.get(f"/traces/{row['TraceId']}").text
    for name in ("POST /chat", "retrieve documents", "chat gpt-4o-mini", "user_feedback thumbs"):
        assert name in page
    assert re.search(rf'class="span-row span-rated" id="span-{row["SpanId"]}"', page)
    assert "rated 58 s later" in page, "the carrier does not stretch the axis"
    link = re.search(rf'<a href="(/spans[^"]+{row["SpanId"]})"', page)[1].replace("&amp;", "&")
    assert "gen_ai.usage.input_tokens" in browser.get(link).text
    assert "gen_ai.usage.input_tokens" in browser.get(f"{link}&fragment=1").text
    assert "Session conversation-1009" in re.sub(r"<[^>]+>", "", page)


def test_a_trace_that_has_not_arrived_shows_its_ratings(browser):
    row = _rating(browser, "No trace of this one yet")
    page = browser.get(f"/traces/{row['TraceId']}")
    assert page.status_code == 200
    assert "the trace has not arrived yet" in page.text
    assert "No trace of this one yet." in page.text
    assert "1970" not in page.text


def test_a_user_page_holds_sessions_and_session_ratings(browser):
    page = browser.get("/users/maria").text
    assert "conversation-1009" in page
    assert "whole session" in page
    assert "Got there in the end." in page


def test_users_and_sessions_carry_their_ratings(browser):
    users = {row["UserId"]: row for row in _every(browser, "users")}
    assert (users["maria"]["Positive"], users["maria"]["Negative"]) == (2, 2)
    assert users["maria"]["Calls"] == 3
    sessions = {row["SessionId"]: row for row in _every(browser, "sessions")}
    session = sessions["conversation-1009"]
    assert (session["Ratings"], session["Positive"], session["Negative"], session["Calls"]) == (3, 2, 1, 3)
    assert session["TotalTokens"] == 412 + 57 + 498 + 22 + 640 + 48
    assert sessions["conversation-2044"]["Errors"] == 1


@pytest.mark.parametrize(
    ("rated", "column"), [("positive", "Positive"), ("negative", "Negative"), ("any rating", "Ratings")]
)
def test_sessions_filter_by_how_they_were_rated(browser, rated, column):
    rows = _every(browser, "sessions", rated=rated)
    everything = _every(browser, "sessions")
    assert {row["SessionId"] for row in rows} == {row["SessionId"] for row in everything if row[column]}
    assert rows


@pytest.mark.parametrize(
    "path", ["/nowhere", "/sessions/nope", "/users/nope", "/traces/nope", "/sessions/", "/static/no"]
)
def test_what_is_not_there_is_a_404_without_a_trace(browser, path):
    page = browser.get(path)
    assert page.status_code == 404
    assert "Traceback" not in page.text


def test_hostile_text_is_escaped_on_every_page(browser):
    row = next(row for row in _ratings(browser) if row["RaterId"] == HOSTILE_USER)
    pages = ["/", "/feedback", "/users", "/sessions", session_link(HOSTILE_SESSION), user_link(HOSTILE_USER)]
    for path in [*pages, f"/traces/{row['TraceId']}"]:
        page = browser.get(path)
        assert page.status_code == 200, path
        for raw in ("<script>doc", "<script>alert", "<img src=x", "<b>", "<i>reason", "\x1b", "\x00", "\u202e"):
            assert raw not in page.text, (path, raw)
    text = browser.get(session_link(HOSTILE_SESSION)).text
    assert "&lt;script&gt;document.title=" in text
    assert ">ESC</span>[31mred" in text
    assert "U+202E</span>gnp.exe" in text


@pytest.mark.parametrize(
    "path", ["/", "/feedback", "/nowhere", "/api/feedback", "/healthz", "/static/dashboard.css", "/feedback?range=x"]
)
def test_every_answer_carries_the_security_headers(browser, path):
    headers = browser.get(path).headers
    for name, value in SECURITY_HEADERS.items():
        if name != "Cache-Control":
            assert headers[name] == value, name
    assert headers["Cache-Control"] == ("no-cache" if path.startswith("/static") else "no-store")


def test_no_page_needs_anything_that_the_policy_forbids(browser):
    row = _rating(browser, "It ignored the date")
    for path in [*LISTS, "/sessions/conversation-1009", "/users/maria", f"/traces/{row['TraceId']}"]:
        page = browser.get(path).text
        assert " style=" not in page
        assert not re.search(r"<[^>]+ on\w+=", page)
        assert not re.findall(r'(?:src|href)="(?:https?:)?//', page)
        scripts = re.findall(r"<script[^>]*>", page)
        assert scripts
        assert all(re.fullmatch(r'<script src="/static/\w+\.js"( defer| type="module")?>', each) for each in scripts)
