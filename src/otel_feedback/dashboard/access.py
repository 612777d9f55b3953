"""Who may look: the Host that was asked for, then the token, as a bearer or as a signed cookie.

Without a token the dashboard serves this machine only. A page on the internet can still make a browser ask
127.0.0.1 under a name of its own (DNS rebinding); the check of the Host header is what stops that.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import time
from typing import Final
from urllib.parse import quote

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from otel_feedback.errors import ConfigurationError
from otel_feedback.settings import Settings

COOKIE_NAME: Final = "otel_feedback_dashboard"
COOKIE_LIFETIME_SECONDS: Final = 12 * 3600
_COOKIE_PURPOSE: Final = b"otel-feedback dashboard cookie v1"
_OPEN_PATHS: Final = frozenset({"/login", "/healthz"})
_STATIC_PREFIX: Final = "/static/"


class Access:
    """Decides who may look.

    Raises:
        ConfigurationError: the dashboard would listen beyond this machine with no token set.
    """

    def __init__(self, settings: Settings, api_token: str) -> None:
        self._loopback_only = settings.dashboard_address.is_loopback
        self._token = settings.dashboard_token
        self._api_token = api_token
        if not self._loopback_only and not self._token:
            raise ConfigurationError(
                f"OTEL_FEEDBACK_DASHBOARD_ADDRESS={settings.dashboard_address} is not a loopback address, so the "
                "dashboard needs a token: set OTEL_FEEDBACK_DASHBOARD_TOKEN to a long random text"
            )
        self._cookie_key = hmac.new(self._token.encode(), _COOKIE_PURPOSE, hashlib.sha256).digest()

    @property
    def needs_login(self) -> bool:
        """Whether people must show the dashboard token."""
        return bool(self._token)

    def allows_host(self, host: str) -> bool:
        """Whether the Host header names this machine, where only this machine can be meant."""
        return not self._loopback_only or _names_loopback(host)

    def has_bearer(self, headers: Headers) -> bool:
        """Whether the request shows the dashboard token or the API token as ``Authorization: Bearer``."""
        scheme, _, given = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return False
        return self.is_dashboard_token(given.strip()) or _same(given.strip(), self._api_token)

    def is_dashboard_token(self, given: str) -> bool:
        """Whether this is the dashboard token, compared in constant time."""
        return _same(given, self._token)

    def new_cookie(self, now: float | None = None) -> str:
        """A cookie that lets its holder look for COOKIE_LIFETIME_SECONDS; void once the token changes."""
        expires = str(int((time.time() if now is None else now) + COOKIE_LIFETIME_SECONDS))
        return f"{expires}.{self._sign(expires)}"

    def accepts_cookie(self, cookie: str, now: float | None = None) -> bool:
        """Whether the cookie was made by ``new_cookie`` and has not expired."""
        expires, _, signature = cookie.partition(".")
        if not self._token or not _same(signature, self._sign(expires)):
            return False
        return int(expires) > (time.time() if now is None else now)

    def may_look(self, connection: HTTPConnection) -> bool:
        """Whether this request may see pages and data."""
        if not self.needs_login or self.has_bearer(connection.headers):
            return True
        return self.accepts_cookie(connection.cookies.get(COOKIE_NAME, ""))

    def _sign(self, text: str) -> str:
        return hmac.new(self._cookie_key, text.encode(), hashlib.sha256).hexdigest()


class AccessCheck:
    """Refuses foreign hosts with 421, and strangers with 401 (API) or the login page."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app = app
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the refusal, or pass the request on."""
        if scope["type"] == "http":
            refusal = self._refusal(HTTPConnection(scope))
            if refusal is not None:
                await refusal(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _refusal(self, connection: HTTPConnection) -> Response | None:
        host = connection.headers.get("host", "")
        if not self._access.allows_host(host):
            return PlainTextResponse(
                "This dashboard answers only to localhost, 127.0.0.1 and [::1]. "
                "Open it under one of these, or set OTEL_FEEDBACK_DASHBOARD_ADDRESS and _TOKEN to serve others.\n",
                status_code=421,
            )
        path = connection.scope["path"]
        if path in _OPEN_PATHS or path.startswith(_STATIC_PREFIX) or self._access.may_look(connection):
            return None
        if path.startswith("/api/"):
            return api_refusal()
        query = connection.scope["query_string"].decode("latin-1")
        wanted = quote(path) + (f"?{query}" if query else "")
        return RedirectResponse(f"/login?next={quote(wanted, safe='')}", status_code=303)


def api_refusal() -> JSONResponse:
    """The 401 of the JSON API."""
    message = "a token is needed: Authorization: Bearer <OTEL_FEEDBACK_DASHBOARD_TOKEN>"
    return JSONResponse(
        {"error": {"code": "unauthorized", "message": message}},
        status_code=401,
        headers={"WWW-Authenticate": "Bearer"},
    )


def local_target(text: str) -> str:
    """Where to go after the login: a path on this dashboard, never another site."""
    if not text.startswith("/") or text.startswith(("//", "/\\")) or any(ord(each) < 0x20 for each in text):
        return "/"
    return text


def _names_loopback(host: str) -> bool:
    name = host.rpartition(":")[0] if ":" in host and not host.endswith("]") else host
    if name.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(name.strip("[]")).is_loopback
    except ValueError:
        return False


def _same(given: str, expected: str) -> bool:
    return bool(expected) and hmac.compare_digest(given.encode(), expected.encode())
