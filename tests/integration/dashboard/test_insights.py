"""The Insights page: over what the real commands stored, over nothing, and over what others and strangers wrote."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import httpx
import pytest
from tests.support.axe import axe_source, violations
from tests.support.browser import launch_browser
from tests.support.commands import otel_feedback
from tests.support.dashboard.html import mistakes_in
from tests.support.dashboard.running import Dashboard
from tests.support.scripted_model import says, scripted_model
from tests.support.service import running_service
from tests.support.shop import fill_with_shop

from otel_feedback.clickhouse.connect import connect

SINCE: Final = ("--since", "2026-03-01")
HOSTILE: Final = "<script>alert(1)</script>\u202e\x1b[31m"
DRAFT: Final = {
    "problems": [{"problem": f"It guesses {HOSTILE}", "examples": [1, 2]}],
    "instructions": f"Look the order up first. {HOSTILE}",
    "changes": ["looks orders up"],
}
STORED: Final[dict[str, Any]] = {
    "nothing told": ("contrast", "{}"),
    "no JSON": ("experiment", '{"arms": '),
    "other types": (
        "contrast",
        json.dumps({"cases": "many", "filter": [], "compared": {}, "people": 1e400}),
    ),
    "figures of another kind": ("evaluator", json.dumps({"refused": 5, "leads": {"latency": [1, "a", None]}})),
    "hostile": ("proposal", json.dumps({"model": HOSTILE, "draft": HOSTILE, "examples": [3, {"trace_id": HOSTILE}]})),
    "of another version": ("horoscope", json.dumps({"stars": 5})),
}
FINDINGS: Final = [
    {"dimension": HOSTILE, "value": HOSTILE * 50, "difference": 0.5, "low": 0.1, "high": 0.9, "examples": [{}, 7]},
    {"dimension": "model", "value": "a", "difference": float("nan"), "low": None, "q": "low"},
    ["no object"],
]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    data_dir = tmp_path_factory.mktemp("insights") / "data"
    database = connect(f"chdb://{data_dir / 'clickhouse'}")
    fill_with_shop(database)
    for name, (kind, detail) in STORED.items():
        rows = [(0, detail), *((number, json.dumps(each)) for number, each in enumerate(FINDINGS, 1))]
        for position, text in rows:
            values = {"run": name, "kind": kind, "position": position, "detail": text, "value": HOSTILE}
            database.command(
                "INSERT INTO insight_findings (Run, Time, Kind, Position, Dimension, Value, Detail) "
                "SELECT {run:String}, now() - 86400, {kind:String}, {position:UInt32}, {value:String}, {value:String}, "
                "{detail:String}",
                values,
            )
    database.close()
    with scripted_model(lambda _: says(json.dumps(DRAFT))) as model:
        for arguments in (
            ("contrast", *SINCE),
            ("experiment", "--prompt", "shop-assistant", *SINCE),
            ("experiment", "history", "--prompt", "shop-assistant", *SINCE),
            ("experiment", "propose", "--prompt", "shop-assistant", "--version", "v1", "--model", "m", *SINCE),
            ("evaluator", "train", "--out", str(data_dir.parent / "judge"), "--as", "shop", *SINCE),
            ("export", "--format", "kto", "--out", str(data_dir.parent / "kto-march"), "--pii", "mask", *SINCE),
        ):
            done = otel_feedback(data_dir, *arguments, environment={"OPENAI_BASE_URL": model.base_url})
            assert (done.returncode, done.stderr) == (0, "")
    with (
        running_service(data_dir, {"OTEL_FEEDBACK_RETENTION": "0d", "OTEL_FEEDBACK_RETENTION_RATED": "0d"}) as service,
        httpx.Client(base_url=service.dashboard, timeout=30) as client,
    ):
        yield client


def runs(site: httpx.Client) -> dict[str, str]:
    """The pages of the listed runs, by what they are called; the newest of a name."""
    listed = re.findall(r'<li><a href="(/insights\?run=[^"]+)"[^>]*><bdi>(.*?)</bdi>', site.get("/insights").text)
    return {html.unescape(title): html.unescape(link) for link, title in reversed(listed)}


def test_a_contrast_shows_what_differs_with_intervals_and_leads_to_conversations(site: httpx.Client):
    page = site.get(runs(site)["What sets disliked answers apart"]).text
    assert "46 negative and 73 positive calls, of 19 people" in page
    assert "prompt version</bdi></span> <bdi>v1</bdi>" in page
    assert "<strong>+49</strong> (+32 to +62)" in page
    links = {html.unescape(each) for each in re.findall(r'href="(/sessions/[^"]+)"', page)}
    assert links
    assert all(site.get(each).status_code == 200 for each in links)


@pytest.mark.parametrize(("scheme", "width"), [("", ""), ("dark", "phone")])
def test_its_chart_is_drawn(site: httpx.Client, scheme: str, width: str):
    page = site.get(runs(site)["What sets disliked answers apart"]).text
    source = re.findall(r'<img src="([^"]+)"', page)[0]
    answer = site.get(source, params={"scheme": scheme, "width": width})
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/svg+xml")
    assert "prompt version: v1" in answer.text
    assert site.get(source.replace(".svg", ".png")).content.startswith(b"\x89PNG")


def test_an_experiment_says_in_words_what_came_of_it(site: httpx.Client):
    page = site.get(runs(site)["Which prompt version of shop-assistant is better"]).text
    assert "v2 looks better than v1 if this is the only look" in page
    assert "<strong>+49</strong> (+32 to +62)" in page
    assert "pairs of people" in page
    assert (
        "v2</bdi> beside <bdi>v1"
        in site.get(runs(site)["The versions of shop-assistant, each beside the one before"]).text
    )


def test_a_draft_shows_what_it_would_change_and_what_it_rests_on(site: httpx.Client):
    page = site.get(runs(site)["A draft to follow v1 of shop-assistant"]).text
    assert "+Look the order up first." in page
    assert "nothing was applied" in page
    assert re.search(r"It guesses .*&lt;script&gt;", page)
    assert re.findall(r'<a href="/sessions/[^"]+">1</a>', page)


def test_an_evaluator_shows_its_figures_and_why_it_is_not_promoted(site: httpx.Client):
    (title,) = [each for each in runs(site) if each.startswith("Evaluator shop, version ")]
    page = site.get(runs(site)[title]).text
    assert "119 rated calls, 46 of them negative, in 19 groups of <bdi>people and conversations" in page
    assert re.search(r"Not promoted</strong>: <bdi>19 people or conversations", page)
    assert re.search(r"<dt>ROC AUC \(0.5 is a coin\)</dt><dd><strong>0\.\d\d</strong> \(0\.\d\d to [01]\.\d\d\)", page)
    assert page.count("ROC AUC ahead of") == 3
    assert "Over time</h3>" in page


def test_a_data_set_shows_what_is_in_it_and_what_is_not(site: httpx.Client):
    page = site.get(runs(site)["Data set kto-march, as kto"]).text
    assert re.search(r"\d+ train, \d+ validation, \d+ test rows, of 119 rated calls with 119 ratings", page)
    assert "not asked for</dd>" in page
    assert re.search(r"<bdi>data/train.jsonl</bdi>.*?<bdi>[0-9a-f]{64}</bdi>", page, re.DOTALL)
    assert "otel-feedback export verify DIR" in page


def test_it_says_what_to_do_next(tmp_path_factory: pytest.TempPathFactory):
    data_dir = tmp_path_factory.mktemp("next") / "data"
    database = connect(f"chdb://{data_dir / 'clickhouse'}")
    fill_with_shop(database, datetime.now(UTC).date() - timedelta(days=14))
    database.close()
    with running_service(data_dir) as service:
        page = httpx.get(f"{service.dashboard}/insights", timeout=30).text
        steps = html.unescape(page.partition("What to do next")[2].partition("</ol>")[0])
        assert "51 disliked answers of the last 30 days have no review of yours" in steps
        assert "otel-feedback contrast --since 30d" in steps
        assert "v1 and v2 of shop-assistant have enough ratings to be compared." in steps
        assert mistakes_in(page) == []
        (link,) = re.findall(r'href="(/feedback[^"]+)"', steps)
        assert httpx.get(f"{service.dashboard}{link}", timeout=30).text.count("data-rating") >= 50


@pytest.mark.parametrize("name", STORED)
def test_what_others_wrote_breaks_no_page(site: httpx.Client, name: str):
    answer = site.get("/insights", params={"run": name})
    assert answer.status_code == 200
    assert "<script>alert" not in answer.text
    assert "\u202e" not in answer.text
    assert mistakes_in(answer.text) == []
    if STORED[name][0] == "horoscope" or name in {"nothing told", "no JSON"}:
        assert "This page can't show what this run stored" in answer.text


def test_every_listed_page_is_sound_and_small(site: httpx.Client):
    pages = runs(site)
    assert len(pages) >= 4
    for link in pages.values():
        answer = site.get(link)
        assert answer.status_code == 200
        assert mistakes_in(answer.text) == []
        assert len(answer.content) < 150_000


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
def test_in_a_browser_it_is_quiet_fits_and_is_accessible(site: httpx.Client, scheme: Any, width: int):
    with launch_browser() as browser:
        page = browser.new_page(color_scheme=scheme, viewport={"width": width, "height": 844})
        said: list[str] = []
        page.on("console", lambda message: said.append(message.text))
        for link in runs(site).values():
            page.goto(f"{str(site.base_url).rstrip('/')}{link}")
            page.wait_for_load_state("networkidle")
            assert violations(page, axe_source()) == [], link
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), link
    assert said == []


def test_what_is_not_there_is_told(site: httpx.Client):
    assert site.get("/insights?run=gone").status_code == 404
    assert site.get("/insights/gone.svg").status_code == 404
    assert site.get("/insights/nothing%20told.gif").status_code == 404


def test_before_anything_was_looked_for_the_page_says_how(empty_dashboard: Dashboard):
    page = httpx.get(f"{empty_dashboard.url}/insights")
    assert page.status_code == 200
    assert "otel-feedback contrast" in page.text
    assert mistakes_in(page.text) == []
