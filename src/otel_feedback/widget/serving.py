"""``GET /feedback.js``, free of any web framework: for pages of any origin, revalidated by its ETag."""

from __future__ import annotations

import functools
import hashlib
import importlib.resources
from typing import Final

from otel_feedback.feedback_api import FeedbackResponse, error_response

METHODS: Final = ("GET", "HEAD")


def answer(method: str, if_none_match: str = "") -> FeedbackResponse:
    """The script, or 304 where ``if_none_match`` (the header; empty without one) names the current one.

    Its URL stays while its content changes with versions, so browsers ask again after an hour. To HEAD the answer is
    that to GET; whoever sends it leaves the body out.
    """
    if method not in METHODS:
        return error_response(
            405, "method_not_allowed", f"{method} is not one of {', '.join(METHODS)}", {"Allow": ", ".join(METHODS)}
        )
    script, etag = _script()
    headers = {
        "Access-Control-Allow-Origin": "*",
        "Cache-Control": "public, max-age=3600",
        "Content-Type": "text/javascript; charset=utf-8",
        "ETag": etag,
        "X-Content-Type-Options": "nosniff",
    }
    known = {each.strip().removeprefix("W/") for each in if_none_match.split(",")}
    if known & {etag, "*"}:
        return FeedbackResponse(304, headers=headers)
    return FeedbackResponse(200, script, headers)


@functools.cache
def _script() -> tuple[bytes, str]:
    """The widget as it was installed, read once, and its ETag."""
    script = importlib.resources.files("otel_feedback.widget").joinpath("feedback.js").read_bytes()
    return script, f'"{hashlib.sha256(script).hexdigest()[:32]}"'
