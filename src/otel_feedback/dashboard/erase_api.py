"""``POST /api/erase``: what ``otel-feedback erase`` asks for while the service holds the embedded engine.

As with ``/api/sql`` only a bearer token opens it, never the cookie.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from otel_feedback.clickhouse.database import Database
from otel_feedback.clickhouse.erasure import erase
from otel_feedback.clickhouse.retention import sweep
from otel_feedback.dashboard.access import Access, api_refusal
from otel_feedback.dashboard.body import read_body
from otel_feedback.errors import ConfigurationError, DatabaseError, DatabaseUnavailableError, RejectedRequestError
from otel_feedback.feedback_api import json_object
from otel_feedback.settings import Settings

MOST_REQUEST_BYTES: Final = 64 * 1024 * 1024
_FIELDS: Final = frozenset({"users", "ids", "dry_run"})


@dataclass(frozen=True, slots=True)
class EraseRequest:
    """A checked request body: whom to erase, or with no ``users`` what has expired."""

    users: tuple[str, ...]
    ids: tuple[str, ...]
    dry_run: bool


def parse_erase_request(body: bytes) -> EraseRequest:
    """The body ``{"users", "ids", "dry_run"}``; ``users`` is [] for what has expired, the others may be left out.

    Raises:
        RejectedRequestError: it is not such JSON; the message names the field.
    """
    content = json_object(body, _FIELDS)
    dry_run = content.get("dry_run", False)
    if not isinstance(dry_run, bool):
        raise RejectedRequestError(400, "invalid_dry_run", '"dry_run" must be true or false')
    return EraseRequest(_texts(content, "users", None), _texts(content, "ids", []), dry_run)


def _texts(content: dict[str, Any], field: str, default: list[str] | None) -> tuple[str, ...]:
    texts = content.get(field, default)
    if not isinstance(texts, list) or not all(isinstance(each, str) and each for each in texts):
        raise RejectedRequestError(400, f"invalid_{field}", f'"{field}" must be a list of ids, none of them empty')
    return tuple(texts)


def routes(database: Database, settings: Settings, access: Access, forget: Callable[[], None]) -> list[Route]:
    """The endpoint; ``forget`` is called when something may have been erased."""

    async def answer(request: Request) -> Response:
        if not access.has_bearer(request.headers):
            return api_refusal()
        try:
            asked = parse_erase_request(await read_body(request, MOST_REQUEST_BYTES))
            try:
                return JSONResponse(await anyio.to_thread.run_sync(partial(done, database, settings, asked)))
            finally:
                forget()
        except RejectedRequestError as error:
            return _refuse(error.status, error.code, str(error))
        except ConfigurationError as error:
            return _refuse(400, "not_on_a_cluster", str(error))
        except DatabaseUnavailableError as error:
            return _refuse(503, str(error.code), str(error))
        except DatabaseError as error:
            return _refuse(400, str(error.code), str(error))

    return [Route("/api/erase", answer, methods=["POST"])]


def done(database: Database, settings: Settings, asked: EraseRequest) -> dict[str, Any]:
    """Do what is asked for; what an ``Erased`` holds, as JSON has it.

    Raises:
        DatabaseError: ClickHouse refused it, or did not answer in time; running it again completes it.
    """
    if asked.users:
        return dataclasses.asdict(erase(database, asked.users, dry_run=asked.dry_run, ids=asked.ids))
    deleted = sweep(database, settings, dry_run=asked.dry_run)
    return {"tables": [dataclasses.asdict(each) for each in deleted], "old_parts": 0, "theirs": []}


def _refuse(status: int, code: str, message: str) -> JSONResponse:
    return JSONResponse({"error": {"code": code, "message": message}}, status_code=status)
