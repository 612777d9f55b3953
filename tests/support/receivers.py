"""Both receivers in this process, in front of a real queue, without a database: for limits that a test must shorten."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Coroutine, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.routing import Route

from otel_feedback.service.bearer import BearerTokens
from otel_feedback.service.body_budget import BodyBudget
from otel_feedback.service.certificates import Certificates
from otel_feedback.service.connection_limits import ConnectionLimits
from otel_feedback.service.durable_queue.queue import DurableQueue
from otel_feedback.service.durable_queue.segment_log import Limits
from otel_feedback.service.http_server import HttpServer
from otel_feedback.service.intake import Intake
from otel_feedback.service.receiver_grpc import GrpcReceiver
from otel_feedback.service.receiver_http import OtlpEndpoints
from otel_feedback.service.telemetry import Telemetry
from otel_feedback.settings import Settings

START_SECONDS = 30.0


@dataclass(frozen=True)
class Receivers:
    """Where they listen, and what they share."""

    grpc: str
    http_port: int
    budget: BodyBudget
    telemetry: Telemetry

    @property
    def http(self) -> str:
        """The URL of the OTLP/HTTP port."""
        return f"http://127.0.0.1:{self.http_port}"


@contextlib.contextmanager
def running_receivers(
    folder: Path,
    connection_limits: ConnectionLimits,
    *,
    queue_limits: Limits | None = None,
    environment: Mapping[str, str] | None = None,
) -> Iterator[Receivers]:
    """Both receivers for traces; they end with the block."""
    settings = Settings.load(
        {
            "OTEL_FEEDBACK_DATA_DIR": str(folder),
            "OTEL_FEEDBACK_GRPC_ADDRESS": "127.0.0.1:0",
            "OTEL_FEEDBACK_HTTP_ADDRESS": "127.0.0.1:0",
            **(environment or {}),
        }
    )
    telemetry = Telemetry()
    queue = DurableQueue(
        folder / "queue", folder / "rejected", signal="traces", telemetry=telemetry, limits=queue_limits or Limits()
    )
    queue.start()
    intake = Intake({"traces": queue}, telemetry)
    budget = BodyBudget(settings.max_request_bytes)
    tokens = BearerTokens(settings.ingest_tokens)
    endpoints = OtlpEndpoints(settings, intake, budget, tokens, connection_limits)
    app = Starlette(routes=[Route("/v1/traces", endpoints.endpoint("traces"), methods=["POST"])])
    http = HttpServer(app, settings.http_address, "OTEL_FEEDBACK_HTTP_ADDRESS", limits=connection_limits)
    grpc = GrpcReceiver(settings, intake, budget, tokens, Certificates(settings), connection_limits)

    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    def run(work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, loop).result(START_SECONDS)

    try:
        run(grpc.start())
        run(http.start())
        port = int(http.url.rpartition(":")[2])
        yield Receivers(f"127.0.0.1:{grpc.port}", port, budget, telemetry)
    finally:
        run(grpc.stop(0))
        run(http.stop())
        queue.close(START_SECONDS)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(START_SECONDS)
        loop.close()
