"""The OTLP port over HTTP: OTLP in protobuf and JSON, ratings from browsers, the widget, health and metrics."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from otel_feedback.errors import OtelFeedbackError
from otel_feedback.feedback_api import (
    FEEDBACK_PATH,
    MAX_BODY_BYTES,
    WIDGET_PATH,
    FeedbackApi,
    FeedbackRequest,
    error_response,
)
from otel_feedback.service.answers import JSON, PROTOBUF, error_bytes, success_bytes
from otel_feedback.service.bearer import BearerTokens
from otel_feedback.service.durable_queue.queue import QueueBusyError
from otel_feedback.service.intake import Intake
from otel_feedback.service.otlp_request import MalformedRequestError, OtlpSignal
from otel_feedback.service.request_body import (
    BodyTooLargeError,
    BrokenGzipError,
    UnsupportedEncodingError,
    read_body,
)
from otel_feedback.service.telemetry import CONTENT_TYPE
from otel_feedback.settings import Settings
from otel_feedback.widget import serving

# google.rpc.Code, the codes that go into a Status
_INVALID_ARGUMENT: Final = 3
_RESOURCE_EXHAUSTED: Final = 8
_UNAVAILABLE: Final = 14
_UNAUTHENTICATED: Final = 16
_CLIENT_CLOSED_REQUEST: Final = 499

_ERRORS: Final[dict[type[OtelFeedbackError], tuple[int, int]]] = {
    MalformedRequestError: (400, _INVALID_ARGUMENT),
    BrokenGzipError: (400, _INVALID_ARGUMENT),
    BodyTooLargeError: (413, _RESOURCE_EXHAUSTED),
    UnsupportedEncodingError: (415, _INVALID_ARGUMENT),
}
Endpoint = Callable[[Request], Awaitable[Response]]


def create_http_app(
    settings: Settings,
    intake: Intake,
    feedback_api: FeedbackApi,
    *,
    readiness: Callable[[], Awaitable[tuple[bool, dict[str, str]]]],
    metrics_text: Callable[[], str],
) -> Starlette:
    """The ASGI app of the OTLP/HTTP port.

    ``readiness`` answers whether requests are taken, and the state of each part; ``metrics_text`` is Prometheus text.
    """
    otlp = OtlpEndpoints(settings, intake)

    async def healthz(_: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def readyz(_: Request) -> Response:
        is_ready, parts = await readiness()
        return JSONResponse({"ready": is_ready, **parts}, status_code=200 if is_ready else 503)

    async def metrics(_: Request) -> Response:
        return Response(metrics_text(), media_type=CONTENT_TYPE)

    return Starlette(
        routes=[
            Route("/v1/traces", otlp.endpoint("traces"), methods=["POST"]),
            Route("/v1/logs", otlp.endpoint("logs"), methods=["POST"]),
            Route("/v1/metrics", otlp.endpoint("metrics"), methods=["POST"]),
            Route(FEEDBACK_PATH, feedback_endpoint(feedback_api), methods=["GET", "POST", "DELETE", "OPTIONS"]),
            Route(WIDGET_PATH, widget_endpoint, methods=list(serving.METHODS)),
            Route("/healthz", healthz),
            Route("/readyz", readyz),
            Route("/metrics", metrics),
        ]
    )


class OtlpEndpoints:
    """``POST /v1/{traces,logs,metrics}``; the answer's content type is the request's, also for errors."""

    def __init__(self, settings: Settings, intake: Intake) -> None:
        self._max_request_bytes = settings.max_request_bytes
        self._tokens = BearerTokens(settings.ingest_tokens)
        self._intake = intake

    def endpoint(self, signal: OtlpSignal) -> Endpoint:
        """The endpoint of one signal."""

        async def export(request: Request) -> Response:
            return await self._export(signal, request)

        return export

    async def _export(self, signal: OtlpSignal, request: Request) -> Response:
        content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if content_type not in {PROTOBUF, JSON}:
            message = f"Content-Type {content_type!r} is not OTLP; send {PROTOBUF} or {JSON}"
            return _error(415, _INVALID_ARGUMENT, message, JSON)
        if not self._tokens.admit(request.headers.get("authorization", "")):
            message = "a bearer token of OTEL_FEEDBACK_INGEST_TOKENS is needed"
            return _error(401, _UNAUTHENTICATED, message, content_type, {"WWW-Authenticate": "Bearer"})
        try:
            body = await read_body(request, self._max_request_bytes)
            taken = await self._intake.take(signal, body, transport="http", is_json=content_type == JSON)
        except QueueBusyError as error:
            retry_after = {"Retry-After": str(error.retry_after_seconds)}
            return _error(503, _UNAVAILABLE, str(error), content_type, retry_after)
        except tuple(_ERRORS) as error:
            status, code = _ERRORS[type(error)]
            return _error(status, code, str(error), content_type)
        except ClientDisconnect:
            return Response(status_code=_CLIENT_CLOSED_REQUEST)
        return Response(success_bytes(signal, taken, content_type), media_type=content_type)


def _error(status: int, code: int, message: str, content_type: str, headers: dict[str, str] | None = None) -> Response:
    return Response(error_bytes(code, message, content_type), status, headers, media_type=content_type)


def feedback_endpoint(api: FeedbackApi) -> Endpoint:
    """``/v1/feedback`` in Starlette's terms."""

    async def answer(request: Request) -> Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        try:
            body = await read_body(request, MAX_BODY_BYTES)
        except BodyTooLargeError as error:
            answered = error_response(413, "too_large", str(error))
        except (UnsupportedEncodingError, BrokenGzipError) as error:
            answered = error_response(400, "invalid_encoding", str(error))
        except ClientDisconnect:
            return Response(status_code=_CLIENT_CLOSED_REQUEST)
        else:
            answered = await api.answer(FeedbackRequest(request.method, headers, dict(request.query_params), body))
        return Response(answered.body, answered.status, dict(answered.headers))

    return answer


async def widget_endpoint(request: Request) -> Response:
    """``/feedback.js`` in Starlette's terms."""
    answered = serving.answer(request.method, ",".join(request.headers.getlist("if-none-match")))
    return Response(answered.body, answered.status, dict(answered.headers))
