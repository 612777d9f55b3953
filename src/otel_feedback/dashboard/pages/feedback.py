"""``/feedback``: every current rating, newest first, each one click away from the answer that it judges."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from otel_feedback.dashboard.cursor import Cursor, Page, cut_page
from otel_feedback.dashboard.filters import STATES, FilterError, Period, parse_period, parse_text
from otel_feedback.dashboard.listing import list_parameters
from otel_feedback.dashboard.shown_text import fitting_length
from otel_feedback.dashboard.site import Site

PAGE_SIZE: Final = 50
FILTERS: Final = ("name", "label", "model", "service", "version", "user", "session", "source", "text", "state")
PERIOD_FILTERS: Final = ("range", "from", "to")
TAIL_OVERLAP_SECONDS: Final = 15
"""A rating is stamped when it is stored and seen when that is done, so one may come after others with a later stamp."""
_TEXT_BYTES: Final = 32_000
_SECOND: Final = 1_000_000_000


async def list_feedback(site: Site, request: Request) -> Page:
    """The page of ratings that the query string asks for; with each its call's model and an excerpt of its text.

    Raises:
        FilterError: a filter makes no sense.
        CursorError: the cursor was not made here.
    """
    chosen = parse_text(request.query_params, FILTERS)
    period = parse_period(request.query_params)
    cursor = Cursor.parse(request.query_params.get("cursor", ""))
    rows = await _ask(site, chosen, period, cursor, PAGE_SIZE + 1)
    page = cut_page(rows, PAGE_SIZE, "TimeUnixNano", "FeedbackId")
    await _add_answers(site, page.rows)
    return page


async def list_ratings_of_user(site: Site, user_id: str, limit: int) -> list[dict[str, Any]]:
    """The newest ratings that a user gave, or that were given to the user's calls and sessions."""
    chosen = {**dict.fromkeys(FILTERS, ""), "user": user_id}
    return await _ask(site, chosen, parse_period({}), Cursor(), limit)


def chosen_filters(query: Mapping[str, str]) -> dict[str, str]:
    """The filters of a link that are set, to make other links of the same view with."""
    return {name: query[name] for name in (*FILTERS, *PERIOD_FILTERS) if query.get(name)}


def routes(site: Site) -> list[Route]:
    """The page, its JSON, and what has come since."""

    async def feedback(request: Request) -> Response:
        now = time.time_ns()
        page = await list_feedback(site, request)
        facets = (await site.questions.kept("feedback_facets")).rows[0]
        query = {name: request.query_params.get(name, "") for name in (*FILTERS, *PERIOD_FILTERS, "cursor", "live")}
        filters = chosen_filters(request.query_params)
        return site.renderer.page(
            request,
            "feedback.html",
            page=page,
            facets=facets,
            states=STATES,
            period=parse_period(request.query_params),
            query=query,
            filters=filters,
            text_length=_text_length(page.rows),
            asked_unix_nano=now,
            sql=site.questions.shown(
                "feedback_list",
                **list_parameters(request.query_params, parse_text(request.query_params, FILTERS), PAGE_SIZE),
            ),
            is_filtered=bool(filters.keys() - {"range"} or query["cursor"] or query["range"] not in {"", "all"}),
        )

    async def feedback_json(request: Request) -> Response:
        page = await list_feedback(site, request)
        return JSONResponse({"rows": page.rows, "next_cursor": page.next_cursor})

    async def feedback_tail(request: Request) -> Response:
        after = _after(request.query_params.get("after", ""))
        now = time.time_ns()
        rows = await site.questions.rows(
            "feedback_tail",
            **parse_text(request.query_params, FILTERS),
            **parse_period(request.query_params).parameters,
            after=after - TAIL_OVERLAP_SECONDS * _SECOND,
            limit=PAGE_SIZE,
        )
        await _add_answers(site, rows)
        html = site.renderer.fragment(
            "feedback_rows.html",
            rows=rows,
            filters=chosen_filters(request.query_params),
            text_length=_text_length(rows),
        )
        return JSONResponse({"after": str(now), "html": html})

    return [
        Route("/feedback", feedback),
        Route("/api/feedback", feedback_json),
        Route("/api/feedback/tail", feedback_tail),
    ]


def _after(text: str) -> int:
    """A moment in Unix nanoseconds; as text, since JavaScript's numbers don't hold it."""
    if not (text.isascii() and text.isdigit() and int(text) < 2**63):
        raise FilterError(f"after={text[:40]!r} is no moment in Unix nanoseconds")
    return max(int(text), TAIL_OVERLAP_SECONDS * _SECOND)


def _text_length(ratings: list[dict[str, Any]]) -> int:
    texts = [rating[column] for rating in ratings for column in ("Comment", "Correction", "Prompt", "Completion")]
    return min(fitting_length(texts, _TEXT_BYTES), 600)


async def _ask(
    site: Site, chosen: Mapping[str, str], period: Period, cursor: Cursor, limit: int
) -> list[dict[str, Any]]:
    return await site.questions.rows(
        "feedback_list",
        **chosen,
        **period.parameters,
        before_time=cursor.time_unix_nano,
        before_id=cursor.row_id,
        limit=limit,
    )


async def _add_answers(site: Site, ratings: list[dict[str, Any]]) -> None:
    """Prompts are wide, so they are read for the shown rows alone."""
    answers: dict[tuple[str, str], dict[str, Any]] = {}
    trace_ids = _distinct(rating["TraceId"] for rating in ratings)
    if trace_ids:
        rows = await site.questions.rows(
            "feedback_answers",
            trace_ids=trace_ids,
            span_ids=_distinct(rating["SpanId"] for rating in ratings),
            whole_trace_ids=_distinct(rating["TraceId"] for rating in ratings if rating["Scope"] == "trace"),
        )
        answers = {(row["TraceId"], row["SpanId"]): row for row in rows}
        answers |= {(row["TraceId"], ""): row for row in rows if row["IsFinal"]}
    for rating in ratings:
        answer = answers.get((rating["TraceId"], rating["SpanId"]), {})
        rating["AnswerSpanId"] = answer.get("SpanId", rating["SpanId"])
        for column in ("Model", "ErrorType", "Prompt", "Completion"):
            rating[column] = answer.get(column, "")
        for column in ("PromptLength", "CompletionLength"):
            rating[column] = answer.get(column, 0)


def _distinct(ids: Iterable[str]) -> list[str]:
    return sorted(set(ids) - {""})
