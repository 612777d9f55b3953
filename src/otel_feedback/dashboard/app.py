"""The dashboard as one ASGI app."""

from __future__ import annotations

from importlib.resources import files

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
from otel_feedback.dashboard.failures import exception_handlers
from otel_feedback.dashboard.pages import feedback, overview, reading, sessions, sign_in, texts, trace, users
from otel_feedback.dashboard.questions import Questions
from otel_feedback.dashboard.render import Renderer
from otel_feedback.dashboard.security_headers import SecurityHeaders
from otel_feedback.dashboard.site import Site
from otel_feedback.errors import DatabaseError
from otel_feedback.feedback_api import RatingStore
from otel_feedback.settings import Settings


def create_app(
    database: Database, settings: Settings, api_token: str, annotations: RatingStore | None = None
) -> Starlette:
    """Pages and JSON over the named queries of a migrated database.

    ``api_token`` opens the JSON API to this machine's own commands, beside the dashboard token. ``annotations`` takes
    what annotators say of what they read; without it no page writes.

    Raises:
        ConfigurationError: the dashboard would listen beyond this machine with no token set.
    """
    access = Access(settings, api_token)
    site = Site(Questions(database), Renderer(can_sign_out=access.needs_login), access)

    async def healthz(_request: Request) -> Response:
        try:
            await site.questions.ping()
        except DatabaseError as error:
            return JSONResponse({"status": "database unavailable", "message": str(error)}, status_code=503)
        return JSONResponse({"status": "ok"})

    return Starlette(
        routes=[
            *overview.routes(site),
            *feedback.routes(site),
            *reading.routes(site, Annotations.by(annotations, settings) if annotations is not None else None),
            *users.routes(site),
            *sessions.routes(site),
            *trace.routes(site),
            *texts.routes(site),
            *sign_in.routes(site),
            *sql_api.routes(site),
            *erase_api.routes(database, settings, access),
            Route("/healthz", healthz),
            Mount("/static", StaticFiles(directory=str(files("otel_feedback.dashboard") / "static"))),
        ],
        middleware=[Middleware(SecurityHeaders), Middleware(AccessCheck, access=access)],
        exception_handlers=exception_handlers(site.renderer),
    )
