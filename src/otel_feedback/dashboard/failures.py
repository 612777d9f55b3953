"""What people see when something is not there, not right or not working: a page or JSON, never a stack trace."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from otel_feedback.dashboard.charts.drawing import ChartError
from otel_feedback.dashboard.cursor import CursorError
from otel_feedback.dashboard.filters import FilterError
from otel_feedback.dashboard.render import Renderer
from otel_feedback.dashboard.security_headers import SECURITY_HEADERS
from otel_feedback.errors import DatabaseError, DatabaseUnavailableError

_LOGGER = logging.getLogger(__name__)
_HEADINGS = {403: "Not from here", 404: "Not found", 405: "Not possible here", 413: "Too large"}
_BEYOND_BUDGET = {
    158: "more rows than one page may read",  # TOO_MANY_ROWS
    159: "more time than one page may take",  # TIMEOUT_EXCEEDED
    160: "more time than one page may take",  # TOO_SLOW
    241: "more memory than one page may take",  # MEMORY_LIMIT_EXCEEDED
    307: "more bytes than one page may read",  # TOO_MANY_BYTES
    396: "a larger answer than one page may have",  # TOO_MANY_ROWS_OR_BYTES
}
"""By ClickHouse's error: what of ``PAGE_LIMITS`` was reached."""

Handler = Callable[[Request, Any], Response]


def exception_handlers(renderer: Renderer) -> Mapping[Any, Handler]:
    """The answers to what may be raised while a page is made."""

    def answer(request: Request, status: int, heading: str, message: str, hint: str = "") -> Response:
        if request.scope["path"].startswith("/api/"):
            code = heading.lower().replace(" ", "_")
            return JSONResponse({"error": {"code": code, "message": message}}, status_code=status)
        return renderer.page(request, "error.html", status_code=status, heading=heading, message=message, hint=hint)

    def not_served(request: Request, error: HTTPException) -> Response:
        heading = _HEADINGS.get(error.status_code, "Not possible")
        message = error.detail
        if error.status_code == 404 and message == "Not Found":
            message = f"There is no page at {request.scope['path'][:200]}"
        response = answer(request, error.status_code, heading, message)
        response.headers.update(error.headers or {})
        return response

    def bad_link(request: Request, error: ValueError) -> Response:
        return answer(request, 400, "This link can't be read", str(error))

    def database_failed(request: Request, error: DatabaseError) -> Response:
        fields = {"path": request.scope["path"], "error_code": error.code}
        _LOGGER.warning("%s could not be answered: %s", request.scope["path"], error, extra=fields)
        return answer(request, *_told(error))

    def not_drawn(request: Request, error: ChartError) -> Response:
        _LOGGER.warning("%s could not be drawn: %s", request.scope["path"], error)
        return answer(request, 500, "This chart can't be drawn", _first_line(error), "Its page has the numbers.")

    def failed(request: Request, _error: Exception) -> Response:
        # Starlette answers this outside every middleware, and raises on so that the server logs the trace.
        hint = "The service's log has the details."
        response = answer(request, 500, "Something broke", "This page could not be made.", hint)
        response.headers.update(SECURITY_HEADERS)
        return response

    return {
        HTTPException: not_served,
        FilterError: bad_link,
        CursorError: bad_link,
        DatabaseError: database_failed,
        ChartError: not_drawn,
        Exception: failed,
    }


def _told(error: DatabaseError) -> tuple[int, str, str, str]:
    """Status, heading, message and hint."""
    if isinstance(error, DatabaseUnavailableError):
        hint = "The service keeps receiving and writes what it has once the database is back."
        return 503, "The database can't be reached", _first_line(error), hint
    if error.code in _BEYOND_BUDGET:
        message = f"It needs {_BEYOND_BUDGET[error.code]}, so that ingest always has the rest of the database."
        hint = (
            "Choose a shorter time, then a service, model or user. For the whole of it ask otel-feedback sql, "
            "which may take twenty times as long."
        )
        return 503, "The question was too large", message, hint
    hint = "The service's log has the details. If the schema is old, run: otel-feedback migrate"
    return 500, "The database refused the question", _first_line(error), hint


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0][:500]
