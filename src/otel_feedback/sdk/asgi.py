"""ASGI middleware: the feedback endpoint and the widget beside the app, and a rating token with every answer of an LLM.

Plain ASGI: Starlette's BaseHTTPMiddleware would break streaming and the OpenTelemetry context.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias

from otel_feedback.feedback_api import FEEDBACK_PATH, MAX_BODY_BYTES, WIDGET_PATH, FeedbackResponse
from otel_feedback.sdk.flush import flush
from otel_feedback.sdk.own_middlewares import SEEN, own_middlewares, stands_back
from otel_feedback.sdk.rated_request import RatedRequest
from otel_feedback.sdk.routes import STATUSES_WITHOUT_BODY, FeedbackRoutes

AsgiScope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
AsgiApp: TypeAlias = Callable[[AsgiScope, Receive, Send], Awaitable[None]]


class FeedbackMiddleware:
    """Wraps an ASGI app; may stand outside or inside of OpenTelemetry's own ASGI middleware.

    It answers ``path`` and ``widget_path`` itself (``FeedbackRoutes``). ``RatedRequest`` tells which other answers get
    the header ``Otel-Feedback-Token``.
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
        self._routes = FeedbackRoutes(path=path, widget_path=widget_path, keys=keys, allowed_origins=allowed_origins)
        own_middlewares.add(self)

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        """Serve one connection, or see the server's end."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, _flushing_at_the_end(send))
            return
        if scope["type"] not in {"http", "websocket"} or stands_back(self, scope.get(SEEN)):
            await self._app(scope, receive, send)
            return
        if scope["type"] == "http":
            path = _path_within_app(scope)
            if self._routes.have(path):
                await _respond(scope, send, await self._answer(path, scope, receive))
                return
        await self._call_app(scope, receive, send)

    async def _call_app(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        scope[SEEN] = self
        request = RatedRequest(
            scope.get("method", ""),
            names_origin=any(name == b"origin" for name, _ in scope["headers"]),
            keyring=self._routes.keyring,
        )

        async def send_with_token(message: Message) -> None:
            if message["type"] == "http.response.start":
                _add_token(request, message)
                request.continue_in_body()
            await send(message)

        request.attach()
        try:
            await self._app(scope, receive, send_with_token)
        finally:
            request.detach()

    async def _answer(self, path: str, scope: AsgiScope, receive: Receive) -> FeedbackResponse:
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        query = scope.get("query_string", b"").decode("latin-1")
        address = (scope.get("client") or ("",))[0]
        return await self._routes.answer(
            path, scope["method"], headers, query, lambda: _read_body(scope, receive), address=address
        )


def _flushing_at_the_end(send: Send) -> Send:
    """Send what waits once the app has ended: uvicorn dies of the signal that stopped it, and runs nothing at exit."""

    async def send_at_the_end(message: Message) -> None:
        if message["type"].startswith("lifespan.shutdown."):
            flush()  # it may block: no connection is left
        await send(message)

    return send_at_the_end


def _path_within_app(scope: AsgiScope) -> str:
    path = str(scope["path"])
    root = str(scope.get("root_path", "")).rstrip("/")
    return path.removeprefix(root) if root and path.startswith(root + "/") else path


def _add_token(request: RatedRequest, message: Message) -> None:
    headers = list(message.get("headers", ()))
    read = ((bytes(name).decode("latin-1"), bytes(value).decode("latin-1")) for name, value in headers)
    added = {
        name.lower().encode(): value.encode() for name, value in request.start_answer(message["status"], read).items()
    }
    if added:
        message["headers"] = [each for each in headers if each[0].lower() not in added] + list(added.items())


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


async def _respond(scope: AsgiScope, send: Send, response: FeedbackResponse) -> None:
    headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in response.headers.items()]
    if response.status not in STATUSES_WITHOUT_BODY:
        headers.append((b"content-length", str(len(response.body)).encode()))
    body = b"" if scope["method"] == "HEAD" else response.body
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
