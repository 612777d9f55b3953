"""For aiohttp: the feedback endpoint and the widget beside the app, a rating token with every answer of an LLM."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeAlias

from aiohttp import web

from otel_feedback.feedback_api import FEEDBACK_PATH, MAX_BODY_BYTES, WIDGET_PATH, FeedbackResponse
from otel_feedback.sdk.rated_request import RatedRequest
from otel_feedback.sdk.routes import FeedbackRoutes

Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]

# aiohttp warns of keys that are strings as soon as it has others (3.14).
_REQUEST: Final[Any] = (
    web.RequestKey("otel_feedback", RatedRequest) if hasattr(web, "RequestKey") else "otel_feedback.rated_request"
)


class FeedbackMiddleware:
    """A middleware of an ``aiohttp.web.Application``; ``FeedbackMiddleware(...).add_to(app)`` puts it there.

    It answers ``path`` and ``widget_path`` itself (``FeedbackRoutes``). ``RatedRequest`` tells which other answers get
    the header ``Otel-Feedback-Token``.
    """

    __middleware_version__ = 1  # aiohttp: called with the request and the handler

    def __init__(
        self,
        *,
        path: str = FEEDBACK_PATH,
        widget_path: str = WIDGET_PATH,
        keys: tuple[str, ...] | list[str] | None = None,
        allowed_origins: tuple[str, ...] | list[str] = (),
    ) -> None:
        """``keys`` and ``allowed_origins`` default to OTEL_FEEDBACK_SIGNING_KEYS and OTEL_FEEDBACK_ALLOWED_ORIGINS."""
        self._routes = FeedbackRoutes(path=path, widget_path=widget_path, keys=keys, allowed_origins=allowed_origins)

    def add_to(self, app: web.Application) -> None:
        """Stand before the middlewares that the app has, once; headers of streamed answers need a signal, too.

        Raises:
            RuntimeError: the app runs already.
        """
        if any(isinstance(each, FeedbackMiddleware) for each in app.middlewares):
            return
        app.middlewares.insert(0, self)
        app.on_response_prepare.append(_add_token)

    async def __call__(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Serve one request."""
        if _REQUEST in request:  # that of an app around this one
            return await handler(request)
        if self._routes.have(request.path):
            return _response(await self._answer(request))
        # Never detached: aiohttp runs each request in a task of its own, which goes on after the handler where the
        # body is a generator.
        request[_REQUEST] = rated = RatedRequest(
            request.method, names_origin="Origin" in request.headers, keyring=self._routes.keyring
        )
        rated.attach()
        return await handler(request)

    async def _answer(self, request: web.Request) -> FeedbackResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        return await self._routes.answer(
            request.path,
            request.method,
            headers,
            request.query_string,
            lambda: _read_body(request),
            address=request.remote or "",
        )


async def _add_token(request: web.Request, response: web.StreamResponse) -> None:
    rated = request.get(_REQUEST)
    if rated is None:
        return
    response.headers.update(rated.start_answer(response.status, response.headers.items()))
    rated.continue_in_body()


async def _read_body(request: web.Request) -> bytes | None:
    """The whole body, or None as soon as it is known to be too large; the app's ``client_max_size`` is not asked."""
    if request.content_length is not None and request.content_length > MAX_BODY_BYTES:
        return None
    body = bytearray()
    async for chunk in request.content.iter_any():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            return None
    return bytes(body)


def _response(response: FeedbackResponse) -> web.Response:
    return web.Response(status=response.status, headers=response.headers, body=response.body or None)
