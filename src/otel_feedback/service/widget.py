"""``GET /feedback.js``: the widget, for pages of any origin."""

from __future__ import annotations

import functools
import hashlib
import importlib.resources
from dataclasses import dataclass
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

# The file belongs to the SDK, which serves it too; it is read as data, so that nothing of the SDK is imported.
_FILE: Final = ("sdk", "widget", "feedback.js")


@dataclass(frozen=True, slots=True)
class _Script:
    text: bytes
    etag: str


@functools.cache
def _script() -> _Script:
    text = importlib.resources.files("otel_feedback").joinpath(*_FILE).read_bytes()
    return _Script(text, f'"{hashlib.sha256(text).hexdigest()[:32]}"')


async def endpoint(request: Request) -> Response:
    """The script. Its URL stays while its content changes with versions, so browsers revalidate every hour."""
    script = _script()
    headers = {
        "Access-Control-Allow-Origin": "*",
        "Cache-Control": "public, max-age=3600",
        "ETag": script.etag,
        "X-Content-Type-Options": "nosniff",
    }
    known = {each.strip().removeprefix("W/") for each in request.headers.get("if-none-match", "").split(",")}
    if script.etag in known:
        return Response(status_code=304, headers=headers)
    return Response(script.text, headers=headers, media_type="text/javascript")
