"""``/``: how the answers were rated lately, in four figures, one chart and the newest complaints."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from otel_feedback.dashboard.chart import draw
from otel_feedback.dashboard.filters import parse_period
from otel_feedback.dashboard.satisfaction import share
from otel_feedback.dashboard.site import Site

NEWEST_COMMENTS: Final = 5
_RANGES: Final = {"24h": "24 hours", "7d": "7 days", "30d": "30 days"}


def routes(site: Site) -> list[Route]:
    """The page."""

    async def overview(request: Request) -> Response:
        period = parse_period(request.query_params, default="7d")
        totals = await site.questions.row("overview_totals", **period.parameters)
        calls = await site.questions.row("overview_calls", **period.parameters)
        by_time = await site.questions.rows(
            "overview_ratings_by_time", step=3600 if period.name == "24h" else 86_400, **period.parameters
        )
        comments = await site.questions.rows("overview_comments", limit=NEWEST_COMMENTS, **period.parameters)
        has_any = bool(totals["EverRated"] or calls["EverCalled"])
        now = datetime.fromtimestamp(time.time(), UTC)
        first = int(by_time[0]["Start"]) if by_time else int(now.timestamp())
        since_seconds = period.since_unix_nano // 1_000_000_000 or first
        return site.renderer.page(
            request,
            "overview.html",
            period=period,
            ranges=_RANGES,
            totals=totals,
            has_any=has_any,
            satisfaction=share(totals["Positive"], totals["Positive"] + totals["Negative"]),
            response_rate=share(calls["RatedCalls"], calls["Calls"]),
            chart=draw(
                by_time,
                since=datetime.fromtimestamp(since_seconds, UTC),
                until=now,
                unit="hour" if period.name == "24h" else "day",
            ),
            comments=comments,
        )

    return [Route("/", overview)]
