"""``/traces/{trace_id}``: what happened behind an answer, as a waterfall; ``/spans``, ``/logs``: all that is on one."""

from __future__ import annotations

from typing import Any, Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from otel_feedback.dashboard.filters import FilterError
from otel_feedback.dashboard.links import trace_link
from otel_feedback.dashboard.pages.texts import show
from otel_feedback.dashboard.shown_text import fitting_length
from otel_feedback.dashboard.site import Site
from otel_feedback.dashboard.waterfall import Bar, lay_out

MOST_SPANS: Final = 1000
SPANS_A_PAGE: Final = 60
MOST_LOGS: Final = 60
MOST_RATINGS: Final = 20
MOST_BADGES: Final = 3
"""Of the ratings of one span, in its row; all of them are on the span."""
TEXT_CHARACTERS: Final = 1200
_RATINGS_BYTES: Final = 20_000
_DETAIL_BYTES: Final = 25_000


def routes(site: Site) -> list[Route]:
    """The page, and what it loads when a row is opened."""

    async def trace(request: Request) -> Response:
        return await _show_trace(site, request)

    async def span(request: Request) -> Response:
        trace_id, span_id = (request.query_params.get(name, "") for name in ("trace", "span"))
        spans = await site.questions.rows("span_details", trace=trace_id, span=span_id, text_characters=TEXT_CHARACTERS)
        if not spans:
            raise HTTPException(404, "This span is not stored. It may not have arrived yet, or has expired.")
        ratings = await site.questions.rows("traces_ratings", traces=[trace_id], limit=1000)
        of_span = [each for each in ratings if each["Scope"] == "span" and each["SpanId"] == span_id]
        return show(
            site,
            request,
            "span.html",
            "span_details.html",
            trace_id=trace_id,
            span_id=span_id,
            spans=spans,
            ratings=of_span[:MOST_RATINGS],
            rating_length=fitting_length(_words_of(of_span[:MOST_RATINGS]), _RATINGS_BYTES),
            text_length=min(fitting_length(_texts_of(spans), _DETAIL_BYTES), 300),
        )

    async def logs(request: Request) -> Response:
        trace_id, time = request.query_params.get("trace", ""), request.query_params.get("time", "")
        if not (time.isascii() and time.isdigit() and int(time) < 2**63):
            raise FilterError(f"time={time[:40]!r} is no moment in Unix nanoseconds")
        found = await site.questions.rows(
            "log_details", trace=trace_id, time=int(time), text_characters=TEXT_CHARACTERS
        )
        if not found:
            raise HTTPException(404, "No log record of this trace at this moment is stored. It may have expired.")
        texts = [text for log in found for text in (log["Body"], *(each["Text"] for each in log["LogAttributes"]))]
        return show(
            site,
            request,
            "log.html",
            "log_details.html",
            trace_id=trace_id,
            time=int(time),
            logs=found,
            text_length=min(fitting_length(texts, _DETAIL_BYTES), 300),
        )

    return [Route("/traces/{trace_id:path}", trace), Route("/spans", span), Route("/logs", logs)]


async def _show_trace(site: Site, request: Request) -> Response:
    trace_id = request.path_params["trace_id"] or request.query_params.get("id", "")
    spans = await site.questions.rows("trace_spans", trace=trace_id, limit=MOST_SPANS + 1)
    ratings = await site.questions.rows("traces_ratings", traces=[trace_id], limit=1000)
    if not spans and not ratings:
        raise HTTPException(404, "No span of this trace is stored. It may not have arrived yet, or has expired.")
    logs = await site.questions.rows("trace_logs", trace=trace_id, limit=MOST_LOGS + 1)
    session = await site.questions.row("trace_session", trace=trace_id)
    waterfall = lay_out(spans[:MOST_SPANS], ratings)
    page_count = max(1, -(-len(waterfall.bars) // SPANS_A_PAGE))
    page_number = _page_number(request, waterfall.bars, page_count)
    shown_spans = {bar.span["SpanId"] for bar in waterfall.bars}
    of_trace = [each for each in ratings if each["Scope"] != "span" or each["SpanId"] not in shown_spans]
    path_here, _, query = trace_link(trace_id).partition("?")
    return site.renderer.page(
        request,
        "trace.html",
        trace_id=trace_id,
        session_id=session.get("SessionId", ""),
        waterfall=waterfall,
        bars=waterfall.bars[(page_number - 1) * SPANS_A_PAGE : page_number * SPANS_A_PAGE],
        is_cut=len(spans) > MOST_SPANS,
        ratings=ratings,
        trace_ratings=of_trace[:MOST_RATINGS],
        trace_ratings_left_out=len(of_trace[MOST_RATINGS:]),
        rating_length=fitting_length(_words_of(of_trace[:MOST_RATINGS]), _RATINGS_BYTES),
        most_badges=MOST_BADGES,
        logs=logs[:MOST_LOGS],
        has_more_logs=len(logs) > MOST_LOGS,
        page_number=page_number,
        page_count=page_count,
        path_here=path_here,
        base_query={"id": trace_id} if query else {},
        wanted_span=request.query_params.get("span", ""),
    )


def _page_number(request: Request, bars: list[Bar], page_count: int) -> int:
    """The part of a long waterfall to show: ``page``, or the one that holds the span ``span``."""
    wanted = request.query_params.get("span", "")
    if wanted:
        places = (place for place, bar in enumerate(bars) if bar.span["SpanId"] == wanted)
        return next(places, 0) // SPANS_A_PAGE + 1
    text = request.query_params.get("page", "1")
    if not (text.isascii() and text.isdigit() and len(text) < 9 and int(text) > 0):
        raise FilterError(f"page={text[:40]!r} is not a number from 1")
    return min(int(text), page_count)


def _words_of(ratings: list[dict[str, Any]]) -> list[str]:
    return [text for each in ratings for text in (each["Comment"], each["Correction"], *each["Reasons"])]


def _texts_of(spans: list[dict[str, Any]]) -> list[str]:
    tables = [
        attributes
        for span in spans
        for attributes in (
            span["SpanAttributes"],
            span["ResourceAttributes"],
            *(each["Attributes"] for each in (*span["Events"], *span["Links"])),
        )
    ]
    return [each["Text"] for attributes in tables for each in attributes]
