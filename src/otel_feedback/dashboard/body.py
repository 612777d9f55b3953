"""Reads a request's body up to a bound."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request


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
