"""``/traces/{trace_id}``: what happened behind an answer, as a waterfall."""

from __future__ import annotations

from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from otel_feedback.dashboard.shown_text import MAX_SHOWN_CHARACTERS
from otel_feedback.dashboard.site import Site
from otel_feedback.dashboard.waterfall import lay_out

MOST_SPANS: Final = 1000
MOST_LOGS: Final = 200


def routes(site: Site) -> list[Route]:
    """The page."""

    async def trace(request: Request) -> Response:
        trace_id = request.path_params["trace_id"]
        spans = await site.questions.rows(
            "trace_spans", trace=trace_id, limit=MOST_SPANS + 1, text_characters=MAX_SHOWN_CHARACTERS
        )
        ratings = await site.questions.rows("trace_ratings", trace=trace_id)
        if not spans and not ratings:
            raise HTTPException(404, "No span of this trace is stored. It may not have arrived yet, or has expired.")
        logs = await site.questions.rows(
            "trace_logs", trace=trace_id, limit=MOST_LOGS, text_characters=MAX_SHOWN_CHARACTERS
        )
        session = await site.questions.row("trace_session", trace=trace_id)
        shown_spans = {span["SpanId"] for span in spans[:MOST_SPANS]}
        return site.renderer.page(
            request,
            "trace.html",
            trace_id=trace_id,
            session_id=session.get("SessionId", ""),
            waterfall=lay_out(spans[:MOST_SPANS], ratings),
            is_cut=len(spans) > MOST_SPANS,
            ratings=ratings,
            trace_ratings=[each for each in ratings if each["Scope"] != "span" or each["SpanId"] not in shown_spans],
            logs=logs,
        )

    return [Route("/traces/{trace_id}", trace)]
