"""``/insights``: what to do next, and what commands found, drafted, trained and exported, as they stored it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final, cast

import anyio.to_thread
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from otel_feedback.dashboard.charts.drawing import Format
from otel_feedback.dashboard.charts.specification import Look, specification
from otel_feedback.dashboard.insight_runs import StoredRun, drawn, findings
from otel_feedback.dashboard.next_steps import FEWEST_RATINGS, PERIOD_DAYS, State, next_steps
from otel_feedback.dashboard.site import Site

MOST_RUNS: Final = 50
MOST_FINDINGS: Final = 50
MOST_VERSIONS: Final = 200
_SECOND: Final = 1_000_000_000
_TYPES: Final = {"svg": "image/svg+xml", "png": "image/png"}


def routes(site: Site) -> list[Route]:
    """The page, and the chart of a contrast."""
    limiter = anyio.CapacityLimiter(1)  # there is one process that draws

    async def insights(request: Request) -> Response:
        runs = [StoredRun.of(row) for row in await site.questions.rows("insight_runs", limit=MOST_RUNS)]
        chosen = request.query_params.get("run", "")
        shown = next((each for each in runs if each.id == chosen), None) if chosen else next(iter(runs), None)
        if chosen and shown is None:
            raise HTTPException(404, "There is no such run, or it is older than those listed.")
        asked = _asked(shown.id) if shown else {}
        found = findings(await site.questions.rows("insight_findings_of_run", **asked)) if shown else []
        steps = next_steps(await _state(site, runs))
        return site.renderer.page(
            request,
            "insights.html",
            runs=runs,
            shown=shown,
            found=found,
            steps=steps,
            is_drawn=shown is not None and shown.kind == "contrast" and bool(drawn(found)),
            sql=site.questions.shown("insight_findings_of_run", **asked) if shown else "",
        )

    async def chart(request: Request) -> Response:
        chart_format = request.path_params["format"]
        rows = await site.questions.rows("insight_findings_of_run", **_asked(request.path_params["run"]))
        data = drawn(findings(rows))
        if not data or chart_format not in _TYPES:
            raise HTTPException(404, "There is no such chart.")
        look = Look.parse(request.query_params.get("scheme", ""), request.query_params.get("width", ""))
        draw = partial(site.drawing.draw, specification("contrast", data, look), cast("Format", chart_format))
        picture = await anyio.to_thread.run_sync(draw, limiter=limiter)
        return Response(picture, media_type=_TYPES[chart_format])

    return [Route("/insights", insights), Route("/insights/{run}.{format}", chart)]


async def _state(site: Site, runs: list[StoredRun]) -> State:
    """What there is to put to use. The time is a whole hour, so that many readers ask the same."""
    now = datetime.now(UTC)
    since = now.replace(minute=0, second=0, microsecond=0) - timedelta(days=PERIOD_DAYS)
    asked = {"since": f"{since:%Y-%m-%d %H:%M:%S}"}
    (figures,) = (await site.questions.kept("insight_figures", **asked)).rows
    versions = await site.questions.kept("insight_versions", **asked, ratings=FEWEST_RATINGS, limit=MOST_VERSIONS)
    return State(figures, versions.rows, runs, int(now.timestamp()) * _SECOND)


def _asked(run: str) -> dict[str, Any]:
    return {"run": run, "limit": MOST_FINDINGS}
