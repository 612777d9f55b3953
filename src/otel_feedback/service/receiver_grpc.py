"""OTLP/gRPC: the Trace, Logs and Metrics services on raw bytes, and grpc.health.v1."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any, Final

import grpc  # type: ignore[import-untyped]  # grpcio ships no types
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1.health import aio as health_aio

from otel_feedback.service.answers import error_bytes, success_bytes
from otel_feedback.service.bearer import BearerTokens
from otel_feedback.service.durable_queue.queue import QueueBusyError
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
_UNAVAILABLE: Final = 14


class GrpcReceiver:
    """Answers Export once the request is durable."""

    def __init__(self, settings: Settings, intake: Intake) -> None:
        self._settings = settings
        self._intake = intake
        self._tokens = BearerTokens(settings.ingest_tokens)
        self._health = health_aio.HealthServicer()
        self._server: Any = None
        self.port = 0

    async def start(self) -> None:
        """Bind and serve.

        Raises:
            ConfigurationError: the address can't be bound.
        """
        settings = self._settings
        self._server = grpc.aio.server(
            options=[
                ("grpc.max_receive_message_length", settings.max_request_bytes),
                ("grpc.so_reuseport", 0),  # two services on one port would share its traffic unnoticed
            ]
        )
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
        if not self._settings.tls_cert:
            return int(self._server.add_insecure_port(address))
        certificate = Path(self._settings.tls_cert).read_bytes()
        key = Path(self._settings.tls_key).read_bytes()
        return int(self._server.add_secure_port(address, grpc.ssl_server_credentials([(key, certificate)])))

    def _handler(self, service: str, signal: OtlpSignal) -> Any:
        async def export(body: bytes, context: Any) -> bytes:
            return await self._export(signal, body, context)

        # Without a deserializer the handler gets the bytes as they came.
        return grpc.method_handlers_generic_handler(service, {"Export": grpc.unary_unary_rpc_method_handler(export)})

    async def _export(self, signal: OtlpSignal, body: bytes, context: Any) -> bytes:
        if not self._tokens.admit(_authorization(context)):
            await context.abort(
                grpc.StatusCode.UNAUTHENTICATED, "a bearer token of OTEL_FEEDBACK_INGEST_TOKENS is needed"
            )
        try:
            taken = await self._intake.take(signal, body, transport="grpc")
        except MalformedRequestError as error:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        except QueueBusyError as error:
            details = error_bytes(_UNAVAILABLE, str(error), retry_after_seconds=error.retry_after_seconds)
            context.set_trailing_metadata((("grpc-status-details-bin", details),))
            await context.abort(grpc.StatusCode.UNAVAILABLE, str(error))
        return success_bytes(signal, taken)


def _authorization(context: Any) -> str:
    with contextlib.suppress(StopIteration):
        return str(next(value for key, value in context.invocation_metadata() or () if key == "authorization"))
    return ""
