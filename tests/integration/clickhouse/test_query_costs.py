"""What each question costs, in rows and bytes that ClickHouse reads, so that no plan rots unnoticed.

``tests/data/query_costs.json`` has what was measured. Where a change makes a query cheaper, or has to make it dearer,
measure anew, ``OTEL_FEEDBACK_WRITE_COSTS=1 pytest tests/integration/clickhouse/test_query_costs.py``, and look at what
that changed.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from tests.benchmarks.history import UNTIL, fill
from tests.benchmarks.history.asked import ASKED
from tests.integration.clickhouse.conftest import TABLES
from tests.support.clickhouse_server import ClickHouseServer
from tests.support.service import TRUST

from otel_feedback.clickhouse import questions, statements
from otel_feedback.clickhouse.connect import connect
from otel_feedback.clickhouse.migrate import migrate
from otel_feedback.dashboard.pages.feedback import FILTERS
from otel_feedback.settings import Settings

PINNED: Final = Path(__file__).parents[2] / "data" / "query_costs.json"
WRITES: Final = "OTEL_FEEDBACK_WRITE_COSTS" in os.environ
_DATABASE: Final = "costs"
_SPANS: Final = 200_000
_RATINGS: Final = 4_000
_NOW: Final = datetime.fromisoformat(UNTIL).replace(tzinfo=UTC)
_START: Final = _NOW - timedelta(days=30)
_MOST: Final = 1.2
"""Versions of ClickHouse differ by some blocks, and a LIMIT is reached sooner or later."""
_LEAST: Final = 0.7

_ANY: Final = {**dict.fromkeys(FILTERS, ""), "rated": "", "errors": ""}
_PERIOD: Final = {"since": int(_START.timestamp()) * 10**9, "until": int(_NOW.timestamp()) * 10**9}
_DAYS: Final = {"since": f"{_START:%Y-%m-%d %H:%M:%S}", "until": f"{_NOW:%Y-%m-%d %H:%M:%S}"}
_FIRST_PAGE: Final = {**_ANY, **_PERIOD, "before_time": 2**63 - 1, "before_id": "", "limit": 50}
_LAST_PAGE: Final = {**_FIRST_PAGE, "before_time": int((_START + timedelta(hours=20)).timestamp()) * 10**9}
_TEXTS: Final = {"text_characters": 1000, "messages_bytes": 1 << 20}

_PAGES: Final[Mapping[str, tuple[str, dict[str, Any]]]] = {
    "ratings, first page": ("feedback_list", _FIRST_PAGE),
    "ratings, last page": ("feedback_list", _LAST_PAGE),
    "negative ratings, first page": ("feedback_list", {**_FIRST_PAGE, "label": "negative", "name": "thumbs"}),
    "a rating among the negative ones": (
        "feedback_place",
        {**_ANY, **_PERIOD, "label": "negative", "at_time": _PERIOD["until"] - 10**15, "at_id": ""},
    ),
    "ratings of the last minute": ("feedback_tail", {**_FIRST_PAGE, "after": 2**62}),
    "sessions, first page": ("sessions_list", _FIRST_PAGE),
    "sessions, last page": ("sessions_list", _LAST_PAGE),
    "users, first page": ("users_list", _FIRST_PAGE),
    "overview, days and groups": ("overview_satisfaction", {**_ANY, "version": "", **_DAYS}),
    "one session": ("session_calls", {"session": "session-3000", "limit": 50, "offset": 0, **_TEXTS}),
}


@pytest.fixture(scope="module")
def server(clickhouse_server: ClickHouseServer) -> Iterator[ClickHouseServer]:
    """A server with 200,000 spans, a fifth of them LLM calls, and 4,000 ratings of these, in merged parts."""
    database = connect(f"{clickhouse_server.url.rpartition('/')[0]}/{_DATABASE}")
    migrate(database, Settings.load({}))
    fill(database, spans=_SPANS, ratings=_RATINGS)
    for table in TABLES:
        database.command(f"OPTIMIZE TABLE {table} FINAL")
    yield clickhouse_server
    database.command(f"DROP DATABASE {_DATABASE} SYNC")
    database.close()


def cost_of(server: ClickHouseServer, statement: str, parameters: Mapping[str, Any]) -> dict[str, int]:
    """What the server read to answer."""
    answer = httpx.post(
        server.http_url,
        content=statement.encode(),
        params={
            "database": _DATABASE,
            "wait_end_of_query": "1",
            "readonly": "2",
            "default_format": "Null",
            **{f"param_{name}": str(value) for name, value in parameters.items()},
        },
        headers=server.user,
        timeout=60,
        verify=TRUST,
    )
    assert answer.status_code == 200, answer.text
    summary = json.loads(answer.headers["X-ClickHouse-Summary"])
    return {"rows": int(summary["read_rows"]), "bytes": int(summary["read_bytes"])}


def every_query() -> dict[str, tuple[str, Mapping[str, Any]]]:
    asked: dict[str, tuple[str, Mapping[str, Any]]] = {
        f"report {name}": (question.statement, question.values(_given(name), _NOW))
        for name in questions.names()
        if (question := questions.load(name))
    }
    asked |= {name: (statements.load(f"queries/{file}.sql"), given) for name, (file, given) in _PAGES.items()}
    return asked | {name: (statement, {}) for name, statement in ASKED.items()}


def _given(question: str) -> dict[str, str]:
    return {each.name: each.example.strip("'") for each in questions.load(question).parameters if each.default is None}


@pytest.mark.parametrize("name", every_query())
def test_a_query_reads_what_it_always_read(server: ClickHouseServer, name: str):
    statement, parameters = every_query()[name]
    measured = cost_of(server, statement, parameters)
    pinned: dict[str, dict[str, int]] = json.loads(PINNED.read_text()) if PINNED.exists() else {}
    if WRITES:
        PINNED.write_text(json.dumps(dict(sorted({**pinned, name: measured}.items())), indent=1) + "\n")
        return
    for what, amount in pinned[name].items():
        assert amount * _LEAST <= measured[what] <= amount * _MOST, (
            f"{name}: {measured[what]} {what}, pinned are {amount}"
        )


def test_every_pinned_cost_is_of_a_query():
    assert sorted(json.loads(PINNED.read_text())) == sorted(every_query())


@pytest.mark.parametrize("pages", ["ratings", "sessions"])
def test_the_last_page_costs_what_the_first_does(server: ClickHouseServer, pages: str):
    first, last = (cost_of(server, *every_query()[f"{pages}, {which} page"]) for which in ("first", "last"))
    assert last["rows"] <= first["rows"] * 1.05
    assert last["bytes"] <= first["bytes"] * 1.05
