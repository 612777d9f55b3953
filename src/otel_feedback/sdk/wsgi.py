"""WSGI middleware: the feedback endpoint and the widget beside the app, a rating token with every answer of an LLM."""

from __future__ import annotations

import contextvars
from collections.abc import Callable, Iterable, Iterator
from http import HTTPStatus
from typing import Any, TypeAlias

from otel_feedback.feedback_api import FEEDBACK_PATH, MAX_BODY_BYTES, WIDGET_PATH, FeedbackResponse
from otel_feedback.sdk.own_middlewares import SEEN, own_middlewares, stands_back
from otel_feedback.sdk.rated_request import RatedRequest
from otel_feedback.sdk.routes import STATUSES_WITHOUT_BODY, FeedbackRoutes, answered_at_once

Environ: TypeAlias = dict[str, Any]
StartResponse: TypeAlias = Callable[..., Callable[[bytes], object]]
WsgiApp: TypeAlias = Callable[[Environ, StartResponse], Iterable[bytes]]

_READ_BYTES = 64 * 1024


class FeedbackMiddleware:
    """Wraps a WSGI app; may stand outside or inside of OpenTelemetry's own WSGI middleware.

    It answers ``path`` and ``widget_path`` itself (``FeedbackRoutes``). ``RatedRequest`` tells which other answers get
    the header ``Otel-Feedback-Token``; it is there before the first byte of the body, however late the app calls
    ``start_response``. The app and the body that it streams run in one copy of the thread's context, so that nothing
    of a request stays in a thread that serves the next one.
    """

    def __init__(
        self,
        app: WsgiApp,
        *,
        path: str = FEEDBACK_PATH,
        widget_path: str = WIDGET_PATH,
        keys: tuple[str, ...] | list[str] | None = None,
        allowed_origins: tuple[str, ...] | list[str] = (),
    ) -> None:
        """``keys`` and ``allowed_origins`` default to OTEL_FEEDBACK_SIGNING_KEYS and OTEL_FEEDBACK_ALLOWED_ORIGINS."""
        self._app = app
        self._routes = FeedbackRoutes(
            path=path, widget_path=widget_path, keys=keys, allowed_origins=allowed_origins, may_block=True
        )
        own_middlewares.add(self)

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Serve one request."""
        if stands_back(self, environ.get(SEEN)):
            return self._app(environ, start_response)
        path = str(environ.get("PATH_INFO", ""))
        if self._routes.have(path):
            return _respond(environ, start_response, self._answer(path, environ))
        environ[SEEN] = self
        context = contextvars.copy_context()
        return context.run(self._call_app, context, environ, start_response)

    def _call_app(
        self, context: contextvars.Context, environ: Environ, start_response: StartResponse
    ) -> Iterable[bytes]:
        request = RatedRequest(
            str(environ.get("REQUEST_METHOD", "")),
            names_origin="HTTP_ORIGIN" in environ,
            keyring=self._routes.keyring,
        )

        def start_with_token(status: str, headers: list[tuple[str, str]], *exc_info: Any) -> Callable[[bytes], object]:
            added = request.start_answer(_code_of(status), headers)
            if added:
                replaced = {name.lower() for name in added}
                headers = [*(each for each in headers if each[0].lower() not in replaced), *added.items()]
            return start_response(status, headers, *exc_info)

        request.attach()
        body = self._app(environ, start_with_token)
        # Nothing runs while these are sent, and servers know shortcuts for them (a length, sendfile).
        file_wrapper = environ.get("wsgi.file_wrapper")
        if isinstance(body, list | tuple) or (isinstance(file_wrapper, type) and isinstance(body, file_wrapper)):
            return body
        return _Body(context, request, body)

    def _answer(self, path: str, environ: Environ) -> FeedbackResponse:
        async def read_body() -> bytes | None:  # the routes wait for bodies; this one is there
            return _read_body(environ)

        method, query = str(environ.get("REQUEST_METHOD", "")), str(environ.get("QUERY_STRING", ""))
        address = str(environ.get("REMOTE_ADDR", ""))
        return answered_at_once(
            self._routes.answer(path, method, _headers_of(environ), query, read_body, address=address)
        )


class _Body:
    """A streamed answer, made in the context of its request, in whichever thread it is asked for."""

    def __init__(self, context: contextvars.Context, request: RatedRequest, body: Iterable[bytes]) -> None:
        self._context = context
        self._request = request
        self._body = body
        self._chunks: Iterator[bytes] | None = None

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        return self._context.run(self._next)

    def _next(self) -> bytes:
        if self._chunks is None:
            self._request.continue_in_body()
            self._chunks = iter(self._body)
        return next(self._chunks)

    def close(self) -> None:
        """Close what the app returned, as the server would have."""
        close = getattr(self._body, "close", None)
        if close is not None:
            self._context.run(close)


def _code_of(status: str) -> int:
    code = status[:3]
    return int(code) if code.isdigit() else 0


def _headers_of(environ: Environ) -> dict[str, str]:
    """The request's headers, with names in lower case."""
    headers = {
        name.removeprefix("HTTP_").replace("_", "-").lower(): str(value)
        for name, value in environ.items()
        if name.startswith("HTTP_")
    }
    return {**headers, "content-type": str(environ.get("CONTENT_TYPE", ""))}


def _read_body(environ: Environ) -> bytes | None:
    """The whole body, or None as soon as it is known to be too large.

    Without a Content-Length only a server that says so (``wsgi.input_terminated``) ends the input with the body; to
    read from another one could wait for ever.
    """
    declared = str(environ.get("CONTENT_LENGTH") or "")
    if not declared.isdigit() and not environ.get("wsgi.input_terminated"):
        return b""
    missing = int(declared) if declared.isdigit() else MAX_BODY_BYTES + 1
    if declared.isdigit() and missing > MAX_BODY_BYTES:
        return None
    body = bytearray()
    while missing:
        chunk = environ["wsgi.input"].read(min(missing, _READ_BYTES))
        if not chunk:
            break
        body += chunk
        missing -= len(chunk)
    return bytes(body) if len(body) <= MAX_BODY_BYTES else None


def _respond(environ: Environ, start_response: StartResponse, response: FeedbackResponse) -> Iterable[bytes]:
    headers = list(response.headers.items())
    if response.status not in STATUSES_WITHOUT_BODY:
        headers.append(("Content-Length", str(len(response.body))))
    start_response(f"{response.status} {HTTPStatus(response.status).phrase}", headers)
    return [] if environ.get("REQUEST_METHOD") == "HEAD" else [response.body]
