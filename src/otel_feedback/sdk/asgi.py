"""ASGI middleware: the feedback endpoint and the widget beside the app, and a rating token with every answer of an LLM.

Plain ASGI: Starlette's BaseHTTPMiddleware would break streaming and the OpenTelemetry context.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final, TypeAlias
from urllib.parse import parse_qsl

from opentelemetry import trace
from opentelemetry.trace import SpanContext

from otel_feedback.feedback_api import (
    FEEDBACK_PATH,
    MAX_BODY_BYTES,
    TOKEN_HEADER,
    WIDGET_PATH,
    FeedbackApi,
    FeedbackRequest,
    FeedbackResponse,
    error_response,
)
from otel_feedback.rate_limit import RequestLimits
from otel_feedback.rating import Scope, Target
from otel_feedback.sdk.configuration import has_shared_keys, keyring, settings
from otel_feedback.sdk.endpoint import AppRatingStore, service_url
from otel_feedback.sdk.frame import Frame, attach, current_frame, detach
from otel_feedback.sdk.quiet import report_failure
from otel_feedback.sdk.span_processor import fit_span_processor
from otel_feedback.sdk.targets import call_target, span_target
from otel_feedback.tokens import Grant, Keyring
from otel_feedback.widget import serving

AsgiScope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
AsgiApp: TypeAlias = Callable[[AsgiScope, Receive, Send], Awaitable[None]]

_SEEN: Final = "otel_feedback.middleware"
_TOKEN_HEADER: Final = TOKEN_HEADER.lower().encode()
_EXPOSE: Final = b"access-control-expose-headers"
_WITHOUT_BODY: Final = frozenset({204, 205, 304})


class FeedbackMiddleware:
    """Wraps an ASGI app; may stand outside or inside of OpenTelemetry's own ASGI middleware.

    It answers ``path`` and ``widget_path`` itself. Every other response gets the header ``Otel-Feedback-Token`` when
    there is something to rate:

    - An answer that is complete as its headers go out (it has a Content-Length): the latest LLM call of this request,
      if there was one; with a ``session()`` but no such call, the trace.
    - An answer that streams (no Content-Length): the trace, because the call whose text it carries may still run or
      not even have begun. Whoever reads the rating resolves the trace to its final LLM call.
    - Anything else (static files, redirects, errors, pages without an LLM) gets no header, so it stays cacheable.

    The session and the rater that are known by then are in the token.
    """

    def __init__(
        self,
        app: AsgiApp,
        *,
        path: str = FEEDBACK_PATH,
        widget_path: str = WIDGET_PATH,
        keys: tuple[str, ...] | list[str] | None = None,
        allowed_origins: tuple[str, ...] | list[str] = (),
    ) -> None:
        """``keys`` and ``allowed_origins`` default to OTEL_FEEDBACK_SIGNING_KEYS and OTEL_FEEDBACK_ALLOWED_ORIGINS."""
        self._app = app
        self._path = path
        self._widget_path = widget_path
        self._keys = tuple(keys) if keys else None
        self._allowed_origins = tuple(allowed_origins)
        self._api: FeedbackApi | None = None

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] not in {"http", "websocket"} or scope.get(_SEEN):
            await self._app(scope, receive, send)
            return
        if scope["type"] == "http":
            path = _path_within_app(scope)
            if path == self._path:
                await _respond(scope, send, await self._answer(scope, receive))
                return
            if path == self._widget_path:
                await _respond(scope, send, _serve_widget(scope))
                return
        await self._call_app(scope, receive, send)

    async def _call_app(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        fit_span_processor()
        scope[_SEEN] = True  # a middleware further in, e.g. of a mounted app, stands back
        frame = Frame(parent=current_frame(), is_request=True)
        server_span = trace.get_current_span().get_span_context()
        if server_span.is_valid:  # OpenTelemetry's middleware is around this one
            frame.note_entry_span(server_span)

        async def send_with_token(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._add_token(scope, frame, message)
                frame.continue_session()
            await send(message)

        attach(frame)
        try:
            await self._app(scope, receive, send_with_token)
        finally:
            detach(frame)

    def _keyring(self) -> Keyring:
        return Keyring(self._keys) if self._keys else keyring()

    def _add_token(self, scope: AsgiScope, frame: Frame, message: Message) -> None:
        try:
            headers = list(message.get("headers", ()))
            grant = _grant(scope, frame, message["status"], headers)
            if grant is None or any(name.lower() == _TOKEN_HEADER for name, _ in headers):
                return
            headers.append((_TOKEN_HEADER, self._keyring().mint(grant).encode("ascii")))
            if any(name == b"origin" for name, _ in scope["headers"]):
                headers = _exposing_token(headers)
            message["headers"] = headers
        except Exception as error:  # noqa: BLE001  # the answer must go out, with a token or without
            report_failure("adding a rating token to a response", error)

    async def _answer(self, scope: AsgiScope, receive: Receive) -> FeedbackResponse:
        if self._api is None:
            self._api = self._new_api()
        try:
            body = await _read_body(scope, receive)
            if body is None:
                return error_response(413, "too_large", f"the body has more than {MAX_BODY_BYTES} bytes")
            headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
            query = dict(parse_qsl(scope.get("query_string", b"").decode("latin-1")))
            address = (scope.get("client") or ("",))[0]
            return await self._api.answer(FeedbackRequest(scope["method"], headers, query, body, address))
        except Exception as error:  # noqa: BLE001  # the host page gets an answer that it can show
            report_failure("answering a feedback request", error)
            return error_response(500, "internal", "the rating could not be taken; try again")

    def _new_api(self) -> FeedbackApi:
        fit_span_processor()
        ring = self._keyring()
        url = service_url(settings()) if self._keys or has_shared_keys() else None
        return FeedbackApi(
            ring,
            AppRatingStore(ring, url),
            allowed_origins=self._allowed_origins or settings().allowed_origins,
            capture_comments=settings().capture_comments,
            limits=RequestLimits(settings().votes_per_minute, settings().requests_per_minute),
        )


def _path_within_app(scope: AsgiScope) -> str:
    path = str(scope["path"])
    root = str(scope.get("root_path", "")).rstrip("/")
    return path.removeprefix(root) if root and path.startswith(root + "/") else path


def _grant(scope: AsgiScope, frame: Frame, status: int, headers: list[tuple[bytes, bytes]]) -> Grant | None:
    """What this response lets its reader rate; see FeedbackMiddleware for the rule."""
    if status in _WITHOUT_BODY or not 200 <= status < 300 or scope.get("method") in {"HEAD", "OPTIONS"}:
        return None
    is_complete = any(name.lower() == b"content-length" for name, _ in headers)
    call, session = frame.latest_call, frame.latest_session
    if is_complete and call is not None and call.has_ended:
        return Grant(call_target(call), call.user)
    if is_complete and call is None and session is None:
        return None
    server_span = _server_span(frame)
    if server_span is None:
        return None
    session_id, user = (session.session_id, session.user) if session else ("", "")
    target = span_target(server_span, session_id=session_id)
    return Grant(Target(Scope.TRACE, target.trace_id, target.span_id, session_id), user)


def _server_span(frame: Frame) -> SpanContext | None:
    """The request's server span; one that is not sampled is known only as the current span."""
    span_context = frame.entry_span or trace.get_current_span().get_span_context()
    return span_context if span_context.is_valid else None


def _exposing_token(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Let pages of other origins read the header, in addition to what they may read already."""
    exposed = [part.strip() for name, value in headers if name.lower() == _EXPOSE for part in value.split(b",")]
    others = [(name, value) for name, value in headers if name.lower() != _EXPOSE]
    return [*others, (_EXPOSE, b", ".join([*(part for part in exposed if part), TOKEN_HEADER.encode()]))]


async def _read_body(scope: AsgiScope, receive: Receive) -> bytes | None:
    """The whole body, or None as soon as it is known to be too large."""
    declared = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
    if declared.isdigit() and int(declared) > MAX_BODY_BYTES:
        return None
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > MAX_BODY_BYTES:
            return None
        if not message.get("more_body", False):
            return bytes(body)


def _serve_widget(scope: AsgiScope) -> FeedbackResponse:
    asked = b",".join(value for name, value in scope["headers"] if name == b"if-none-match")
    return serving.answer(scope["method"], asked.decode("latin-1"))


async def _respond(scope: AsgiScope, send: Send, response: FeedbackResponse) -> None:
    headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in response.headers.items()]
    if response.status not in _WITHOUT_BODY:
        headers.append((b"content-length", str(len(response.body)).encode()))
    body = b"" if scope["method"] == "HEAD" else response.body
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
