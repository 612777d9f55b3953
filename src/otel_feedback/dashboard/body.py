"""Reads a request's body up to a bound, and the JSON object in it."""

from __future__ import annotations

import json
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request

from otel_feedback.errors import RejectedRequestError


async def read_body(request: Request, most_bytes: int) -> bytes:
    """The whole body, never holding more than ``most_bytes`` and one chunk.

    Raises:
        HTTPException: 413 for a longer one.
    """
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most_bytes:
            raise HTTPException(413, f"The request is larger than {most_bytes} bytes.")
    return bytes(body)


def json_object(body: bytes, fields: frozenset[str]) -> dict[str, Any]:
    """The object that a body is, which has no other than these fields.

    Raises:
        RejectedRequestError: it is no JSON, no object, or has another field; the message names it.
    """
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        raise RejectedRequestError(400, "invalid_json", "the body is not JSON in UTF-8") from None
    if not isinstance(content, dict):
        raise RejectedRequestError(400, "invalid_json", "the body must be a JSON object")
    unknown = sorted(set(content) - fields)
    if unknown:
        known = ", ".join(sorted(fields))
        raise RejectedRequestError(400, "unknown_field", f"unknown field {unknown[0]!r}; known are {known}")
    return content
