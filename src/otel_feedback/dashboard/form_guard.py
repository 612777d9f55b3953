"""Forms that write: sent by this dashboard's own pages, or refused.

Two checks, each enough by itself in today's browsers: where the request comes from, as the browser tells
(Sec-Fetch-Site, Origin), and a token that is in the form and signed for a cookie that other sites can neither read nor
set.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import Final
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

COOKIE_NAME: Final = "otel_feedback_form"
FIELD: Final = "form_token"
_COOKIE_CHARACTERS: Final = 43


class FormGuard:
    """Makes and checks the tokens of forms; they are void after a restart."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)

    def cookie(self, request: Request) -> str:
        """The value that this browser's forms are signed for: the cookie it has, or a new one."""
        known = request.cookies.get(COOKIE_NAME, "")
        return known if len(known) == _COOKIE_CHARACTERS else secrets.token_urlsafe(32)

    def token(self, cookie: str) -> str:
        """What belongs into the form's field FIELD."""
        return hmac.new(self._key, cookie.encode(), hashlib.sha256).hexdigest()

    def remember(self, response: Response, request: Request, cookie: str) -> None:
        """Set the cookie for as long as the browser is open."""
        secure = request.url.scheme == "https"
        response.set_cookie(COOKIE_NAME, cookie, path="/", secure=secure, httponly=True, samesite="strict")

    def refusal(self, request: Request, token: str) -> str:
        """Why the request is refused; "" for one that a page of this dashboard sent."""
        site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
        # What the browser says of the site is surer than a Host that a proxy may have changed; over plain HTTP from
        # another machine it says nothing.
        is_from_here = site == "same-origin" if site else origin is None or _is_host(origin, request)
        if not is_from_here:
            return "The form came from another site."
        cookie = request.cookies.get(COOKIE_NAME, "")
        if not cookie or not hmac.compare_digest(token.encode(), self.token(cookie).encode()):
            return "The form is too old, or cookies are switched off. Load the page again and send it once more."
        return ""


def _is_host(origin: str, request: Request) -> bool:
    return urlsplit(origin).netloc == request.headers.get("host", "")
