"""The Grafana dashboard of ratings: each panel's query is asked of the two weeks of the shop, on each engine."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any

import pytest
from tests.integration.clickhouse.conftest import empty
from tests.support.ratings_dashboard import FILE, PLUGIN, SERVICE, dashboard, panel_statements
from tests.support.segments import store
from tests.support.shop import FIRST_DAY, shop_request

from otel_feedback.clickhouse import statements
from otel_feedback.clickhouse.database import Database


@pytest.fixture(scope="module")
def shop(engine: Database) -> Iterator[Database]:
    empty(engine)
    store(engine, shop_request())
    yield engine
    empty(engine)


def ask(database: Database, sql: str, service: str = "") -> list[dict[str, Any]]:
    """As the plugin sends it: variables and macros filled."""
    filled = sql.replace(SERVICE, statements.literal(service))
    filled = filled.replace("$__fromTime", f"toDateTime('{FIRST_DAY} 00:00:00', 'UTC')")
    return [
        dict(row) for row in database.query(filled.replace("$__toTime", "toDateTime('2026-04-01 00:00:00', 'UTC')"))
    ]


def test_the_file_is_what_the_questions_make():
    if os.environ.get("OTEL_FEEDBACK_WRITE_GRAFANA"):
        FILE.write_text(json.dumps(dashboard(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    assert json.loads(FILE.read_text(encoding="utf-8")) == dashboard()


def test_panels_do_not_overlap_and_name_the_plugin():
    places = set()
    for panel in dashboard()["panels"]:
        assert panel["datasource"]["type"] == PLUGIN
        at = panel["gridPos"]
        own = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not own & places, panel["title"]
        assert at["x"] + at["w"] <= 24
        places |= own


@pytest.mark.parametrize("title", list(panel_statements()))
def test_each_panel_has_an_answer(shop: Database, title: str):
    sql = panel_statements()[title]
    rows = ask(shop, sql)
    if "now rates worse" not in title and "rated worse, or better" not in title:
        assert rows, title
    for service in ("shop-assistant", "nobody's"):
        found = ask(shop, sql, service)
        assert len(found) <= max(len(rows), 1)


def test_the_figures_at_the_top_are_those_of_the_ratings(shop: Database):
    (row,) = ask(shop, panel_statements()["Satisfaction"])
    assert (row["Ratings"], round(row["Satisfaction"], 2)) == (119, 0.61)
    assert 0 < row["ResponseRate"] < 1
    (nothing,) = ask(shop, panel_statements()["Satisfaction"], "nobody's")
    assert (nothing["Ratings"], nothing["Satisfaction"], nothing["ResponseRate"]) == (0, None, None)


def test_the_columns_that_panels_show_are_there(shop: Database):
    by_title = panel_statements()
    (days,) = [sql for title, sql in by_title.items() if "day by day" in title]
    assert {"Day", "Satisfaction", "Low", "High", "ResponseRate"} <= set(ask(shop, days)[0])
    (negatives,) = [sql for title, sql in by_title.items() if "reject" in title]
    assert {"TraceId", "Comment", "Prompt"} <= set(ask(shop, negatives)[0])
