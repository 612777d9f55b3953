"""``/``: how the answers were rated lately, what changed, for which models, prompts and services, and how ingest is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import anyio
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from otel_feedback.dashboard.kept_answers import Answer
from otel_feedback.dashboard.overview_choice import DAY_SECONDS, Choice
from otel_feedback.dashboard.overview_figures import (
    KINDS,
    MOST_GROUPS,
    ChartKind,
    changes_of,
    counts_of,
    named,
    response_rate,
    starts,
    step_word,
)
from otel_feedback.dashboard.questions import age_of
from otel_feedback.dashboard.satisfaction import LEAST_TO_COMPARE, share
from otel_feedback.dashboard.site import Site
from otel_feedback.errors import DatabaseError

NEWEST_COMMENTS: Final = 5
_RANGES: Final = {"24h": "24 hours", "7d": "7 days", "30d": "30 days", "90d": "90 days"}
_CHANGES: Final = "questions/satisfaction_changes"


@dataclass(frozen=True, slots=True)
class ShownChart:
    """A chart with the table of its numbers and its query."""

    kind: ChartKind
    is_empty: bool
    sql: str
    head: str
    rows: list[dict[str, Any]]
    not_drawn: int


def routes(site: Site) -> list[Route]:
    """The page."""

    async def overview(request: Request) -> Response:
        choice = Choice.parse(request.query_params)
        answers = await _ask(site, choice)
        rows = {name: answer.rows for name, answer in answers.items()}
        totals = rows["totals"][0]
        judged = int(totals["Satisfied"]) + int(totals["Dissatisfied"])
        return site.renderer.page(
            request,
            "overview.html",
            choice=choice,
            ranges=_RANGES,
            facets=rows["facets"][0],
            has_any=bool(rows["any"][0]["HasAny"]),
            totals=totals,
            satisfaction=share(int(totals["Satisfied"]), judged),
            response_rate=response_rate(KINDS["satisfaction_by_service"].own(rows["overview_satisfaction"])),
            changes=changes_of(rows["changes"]),
            changes_sql=site.questions.shown(_CHANGES, **choice.two_weeks),
            least_to_compare=LEAST_TO_COMPARE,
            charts=[
                _shown(site, kind, kind.own(rows[kind.asks]), choice)
                for kind in KINDS.values()
                if kind.part != "day" or choice.step_seconds == DAY_SECONDS
            ],
            step=step_word(choice),
            comments=rows["comments"],
            health=site.tell_health() if site.tell_health is not None else None,
            age_seconds=age_of(list(answers.values())),
        )

    return [Route("/", overview)]


async def _ask(site: Site, choice: Choice) -> dict[str, Answer]:
    """Everything at once, as many at a time as there are places."""
    answers: dict[str, Answer] = {}
    failures: list[DatabaseError] = []

    async def ask(key: str, query: str, parameters: dict[str, Any]) -> None:
        try:
            answers[key] = await site.questions.kept(query, **parameters)
        except DatabaseError as error:
            failures.append(error)  # raised below; a group would wrap it

    asked: dict[str, tuple[str, dict[str, Any]]] = {
        "any": ("has_anything", {}),
        "facets": ("call_facets", {}),
        "totals": ("overview_totals", choice.for_queries),
        "comments": ("overview_comments", {**choice.for_queries, "limit": NEWEST_COMMENTS}),
        "changes": (_CHANGES, choice.two_weeks),
    }
    asked |= {kind.asks: (kind.asks, kind.parameters(choice)) for kind in KINDS.values()}
    async with anyio.create_task_group() as group:
        for key, (query, parameters) in asked.items():
            group.start_soon(ask, key, query, parameters)
    if failures:
        raise failures[0]
    return answers


def _shown(site: Site, kind: ChartKind, rows: list[dict[str, Any]], choice: Choice) -> ShownChart:
    head = {"": f"{step_word(choice).capitalize()} (UTC)", "day": "Day (UTC)", "prompt": "Prompt version"}
    return ShownChart(
        kind,
        is_empty=not any(row["Ratings"] for row in rows),
        sql=site.questions.shown(kind.told_by, **kind.told_parameters(choice)),
        head=head.get(kind.part, kind.part.capitalize()),
        rows=_table(kind, rows, choice),
        not_drawn=max(0, len(rows) - MOST_GROUPS) if kind.specification == "satisfaction_by_group" else 0,
    )


def _table(kind: ChartKind, rows: list[dict[str, Any]], choice: Choice) -> list[dict[str, Any]]:
    if kind.part:
        shown = [{"name": named(row["Value"]), **row} for row in rows]
        return shown[::-1] if kind.part == "day" else shown
    by_start = {int(row["Start"]): row for row in rows}
    pattern = "%Y-%m-%d" if choice.step_seconds == DAY_SECONDS else "%Y-%m-%d %H:00"
    return [
        {"name": datetime.fromtimestamp(start, UTC).strftime(pattern), **counts_of(by_start.get(start, {}))}
        for start in reversed(starts(choice, rows))
    ]
