"""Who may look: the Host that was asked for, then a token, as a bearer or as a signed cookie; and whose page it asks.

Without a token the dashboard serves this machine only. A page on the internet can still make a browser ask
127.0.0.1 under a name of its own (DNS rebinding); the check of the Host header is what stops that. It can send forms
here as well, with the reader's cookie if it must be; where a browser says that a request which may change something
comes from another site, it is refused.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import ipaddress
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final
from urllib.parse import quote

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from otel_feedback.errors import ConfigurationError
from otel_feedback.rate_limit import RateLimit, TooManyRequestsError, network_of
from otel_feedback.settings import Settings

ADDRESS_VARIABLE: Final = "OTEL_FEEDBACK_DASHBOARD_ADDRESS"
COOKIE_NAME: Final = "otel_feedback_dashboard"
COOKIE_LIFETIME_SECONDS: Final = 12 * 3600
WRONG_TOKENS_PER_MINUTE: Final = 10
LEAST_TOKEN_CHARACTERS: Final = 16
MOST_SIGNED_OUT: Final = 10_000
_COOKIE_PURPOSE: Final = b"cookie"
_CHANGES_NOTHING: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_OPEN_PATHS: Final = frozenset({"/login", "/healthz"})
_STATIC_PREFIX: Final = "/static/"


class Access:
    """Decides who may look.

    Raises:
        ConfigurationError: the dashboard would listen beyond this machine with no token or one that can be guessed.
    """

    def __init__(self, settings: Settings, api_token: str) -> None:
        _check(settings)
        self._tokens = settings.dashboard_token
        self._api_token = api_token
        self._signed_out: OrderedDict[str, int] = OrderedDict()
        self._guesses = RateLimit(WRONG_TOKENS_PER_MINUTE)
        self._own_key = secrets.token_bytes(32)

    def prepare(self, settings: Settings) -> Callable[[], None]:
        """What lets the dashboard tokens of these settings open it from now on, and no others; nor their cookies.

        Raises:
            ConfigurationError: as at the start.
        """
        _check(settings)

        def use() -> None:
            self._tokens = settings.dashboard_token

        return use

    @property
    def needs_login(self) -> bool:
        """Whether people must show a dashboard token."""
        return bool(self._tokens)

    def allows_host(self, host: str) -> bool:
        """Whether the Host header names this machine, where no token stands between a foreign page and the data."""
        return self.needs_login or names_loopback(host)

    def has_bearer(self, headers: Headers) -> bool:
        """Whether the request shows a dashboard token or the API token as ``Authorization: Bearer``."""
        return self.is_dashboard_token(_bearer_of(headers)) or self.has_api_token(headers)

    def has_api_token(self, headers: Headers) -> bool:
        """Whether the request is of this machine's own commands."""
        return _same(_bearer_of(headers), self._api_token)

    def is_dashboard_token(self, given: str) -> bool:
        """Whether this is one of the dashboard tokens; compared in constant time."""
        return any(_same(given, token) for token in self._tokens)

    def count_wrong_token(self, address: str) -> None:
        """Note that somebody at this address showed a token that is none."""
        with contextlib.suppress(TooManyRequestsError):
            self._guesses.count(network_of(address))

    def check_guesses(self, address: str) -> None:
        """Return if this address may show a token now.

        Raises:
            TooManyRequestsError: it has shown too many wrong ones; nothing it shows is looked at for a while.
        """
        self._guesses.check(network_of(address))

    def new_cookie(self, token: str, now: float | None = None) -> str:
        """A cookie that lets its holder look for COOKIE_LIFETIME_SECONDS; void once this token is not set any more."""
        expires = int((time.time() if now is None else now) + COOKIE_LIFETIME_SECONDS)
        content = f"{expires}.{secrets.token_urlsafe(16)}"
        return f"{content}.{_sign(_derived(token, _COOKIE_PURPOSE), content)}"

    def accepts_cookie(self, cookie: str, now: float | None = None) -> bool:
        """Whether the cookie was made by ``new_cookie``, has not expired and was not signed out."""
        content, _, signature = cookie.rpartition(".")
        if not any(_same(signature, _sign(_derived(token, _COOKIE_PURPOSE), content)) for token in self._tokens):
            return False
        return cookie not in self._signed_out and _expiry(cookie) > (time.time() if now is None else now)

    def sign_out(self, cookie: str) -> None:
        """Accept this cookie no more, wherever copies of it are. A restart forgets it; cookies expire by themselves."""
        if self.accepts_cookie(cookie):
            self._signed_out[cookie] = _expiry(cookie)
        while self._signed_out and (
            len(self._signed_out) > MOST_SIGNED_OUT or next(iter(self._signed_out.values())) < time.time()
        ):
            self._signed_out.popitem(last=False)

    def may_look(self, connection: HTTPConnection) -> bool:
        """Whether this request may see pages and data."""
        if not self.needs_login or self.has_bearer(connection.headers):
            return True
        return self.accepts_cookie(connection.cookies.get(COOKIE_NAME, ""))

    def form_token(self, connection: HTTPConnection) -> str:
        """What a form of this reader's pages sends along, which no other site can know."""
        return _sign(self._form_keys()[0], _form_text(connection))

    def accepts_form(self, connection: HTTPConnection, token: str) -> bool:
        """Whether the form came from a page that this reader got, of whichever token's time."""
        return any(_same(token, _sign(key, _form_text(connection))) for key in self._form_keys())

    def _form_keys(self) -> list[bytes]:
        return [_derived(token, b"form") for token in self._tokens] or [self._own_key]


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
        if not self._access.allows_host(connection.headers.get("host", "")):
            return PlainTextResponse(
                "This dashboard answers only to localhost, 127.0.0.1 and [::1]. "
                "Open it under one of these, or set OTEL_FEEDBACK_DASHBOARD_TOKEN to serve it under others.\n",
                status_code=421,
            )
        try:
            has_bearer = self._has_bearer(connection)
        except TooManyRequestsError as error:
            return too_many_refusal(error)
        if not has_bearer and connection.scope["method"] not in _CHANGES_NOTHING and not _is_of_own_page(connection):
            return PlainTextResponse("This request comes from a page of another site.\n", status_code=403)
        path = connection.scope["path"]
        if path in _OPEN_PATHS or path.startswith(_STATIC_PREFIX) or self._access.may_look(connection):
            return None
        if path.startswith("/api/"):
            return api_refusal()
        query = connection.scope["query_string"].decode("latin-1")
        wanted = quote(path) + (f"?{query}" if query else "")
        return RedirectResponse(f"/login?next={quote(wanted, safe='')}", status_code=303)

    def _has_bearer(self, connection: HTTPConnection) -> bool:
        if not _bearer_of(connection.headers):
            return False
        has_bearer = self._access.has_bearer(connection.headers)
        if not self._access.has_api_token(connection.headers):
            address = address_of(connection)
            self._access.check_guesses(address)
            if not has_bearer:
                self._access.count_wrong_token(address)
        return has_bearer


def api_refusal() -> JSONResponse:
    """The 401 of the JSON API."""
    message = "a token is needed: Authorization: Bearer <OTEL_FEEDBACK_DASHBOARD_TOKEN>"
    return JSONResponse(
        {"error": {"code": "unauthorized", "message": message}},
        status_code=401,
        headers={"WWW-Authenticate": "Bearer"},
    )


def too_many_refusal(error: TooManyRequestsError) -> JSONResponse:
    """The 429 to whoever guesses tokens."""
    return JSONResponse(
        {"error": {"code": error.code, "message": str(error)}},
        status_code=429,
        headers={"Retry-After": str(error.retry_after_seconds)},
    )


def address_of(connection: HTTPConnection) -> str:
    """Who asks, as far as the server knows."""
    return connection.client.host if connection.client else ""


def local_target(text: str) -> str:
    """Where to go after the login: a path on this dashboard, never another site."""
    if not text.startswith("/") or text.startswith(("//", "/\\")) or any(ord(each) < 0x20 for each in text):
        return "/"
    return text


def _check(settings: Settings) -> None:
    """Refuse an address that other machines can reach with no token or one that can be guessed.

    Raises:
        ConfigurationError: the text says what to set.
    """
    if settings.dashboard_address.is_loopback:
        return
    reachable = f"{ADDRESS_VARIABLE}={settings.dashboard_address} can be reached from other machines. "
    if not settings.dashboard_token:
        raise ConfigurationError(
            f"{reachable}Set OTEL_FEEDBACK_DASHBOARD_TOKEN to a long random text, or listen on 127.0.0.1"
        )
    if min(map(len, settings.dashboard_token)) < LEAST_TOKEN_CHARACTERS:
        raise ConfigurationError(
            f"{reachable}A token of OTEL_FEEDBACK_DASHBOARD_TOKEN has fewer than {LEAST_TOKEN_CHARACTERS} "
            "characters: set a long random text, or listen on 127.0.0.1"
        )


def _form_text(connection: HTTPConnection) -> str:
    return f"form {connection.cookies.get(COOKIE_NAME, '')}"


def names_loopback(host: str) -> bool:
    """Whether a Host header names this machine."""
    name = host.rpartition(":")[0] if ":" in host and not host.endswith("]") else host
    if name.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(name.strip("[]")).is_loopback
    except ValueError:
        return False


def _is_of_own_page(connection: HTTPConnection) -> bool:
    """What the browser says. Where it says nothing it is no browser, or an old one; forms have their token as well."""
    site = connection.headers.get("sec-fetch-site")
    if site is not None:  # sent over TLS and to this machine
        return site in {"same-origin", "none"}
    origin = connection.headers.get("origin")
    return origin is None or origin.partition("://")[2] == connection.headers.get("host", "")


def _bearer_of(headers: Headers) -> str:
    scheme, _, given = headers.get("authorization", "").partition(" ")
    return given.strip() if scheme.lower() == "bearer" else ""


def _expiry(cookie: str) -> int:
    return int(cookie.partition(".")[0])


def _derived(token: str, purpose: bytes) -> bytes:
    return hmac.new(token.encode(), b"otel-feedback dashboard v2 " + purpose, hashlib.sha256).digest()


def _sign(key: bytes, text: str) -> str:
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def _same(given: str, expected: str) -> bool:
    return bool(expected) and hmac.compare_digest(given.encode(), expected.encode())
