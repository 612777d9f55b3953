"""What every app here does, whatever its framework, and how it is set up and announced."""

from __future__ import annotations

import os
import socket
import sys
import threading
from typing import Any

from opentelemetry import trace

import otel_feedback

tracer = trace.get_tracer("chat")
LLM = {"gen_ai.operation.name": "chat"}
# All that the routes below answer, but for what the framework has to do.
PATHS = ("/answer", "/stream", "/thread", "/page", "/failing")


def answer() -> dict[str, str]:
    with otel_feedback.session("c-42", user="u-7"), tracer.start_as_current_span("chat", attributes=LLM) as span:
        span.set_attribute("gen_ai.response.id", "chatcmpl-9")
    return {"answer": "Canberra"}


def thread() -> dict[str, str]:
    def call() -> None:
        tracer.start_span("chat in a thread", attributes=LLM).end()

    with otel_feedback.session("c-42", user="u-7"):
        started = threading.Thread(target=call)
        started.start()
        started.join()
    return {"answer": "Canberra"}


def stream() -> Any:
    """The session ends before its answer begins."""
    with otel_feedback.session("c-42", user="u-7"):
        return chunks()


def chunks() -> Any:
    with tracer.start_as_current_span("streamed chat", attributes=LLM):
        yield b"Can"
        yield b"berra"


def async_stream() -> Any:
    with otel_feedback.session("c-42", user="u-7"):
        return async_chunks()


async def async_chunks() -> Any:
    with tracer.start_as_current_span("streamed chat", attributes=LLM):
        yield b"Can"
        yield b"berra"


def fail() -> None:
    with tracer.start_as_current_span("chat", attributes=LLM):
        raise ValueError("on purpose")


def covered(app: Any, middleware: type[Any] | None = None) -> Any:
    """The app, set up as MODE says: not at all, by the one-liner, or by the bare middleware."""
    mode = os.environ.get("MODE", "")
    if mode:
        _export()
    if mode == "one-liner":
        otel_feedback.instrument()
    if mode == "middleware" and middleware is not None:
        return middleware(app)
    return app


def _export() -> None:
    from opentelemetry._logs import set_logger_provider  # noqa: PLC0415  # an app under the command has no need of it
    from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter  # noqa: PLC0415
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
    from opentelemetry.sdk._logs import LoggerProvider  # noqa: PLC0415
    from opentelemetry.sdk._logs.export import BatchLogRecordProcessor  # noqa: PLC0415
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

    provider, loggers = TracerProvider(), LoggerProvider()
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    loggers.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter()))
    trace.set_tracer_provider(provider)
    set_logger_provider(loggers)


def listen() -> socket.socket:
    """A socket at a free port, which the parent reads."""
    listener = socket.create_server(("127.0.0.1", 0))
    announce(listener.getsockname()[1])
    return listener


def announce(port: int) -> None:
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()


def serve_asgi(app: Any) -> None:
    import uvicorn  # noqa: PLC0415  # not every app here needs it

    uvicorn.Server(uvicorn.Config(app, log_level="warning")).run(sockets=[listen()])


def serve_wsgi(app: Any) -> None:
    from werkzeug.serving import make_server  # noqa: PLC0415  # as above

    server = make_server("127.0.0.1", 0, app, threaded=True)
    announce(server.port)
    server.serve_forever()
