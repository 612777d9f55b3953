"""OTLP/gRPC: the Trace, Logs and Metrics services on raw bytes, and grpc.health.v1."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any, Final

import grpc  # type: ignore[import-untyped]  # grpcio ships no types
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1.health import aio as health_aio

from otel_feedback.service.answers import INVALID_ARGUMENT, UNAVAILABLE, error_bytes, success_bytes
from otel_feedback.service.bearer import BearerTokens
from otel_feedback.service.body_budget import BodyBudget
from otel_feedback.service.certificates import Certificates
from otel_feedback.service.connection_limits import DEFAULT_CONNECTION_LIMITS, ConnectionLimits
from otel_feedback.service.durable_queue.busy import QueueBusyError
from otel_feedback.service.intake import Intake
from otel_feedback.service.listening import address_in_use, bind
from otel_feedback.service.otlp_request import MalformedRequestError, OtlpSignal
from otel_feedback.settings import Settings

SERVICES: Final[dict[str, OtlpSignal]] = {
    "opentelemetry.proto.collector.trace.v1.TraceService": "traces",
    "opentelemetry.proto.collector.logs.v1.LogsService": "logs",
    "opentelemetry.proto.collector.metrics.v1.MetricsService": "metrics",
}
_VARIABLE: Final = "OTEL_FEEDBACK_GRPC_ADDRESS"


class GrpcReceiver:
    """Answers Export once the request is durable."""

    def __init__(
        self,
        settings: Settings,
        intake: Intake,
        budget: BodyBudget,
        tokens: BearerTokens,
        certificates: Certificates,
        limits: ConnectionLimits = DEFAULT_CONNECTION_LIMITS,
    ) -> None:
        self._settings = settings
        self._intake = intake
        self._budget = budget
        self._limits = limits
        self._tokens = tokens
        self._certificates = certificates
        self._health = health_aio.HealthServicer()
        self._server: Any = None
        self.port = 0

    async def start(self) -> None:
        """Bind and serve.

        Raises:
            ConfigurationError: the address can't be bound.
        """
        settings = self._settings
        self._server = grpc.aio.server(options=_options(settings.max_request_bytes, self._limits))
        self._server.add_generic_rpc_handlers(tuple(self._handler(*service) for service in SERVICES.items()))
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        # gRPC reports a busy port on standard error in its own words; asking first lets us say it in ours.
        bind(settings.grpc_address, _VARIABLE).close()
        try:
            self.port = self._bind(str(settings.grpc_address))
        except RuntimeError:
            raise address_in_use(settings.grpc_address, _VARIABLE) from None
        await self._server.start()
        for name in ("", *SERVICES):
            await self._health.set(name, health_pb2.HealthCheckResponse.SERVING)

    async def stop(self, grace_seconds: float) -> None:
        """Take no new requests; those under way get ``grace_seconds`` to be answered."""
        if self._server is not None:
            await self._health.enter_graceful_shutdown()
            await self._server.stop(grace_seconds)

    def _bind(self, address: str) -> int:
        credentials = self._certificates.for_grpc()
        if credentials is None:
            return int(self._server.add_insecure_port(address))
        return int(self._server.add_secure_port(address, credentials))

    def _handler(self, service: str, signal: OtlpSignal) -> Any:
        async def export(_messages: Any, context: Any) -> bytes:
            return await self._export(signal, context)

        # Export is unary. Served as a stream, it costs the same and the message is read only once it is known that it
        # will be taken; without a deserializer it is the bytes as they came.
        return grpc.method_handlers_generic_handler(service, {"Export": grpc.stream_unary_rpc_method_handler(export)})

    async def _export(self, signal: OtlpSignal, context: Any) -> bytes:
        if self._tokens.are_needed and not self._tokens.admit(_authorization(context)):  # metadata cost 30 microseconds
            self._intake.count_refused(signal, "grpc", "unauthenticated")
            await context.abort(
                grpc.StatusCode.UNAUTHENTICATED, "a bearer token of OTEL_FEEDBACK_INGEST_TOKENS is needed"
            )
        try:
            with self._budget.hold() as held:
                body = await self._read(signal, context)
                held.grow(len(body))
                taken = await self._intake.take(signal, body, transport="grpc")
        except MalformedRequestError as error:
            self._intake.count_refused(signal, "grpc", "malformed")
            await _abort(context, grpc.StatusCode.INVALID_ARGUMENT, error_bytes(INVALID_ARGUMENT, str(error)), error)
        except QueueBusyError as error:
            self._intake.count_refused(signal, "grpc", "busy")
            details = error_bytes(UNAVAILABLE, str(error), retry_after_seconds=error.retry_after_seconds)
            await _abort(context, grpc.StatusCode.UNAVAILABLE, details, error)
        return success_bytes(signal, taken)

    async def _read(self, signal: OtlpSignal, context: Any) -> bytes:
        try:
            async with asyncio.timeout(self._limits.body_seconds):
                body = await context.read()
        except TimeoutError:
            self._intake.count_refused(signal, "grpc", "slow")
            await context.abort(
                grpc.StatusCode.DEADLINE_EXCEEDED, f"the request did not come within {self._limits.body_seconds:g} s"
            )
        if body is grpc.aio.EOF:
            raise MalformedRequestError("the call ended without a request")
        return bytes(body)


async def _abort(context: Any, code: Any, details: bytes, error: Exception) -> None:
    context.set_trailing_metadata((("grpc-status-details-bin", details),))
    await context.abort(code, str(error))


def _options(max_request_bytes: int, limits: ConnectionLimits) -> list[tuple[str, int]]:
    def milliseconds(seconds: float) -> int:
        return int(seconds * 1000)

    return [
        # Also bounds decompression: gRPC stops to inflate a message at this size.
        ("grpc.max_receive_message_length", max_request_bytes),
        ("grpc.so_reuseport", 0),  # two services on one port would share its traffic unnoticed
        ("grpc.max_connection_age_ms", milliseconds(limits.age_seconds)),
        ("grpc.max_connection_age_grace_ms", milliseconds(limits.body_seconds)),
        ("grpc.keepalive_time_ms", milliseconds(limits.silence_seconds)),
        ("grpc.keepalive_timeout_ms", milliseconds(limits.pong_seconds)),
        (
            "grpc.http2.ping_timeout_ms",
            milliseconds(limits.pong_seconds),
        ),  # else a minute, whatever the line above says
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.min_ping_interval_without_data_ms", milliseconds(limits.shortest_ping_seconds)),
    ]


def _authorization(context: Any) -> str:
    with contextlib.suppress(StopIteration):
        return str(next(value for key, value in context.invocation_metadata() or () if key == "authorization"))
    return ""
