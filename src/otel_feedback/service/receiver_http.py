"""The OTLP port over HTTP: OTLP in protobuf and JSON, ratings from browsers, the widget, health and metrics."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
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
from otel_feedback.service.answers import (
    INVALID_ARGUMENT,
    JSON,
    NOT_FOUND,
    PERMISSION_DENIED,
    PROTOBUF,
    RESOURCE_EXHAUSTED,
    UNAUTHENTICATED,
    UNAVAILABLE,
    UNIMPLEMENTED,
    error_bytes,
    success_bytes,
)
from otel_feedback.service.bearer import BearerTokens
from otel_feedback.service.body_budget import BodyBudget
from otel_feedback.service.connection_limits import DEFAULT_CONNECTION_LIMITS, ConnectionLimits
from otel_feedback.service.cors import AllowedOrigins
from otel_feedback.service.durable_queue.busy import QueueBusyError
from otel_feedback.service.intake import Intake
from otel_feedback.service.otlp_request import MalformedRequestError, OtlpSignal
from otel_feedback.service.request_body import (
    BodyTooLargeError,
    BodyTooSlowError,
    BrokenGzipError,
    UnsupportedEncodingError,
    read_body,
)
from otel_feedback.service.telemetry import Outcome
from otel_feedback.settings import Settings
from otel_feedback.widget import serving

_CLIENT_CLOSED_REQUEST: Final = 499
_SLOW_RETRY_SECONDS: Final = 30

_ERRORS: Final[dict[type[OtelFeedbackError], tuple[int, int]]] = {
    MalformedRequestError: (400, INVALID_ARGUMENT),
    BrokenGzipError: (400, INVALID_ARGUMENT),
    BodyTooLargeError: (413, RESOURCE_EXHAUSTED),
    UnsupportedEncodingError: (415, INVALID_ARGUMENT),
}
_OTLP_PATHS: Final[dict[str, OtlpSignal]] = {"/v1/traces": "traces", "/v1/logs": "logs", "/v1/metrics": "metrics"}
_EVERY_METHOD: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_REFUSALS: Final[dict[int, Outcome]] = {
    400: "malformed",
    401: "unauthenticated",
    403: "unauthenticated",
    413: "too_large",
    415: "unsupported",
}
"""What each status for good counts as."""

Endpoint = Callable[[Request], Awaitable[Response]]


def create_http_app(
    settings: Settings,
    intake: Intake,
    budget: BodyBudget,
    tokens: BearerTokens,
    feedback_api: FeedbackApi,
    *,
    readiness: Callable[[], Awaitable[tuple[bool, dict[str, Any]]]],
    exposition: Callable[[str], tuple[bytes, str]],
) -> Starlette:
    """The ASGI app of the OTLP/HTTP port.

    ``budget`` and ``tokens`` are shared with the gRPC port. ``readiness`` answers whether requests are taken, and the
    state of each part; ``exposition`` tells the metrics in the format that an Accept header prefers, and the format's
    content type.
    """
    otlp = OtlpEndpoints(settings, intake, budget, tokens)

    async def healthz(_: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def readyz(_: Request) -> Response:
        is_ready, parts = await readiness()
        return JSONResponse({"ready": is_ready, **parts}, status_code=200 if is_ready else 503)

    async def metrics(request: Request) -> Response:
        text, content_type = exposition(request.headers.get("accept", ""))
        return Response(text, headers={"Content-Type": content_type})

    return Starlette(
        routes=[
            *(Route(path, otlp.endpoint(signal), methods=["POST", "OPTIONS"]) for path, signal in _OTLP_PATHS.items()),
            Route(FEEDBACK_PATH, feedback_endpoint(feedback_api, budget), methods=list(_EVERY_METHOD)),
            Route(WIDGET_PATH, widget_endpoint, methods=list(serving.METHODS)),
            Route("/healthz", healthz),
            Route("/readyz", readyz),
            Route("/metrics", metrics),
        ],
        exception_handlers={HTTPException: _no_such_endpoint},
    )


class OtlpEndpoints:
    """``POST /v1/{traces,logs,metrics}``; the answer's content type is the request's, also for errors."""

    def __init__(
        self,
        settings: Settings,
        intake: Intake,
        budget: BodyBudget,
        tokens: BearerTokens,
        limits: ConnectionLimits = DEFAULT_CONNECTION_LIMITS,
    ) -> None:
        self._max_request_bytes = settings.max_request_bytes
        self._needs_certificate = bool(settings.tls_client_ca)
        self._tokens = tokens
        self._origins = AllowedOrigins(settings.allowed_origins)
        self._intake = intake
        self._budget = budget
        self._limits = limits

    def endpoint(self, signal: OtlpSignal) -> Endpoint:
        """The endpoint of one signal."""

        async def export(request: Request) -> Response:
            if request.method == "OPTIONS":
                return Response(status_code=204, headers=self._origins.preflight_headers(request))
            answer = self._refusal(request) or await self._export(signal, request)
            answer.headers.update(self._origins.headers(request))
            if outcome := _REFUSALS.get(answer.status_code):
                self._intake.count_refused(signal, "http", outcome)
            return answer

        return export

    def _refusal(self, request: Request) -> Response | None:
        """The answer to a request of which not even the body is read; None: it may come in."""
        content_type = _content_type(request)
        if content_type not in {PROTOBUF, JSON}:
            message = f"Content-Type {content_type!r} is not OTLP; send {PROTOBUF} or {JSON}"
            return _error(415, INVALID_ARGUMENT, message, JSON)
        if self._needs_certificate and not request.scope["extensions"]["tls"]["client_cert_name"]:
            message = "a client certificate that OTEL_FEEDBACK_TLS_CLIENT_CA signed is needed"
            return _error(403, PERMISSION_DENIED, message, content_type)
        if not self._tokens.admit(request.headers.get("authorization", "")):
            message = "a bearer token of OTEL_FEEDBACK_INGEST_TOKENS is needed"
            return _error(401, UNAUTHENTICATED, message, content_type, {"WWW-Authenticate": "Bearer"})
        return None

    async def _export(self, signal: OtlpSignal, request: Request) -> Response:
        content_type = _content_type(request)
        try:
            with self._budget.hold() as held:
                body = await read_body(request, self._max_request_bytes, held, self._limits)
                taken = await self._intake.take(signal, body, transport="http", is_json=content_type == JSON)
        except QueueBusyError as error:
            self._intake.count_refused(signal, "http", "busy")
            retry_after = {"Retry-After": str(error.retry_after_seconds)}
            return _error(503, UNAVAILABLE, str(error), content_type, retry_after)
        except BodyTooSlowError as error:
            self._intake.count_refused(signal, "http", "slow")
            # 408 would be the word for it, but OTLP's clients drop what was answered so. A slow line is no reason.
            retry_after = {"Retry-After": str(_SLOW_RETRY_SECONDS), "Connection": "close"}
            return _error(503, UNAVAILABLE, str(error), content_type, retry_after)
        except tuple(_ERRORS) as error:
            status, code = _ERRORS[type(error)]
            return _error(status, code, str(error), content_type)
        except ClientDisconnect:
            return Response(status_code=_CLIENT_CLOSED_REQUEST)
        return Response(success_bytes(signal, taken, content_type), media_type=content_type)


async def _no_such_endpoint(request: Request, error: Exception) -> Response:
    """404 and 405 as OTLP wants errors: a google.rpc.Status, in protobuf for whoever sent protobuf."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    if status == 405:
        code, message = UNIMPLEMENTED, f"{request.url.path} takes no {request.method}"
    else:
        code, message = NOT_FOUND, f"there is no {request.url.path}; OTLP goes to {', '.join(_OTLP_PATHS)}"
    headers = dict(error.headers or {}) if isinstance(error, HTTPException) else {}
    return _error(status, code, message, PROTOBUF if _content_type(request) == PROTOBUF else JSON, headers)


def _content_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _error(status: int, code: int, message: str, content_type: str, headers: dict[str, str] | None = None) -> Response:
    return Response(error_bytes(code, message, content_type), status, headers, media_type=content_type)


def feedback_endpoint(api: FeedbackApi, budget: BodyBudget) -> Endpoint:
    """``/v1/feedback`` in Starlette's terms."""

    async def answer(request: Request) -> Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        try:
            with budget.hold() as held:
                body = await read_body(request, MAX_BODY_BYTES, held)
        except BodyTooLargeError as error:
            answered = error_response(413, "too_large", str(error))
        except (UnsupportedEncodingError, BrokenGzipError) as error:
            answered = error_response(400, "invalid_encoding", str(error))
        except BodyTooSlowError as error:
            answered = error_response(408, "too_slow", str(error), {"Connection": "close"})
        except QueueBusyError as error:
            answered = error_response(503, "busy", f"{error}; try again")
        except ClientDisconnect:
            return Response(status_code=_CLIENT_CLOSED_REQUEST)
        else:
            address = request.client.host if request.client else ""
            query = dict(request.query_params)
            answered = await api.answer(FeedbackRequest(request.method, headers, query, body, address))
        return Response(answered.body, answered.status, dict(answered.headers))

    return answer


async def widget_endpoint(request: Request) -> Response:
    """``/feedback.js`` in Starlette's terms."""
    answered = serving.answer(request.method, ",".join(request.headers.getlist("if-none-match")))
    return Response(answered.body, answered.status, dict(answered.headers))
