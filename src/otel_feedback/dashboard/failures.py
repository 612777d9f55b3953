"""What people see when something is not there, not right or not working: a page or JSON, never a stack trace."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from otel_feedback.dashboard.cursor import CursorError
from otel_feedback.dashboard.filters import FilterError
from otel_feedback.dashboard.render import Renderer
from otel_feedback.dashboard.security_headers import SECURITY_HEADERS
from otel_feedback.errors import DatabaseError, DatabaseUnavailableError

_LOGGER = logging.getLogger(__name__)
_HEADINGS = {404: "Not found", 405: "Not possible here", 413: "Too large"}
_TIMED_OUT = 159  # ClickHouse's TIMEOUT_EXCEEDED
_OUT_OF_MEMORY = 241  # ClickHouse's MEMORY_LIMIT_EXCEEDED

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
        if isinstance(error, DatabaseUnavailableError):
            hint = "The service keeps receiving and writes what it has once the database is back."
            return answer(request, 503, "The database can't be reached", _first_line(error), hint)
        if error.code in {_TIMED_OUT, _OUT_OF_MEMORY}:
            hint = "Choose a shorter time or more filters."
            return answer(request, 503, "The question was too large", _first_line(error), hint)
        hint = "The service's log has the details. If the schema is old, run: otel-feedback migrate"
        return answer(request, 500, "The database refused the question", _first_line(error), hint)

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
        Exception: failed,
    }


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0][:500]
