"""The dashboard as one ASGI app."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from otel_feedback.clickhouse.database import Database
from otel_feedback.dashboard import erase_api, sql_api
from otel_feedback.dashboard.access import Access, AccessCheck
from otel_feedback.dashboard.annotation import Annotations
from otel_feedback.dashboard.charts.drawing import Drawing
from otel_feedback.dashboard.failures import exception_handlers
from otel_feedback.dashboard.ingest_health import TellHealth
from otel_feedback.dashboard.pages import (
    charts,
    downloads,
    feedback,
    insights,
    overview,
    reading,
    sessions,
    sign_in,
    texts,
    trace,
    users,
)
from otel_feedback.dashboard.questions import PAGE_LIMITS, Questions
from otel_feedback.dashboard.render import Renderer
from otel_feedback.dashboard.security_headers import SecurityHeaders
from otel_feedback.dashboard.server_timing import ServerTiming
from otel_feedback.dashboard.site import Site
from otel_feedback.errors import DatabaseError
from otel_feedback.feedback_api import RatingStore
from otel_feedback.settings import Settings


def create_app(
    database: Database,
    settings: Settings,
    access: Access,
    *,
    reader: Database | None = None,
    annotations: RatingStore | None = None,
    tell_health: TellHealth | None = None,
    page_limits: Mapping[str, Any] = PAGE_LIMITS,
) -> Starlette:
    """Pages and JSON over the named queries of a migrated database.

    ``reader`` is the same database as a user who may only read; all but what is said to write is asked of it. Without
    it, too, pages read through connections that can't write, within ``page_limits``. ``annotations`` takes what
    annotators say of what they read; without it no page writes. ``tell_health`` says how ingest is doing, where there
    is any.
    """
    site = Site(
        Questions(reader or database, page_limits, writer=database), Renderer(access), access, Drawing(), tell_health
    )

    async def healthz(_request: Request) -> Response:
        try:
            await site.questions.ping()
        except DatabaseError as error:
            return JSONResponse({"status": "database unavailable", "message": str(error)}, status_code=503)
        return JSONResponse({"status": "ok"})

    return Starlette(
        routes=[
            *overview.routes(site),
            *charts.routes(site),
            *downloads.routes(site),
            *feedback.routes(site),
            *reading.routes(site, Annotations.by(annotations, settings) if annotations is not None else None),
            *users.routes(site),
            *sessions.routes(site),
            *trace.routes(site),
            *insights.routes(site),
            *texts.routes(site),
            *sign_in.routes(site),
            *sql_api.routes(site),
            *erase_api.routes(database, settings, access, site.questions.forget),
            Route("/healthz", healthz),
            Mount("/static", StaticFiles(directory=str(files("otel_feedback.dashboard") / "static"))),
        ],
        middleware=[
            Middleware(ServerTiming),
            Middleware(SecurityHeaders, has_tls=bool(settings.tls_cert)),
            Middleware(AccessCheck, access=access),
        ],
        exception_handlers=exception_handlers(site.renderer),
    )
