"""The headers that every answer of the dashboard carries. Nothing runs or loads that did not come from here."""

from __future__ import annotations

from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from otel_feedback.dashboard.access import names_loopback

CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
SECURITY_HEADERS: Final = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",  # none at all would make browsers send forms with "Origin: null"
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


HSTS_SECONDS: Final = 30 * 24 * 3600


class SecurityHeaders:
    """Puts SECURITY_HEADERS on every response, and HSTS where the dashboard itself speaks TLS, under a name of its own.

    Not for names of this machine: browsers would ask every port of localhost over TLS. Behind a proxy that is the
    proxy's to say.
    """

    def __init__(self, app: ASGIApp, *, has_tls: bool = False) -> None:
        self._app = app
        self._has_tls = has_tls

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; add the headers when its answer starts."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(SECURITY_HEADERS)
                if self._has_tls and not names_loopback(Headers(scope=scope).get("host", "")):
                    headers["Strict-Transport-Security"] = f"max-age={HSTS_SECONDS}"
                if scope["path"].startswith("/static/"):
                    headers["Cache-Control"] = "no-cache"  # holds no data; may be kept, and is asked for again
            await send(message)

        await self._app(scope, receive, send_with_headers)
