"""The overview's figures and charts, the queries behind everything, and lists as files, over a real embedded engine."""

import csv
import html
import io
import json
import re

import httpx
import pytest
from tests.support.dashboard.process import API_TOKEN
from tests.support.dashboard.sample import FORMULA, HOSTILE_USER

from otel_feedback.dashboard.overview_figures import KINDS

BEARER = {"Authorization": f"Bearer {API_TOKEN}"}
SECTION = re.compile(r'<section class="card" aria-labelledby="(\w+)-heading">(.*?)</section>', re.DOTALL)
QUERY = re.compile(r'aria-label="SQL"><code>(.*?)</code>', re.DOTALL)
CELL = re.compile(r"<t[hd][^>]*>(.*?)</t[hd]>", re.DOTALL)


def _sql(browser, query):
    answer = browser.post("/api/sql", json={"query": query}, headers=BEARER)
    assert answer.status_code == 200, answer.text
    return [json.loads(line) for line in answer.text.splitlines()]


def _queries(page):
    return [html.unescape(each) for each in QUERY.findall(page)]


def _table(section):
    body = re.search(r"<tbody[^>]*>(.*?)</tbody>", section, re.DOTALL)[1]
    return [
        [html.unescape(re.sub(r"<[^>]+>", "", cell)).strip() for cell in CELL.findall(row)]
        for row in re.findall(r"<tr[^>]*>(.*?)</tr>", body, re.DOTALL)
    ]


def _rows(browser, collection, **filters):
    rows, cursor = [], ""
    while True:
        answer = browser.get(f"/api/{collection}", params={**filters, "cursor": cursor}).json()
        rows += answer["rows"]
        if not (cursor := answer["next_cursor"]):
            return rows


@pytest.mark.parametrize(
    ("path", "queries"),
    [
        ("/", 6),
        ("/?range=24h&model=gpt-4o-mini-2026-05-01", 5),
        ("/feedback?user=tariq&text=l%27i%5C%27st", 0),
        ("/feedback?label=negative", 1),
        ("/users?text=MARIA", 1),
        ("/users/maria", 1),
        ("/sessions?rated=negative&service=shop-assistant&model=gpt-4o-mini-2026-05-01", 1),
    ],
)
def test_every_query_that_a_page_shows_can_be_pasted(browser, path, queries):
    page = browser.get(path)
    assert page.status_code == 200
    shown = _queries(page.text)
    assert len(shown) == queries
    for query in shown:
        assert re.match(r"-- [A-Z].*\?\n(SELECT|WITH)", query)
        _sql(browser, query)


@pytest.mark.parametrize("filters", ["", "&service=shop-assistant&model=gpt-4o-mini-2026-05-01"])
def test_a_charts_table_says_what_its_query_answers(browser, filters):
    page = browser.get(f"/?range=30d{filters}").text
    sections = {name: section for name, section in SECTION.findall(page) if name in KINDS}
    assert sorted(sections) == sorted(KINDS)
    for name, section in sections.items():
        told, rows = _table(section), _sql(browser, _queries(section)[0])
        if name == "ratings_over_time":
            totals = [sum(int(cell) for cell in column) for column in list(zip(*told, strict=True))[1:]]
            known = [sum(int(row[label]) for row in rows) for label in ("Positive", "Neutral", "Negative")]
            assert totals == [*known, sum(int(row["Ratings"]) for row in rows) - sum(known)]
            continue
        if name == "satisfaction_over_time":
            rows.reverse()
        assert [(row[3], row[4], row[5].partition(" (")[0]) for row in told] == [
            (str(row["Positive"]), str(row["Negative"]), f"{row['RatedCalls']} of {row['Calls']}") for row in rows
        ]
        assert sum(int(row["Positive"]) for row in rows) > 0


def test_a_filter_narrows_the_overview(browser):
    def figure(page):
        return int(re.search(r'<dt>Ratings</dt><dd class="big">(\d+)<', page)[1])

    everything = figure(browser.get("/?range=30d").text)
    in_service = figure(browser.get("/?range=30d&service=help-centre").text)
    with_model = figure(browser.get("/?range=30d&model=mistral-small-2026-05-01").text)
    assert everything == in_service + figure(browser.get("/?range=30d&service=shop-assistant").text)
    assert 0 <= with_model < everything
    assert in_service == len(_rows(browser, "feedback", service="help-centre"))


def test_two_weeks_with_few_ratings_are_not_compared(browser):
    page = browser.get("/?service=help-centre").text
    assert "Nothing can be said: each of the two weeks needs 10" in page


@pytest.mark.parametrize("name", KINDS)
def test_a_chart_is_a_picture_of_its_own(browser, name):
    light = browser.get(f"/charts/{name}.svg?range=30d")
    assert light.status_code == 200
    assert light.headers["Content-Type"] == "image/svg+xml"
    assert light.text.startswith("<svg ")
    assert "<script" not in light.text
    dark = browser.get(f"/charts/{name}.svg?range=30d&scheme=dark&width=phone").text
    width = {each: float(re.search(r'width="([\d.]+)"', each)[1]) for each in (light.text, dark)}
    assert 440 < width[light.text] < 520
    assert 300 < width[dark] < 350
    assert browser.get(f"/charts/{name}.svg?range=30d").text == light.text
    if name == "satisfaction_by_model":
        assert "gpt-4o-mini-2026-05-01" in light.text


def test_a_chart_can_be_saved(browser):
    saved = browser.get("/charts/satisfaction_by_model.png?range=30d&download=1")
    assert saved.content.startswith(b"\x89PNG")
    assert re.fullmatch(
        r'attachment; filename="satisfaction_by_model-30d-\d{4}-\d\d-\d\d\.png"', saved.headers["Content-Disposition"]
    )


@pytest.mark.parametrize(
    ("path", "status"),
    [("nothing.svg", 404), ("satisfaction_by_model.gif", 404), ("satisfaction_by_model.svg?scheme=red", 400)],
)
def test_a_chart_that_is_none_is_refused_in_words(browser, path, status):
    assert browser.get(f"/charts/{path}").status_code == status


def test_sessions_are_narrowed_by_service_model_and_errors(browser):
    everything = _rows(browser, "sessions")
    failed = _rows(browser, "sessions", errors="only")
    assert {row["SessionId"] for row in failed} == {row["SessionId"] for row in everything if row["Errors"]}
    assert failed
    in_service = {row["SessionId"] for row in _rows(browser, "sessions", service="help-centre")}
    assert in_service == {"conversation-41", "conversation-43"}
    assert [row["SessionId"] for row in _rows(browser, "sessions", model="gpt-4o-2026-05-01", user="wen")] == [
        "conversation-0077"
    ]
    assert browser.get("/sessions?errors=some").status_code == 400


@pytest.mark.parametrize(
    ("rated", "matches"),
    [
        ("negative", lambda row: row["Negative"] > 0),
        ("any rating", lambda row: row["Ratings"] > 0),
        ("not rated", lambda row: row["Ratings"] == 0),
    ],
)
def test_users_are_narrowed_by_how_they_rated(browser, rated, matches):
    everything = _rows(browser, "users")
    assert {row["UserId"] for row in _rows(browser, "users", rated=rated)} == {
        row["UserId"] for row in everything if matches(row)
    }


@pytest.mark.parametrize(
    ("collection", "row_id", "filters"),
    [
        ("feedback", "FeedbackId", {"label": "positive", "range": "30d"}),
        ("sessions", "SessionId", {"rated": "any rating"}),
        ("users", "UserId", {}),
    ],
)
def test_a_file_holds_every_row_that_the_filters_choose(browser, collection, row_id, filters):
    rows = _rows(browser, collection, **filters)
    assert len(rows) > 10
    sheet = browser.get(f"/{collection}.csv", params=filters)
    assert sheet.headers["Content-Type"] == "text/csv; charset=utf-8"
    told = list(csv.DictReader(io.StringIO(sheet.content.decode("utf-8"))))
    lines = browser.get(f"/{collection}.jsonl", params=filters)
    objects = [json.loads(line) for line in lines.text.splitlines()]
    assert [row[row_id] for row in objects] == [row[row_id] for row in rows]
    assert [row[row_id].removeprefix("'") for row in told] == [row[row_id] for row in rows]
    assert list(objects[0]) == list(told[0])
    time_column = "Time" if collection == "feedback" else "LastTime"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z", told[0][time_column])
    words = "".join(f"-{value.replace(' ', '-')}" for value in filters.values())
    assert re.fullmatch(
        rf'attachment; filename="{collection}{words}-\d{{4}}-\d\d-\d\d\.csv"', sheet.headers["Content-Disposition"]
    )


def test_a_cell_that_a_spreadsheet_would_run_is_defused_and_json_is_not_touched(browser):
    told = list(csv.DictReader(io.StringIO(browser.get("/feedback.csv").text)))
    assert f"'{FORMULA}" in {row["Comment"] for row in told}
    assert HOSTILE_USER in {row["RaterId"] for row in told}
    for row in told:
        assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in row.values())
    objects = [json.loads(line) for line in browser.get("/feedback.jsonl").text.splitlines()]
    assert FORMULA in {row["Comment"] for row in objects}


def test_a_file_of_nothing_has_its_head_and_a_bad_filter_is_told_before_it(browser, empty_dashboard):
    assert httpx.get(f"{empty_dashboard.url}/users.csv").text.startswith("UserId,FirstTime,LastTime,Sessions,")
    assert httpx.get(f"{empty_dashboard.url}/users.jsonl").text == ""
    assert browser.get("/feedback.csv?range=1y").status_code == 400


def test_without_a_receiver_nothing_is_said_of_ingest(browser):
    assert "Ingest" not in browser.get("/").text
