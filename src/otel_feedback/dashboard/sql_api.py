"""``POST /api/sql``: what ``otel-feedback sql`` asks while the service holds the embedded engine.

Only a bearer token opens it, never the cookie: no page can make a browser run SQL.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from otel_feedback.dashboard.access import api_refusal
from otel_feedback.dashboard.body import read_body
from otel_feedback.dashboard.site import Site
from otel_feedback.errors import DatabaseError, DatabaseUnavailableError, RejectedRequestError
from otel_feedback.feedback_api import json_object

MOST_REQUEST_BYTES: Final = 4 * 1024 * 1024
DEFAULT_FORMAT: Final = "JSONEachRow"
_FORMAT_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9]{0,63}")
_FIELDS: Final = frozenset({"query", "format", "parameters", "write"})
_CONTENT_TYPES: Final = (
    (re.compile(r"JSON|JSONCompact|JSONColumns|JSONStrings"), "application/json"),
    (re.compile(r"JSON.*EachRow.*"), "application/x-ndjson"),
    (re.compile(r"CSV.*"), "text/csv; charset=utf-8"),
    (re.compile(r"(TSV|TabSeparated).*"), "text/tab-separated-values; charset=utf-8"),
    (re.compile(r"Parquet"), "application/vnd.apache.parquet"),
    (re.compile(r"Arrow"), "application/vnd.apache.arrow.file"),
    (re.compile(r"Pretty.*|Vertical|Markdown|Values|XML|SQLInsert"), "text/plain; charset=utf-8"),
)


@dataclass(frozen=True, slots=True)
class SqlRequest:
    """A checked request body."""

    query: str
    format_name: str
    parameters: dict[str, Any]
    write: bool


def parse_sql_request(body: bytes) -> SqlRequest:
    """The body ``{"query", "format", "parameters", "write"}``; all but ``query`` may be left out.

    Raises:
        RejectedRequestError: it is not such JSON; the message names the field.
    """
    content = json_object(body, _FIELDS)
    query = content.get("query")
    if not isinstance(query, str) or not query.strip():
        raise RejectedRequestError(400, "invalid_query", '"query" must be a SQL statement')
    format_name = content.get("format") or DEFAULT_FORMAT
    if not isinstance(format_name, str) or not _FORMAT_NAME.fullmatch(format_name):
        raise RejectedRequestError(400, "invalid_format", '"format" must be the name of a ClickHouse format')
    parameters = content.get("parameters") or {}
    if not isinstance(parameters, dict):
        raise RejectedRequestError(400, "invalid_parameters", '"parameters" must be a JSON object')
    write = content.get("write", False)
    if not isinstance(write, bool):
        raise RejectedRequestError(400, "invalid_write", '"write" must be true or false')
    return SqlRequest(query, format_name, parameters, write)


def content_type_of(format_name: str) -> str:
    """The media type of a ClickHouse output format."""
    for pattern, content_type in reversed(_CONTENT_TYPES):
        if pattern.fullmatch(format_name):
            return content_type
    return "application/octet-stream"


def routes(site: Site) -> list[Route]:
    """The endpoint."""

    async def sql(request: Request) -> Response:
        if not site.access.has_bearer(request.headers):
            return api_refusal()
        try:
            asked = parse_sql_request(await read_body(request, MOST_REQUEST_BYTES))
            answer = await site.questions.raw(
                asked.query, asked.parameters, format_name=asked.format_name, write=asked.write
            )
        except RejectedRequestError as error:
            return _refuse(error.status, error.code, str(error))
        except DatabaseUnavailableError as error:
            return _refuse(503, str(error.code), str(error))
        except DatabaseError as error:
            return _refuse(400, str(error.code), str(error))
        return Response(answer, media_type=content_type_of(asked.format_name))

    return [Route("/api/sql", sql, methods=["POST"])]


def _refuse(status: int, code: str, message: str) -> JSONResponse:
    return JSONResponse({"error": {"code": code, "message": message}}, status_code=status)
