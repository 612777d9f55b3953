"""``/charts/{name}.svg`` and ``.png``: a chart of the overview as a picture of its own, by the overview's filters.

The policy of our pages allows no style in them, which every chart has: so pages show charts as images.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import Final, cast

import anyio.to_thread
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from otel_feedback.dashboard.charts.drawing import Format
from otel_feedback.dashboard.charts.specification import Look, specification
from otel_feedback.dashboard.overview_choice import HOUR_SECONDS, Choice
from otel_feedback.dashboard.overview_figures import KINDS
from otel_feedback.dashboard.site import Site

_TYPES: Final = {"svg": "image/svg+xml", "png": "image/png"}


def routes(site: Site) -> list[Route]:
    """The pictures; ``download=1`` makes a browser save one."""
    limiter = anyio.CapacityLimiter(1)  # there is one process that draws

    async def chart(request: Request) -> Response:
        kind, chart_format = KINDS.get(request.path_params["name"]), request.path_params["format"]
        if kind is None or chart_format not in _TYPES:
            raise HTTPException(404, "There is no such chart.")
        choice = Choice.parse(request.query_params)
        look = Look.parse(request.query_params.get("scheme", ""), request.query_params.get("width", ""))
        answer = await kind.ask(site.questions, choice)
        by_hour = kind.name == "ratings_over_time" and choice.step_seconds == HOUR_SECONDS
        spec = specification(kind.specification, kind.data(kind.own(answer.rows), choice), look, by_hour=by_hour)
        picture = site.drawing.kept(spec, cast("Format", chart_format))
        if picture is None:
            draw = partial(site.drawing.draw, spec, cast("Format", chart_format))
            picture = await anyio.to_thread.run_sync(draw, limiter=limiter)
        headers = {}
        if request.query_params.get("download"):
            name = f"{kind.name}-{choice.range_name}-{datetime.now(UTC):%Y-%m-%d}.{chart_format}"
            headers["Content-Disposition"] = f'attachment; filename="{name}"'
        return Response(picture, media_type=_TYPES[chart_format], headers=headers)

    return [Route("/charts/{name}.{format}", chart)]
