"""docs/sql.md shows the query files as they are; every command prints what it shows, and every query runs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.clickhouse_server import own_clickhouse
from tests.support.cookbook import BLOCK, COOKBOOK, Shell, queries_for_grafana, render
from tests.support.shop import fill_with_shop

from otel_feedback.clickhouse import questions
from otel_feedback.clickhouse.connect import connect

DOCUMENT = COOKBOOK.read_text()
QUERIES = queries_for_grafana(DOCUMENT)


@pytest.fixture(scope="module", params=["embedded", "a server"])
def shell(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """A shell over a database that holds the shop's two weeks."""
    folder = tmp_path_factory.mktemp("cookbook")
    data_dir = folder / "data"
    if request.param == "embedded":
        database = connect(f"chdb://{data_dir / 'clickhouse'}")
        fill_with_shop(database)
        database.close()
        yield Shell(data_dir)
    else:
        with own_clickhouse(folder) as server:
            database = connect(server.url)
            fill_with_shop(database)
            database.close()
            yield Shell(data_dir, {"OTEL_FEEDBACK_DATABASE_URL": server.url})


def test_every_file_stands_in_it_and_every_command_prints_what_it_shows(shell: Shell):
    assert render(DOCUMENT, shell) == DOCUMENT, "the document is behind; run `make cookbook`"


@pytest.mark.parametrize("query", QUERIES, ids=range(len(QUERIES)))
def test_every_query_for_grafana_has_an_answer(shell: Shell, query: str):
    rows = shell("otel-feedback sql - --format JSONEachRow", query).splitlines()
    assert rows
    assert all(json.loads(row) for row in rows)


def test_it_answers_every_question_once():
    shown = [block["question"] for block in BLOCK.finditer(DOCUMENT) if block["question"]]
    assert sorted(shown) == list(questions.names())
    for name in shown:
        assert re.search(rf"^otel-feedback report {name} ", DOCUMENT, re.MULTILINE), name


def test_its_links_lead_somewhere():
    headings = re.findall(r"^#+ (.+)$", DOCUMENT, re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}
    for target in re.findall(r"\]\(([^)]+)\)", DOCUMENT):
        if target.startswith("#"):
            assert target[1:] in anchors, target
        elif not target.startswith("https://"):
            assert Path(COOKBOOK.parent / target).exists(), target
