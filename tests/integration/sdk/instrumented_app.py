"""A chat app that knows nothing of otel-feedback but its session; run by opentelemetry-instrument."""

import asyncio
import socket
import sys

import uvicorn
from opentelemetry import trace
from starlette.applications import Starlette
from starlette.responses import JSONResponse, StreamingResponse
from starlette.routing import Route

import otel_feedback

tracer = trace.get_tracer("chat")
LLM = {"gen_ai.operation.name": "chat"}


async def answer(_request):
    with otel_feedback.session("c-42", user="u-7"), tracer.start_as_current_span("chat", attributes=LLM):
        pass
    return JSONResponse({"answer": "Canberra"})


async def stream(_request):
    async def chunks():
        with tracer.start_as_current_span("streamed chat", attributes=LLM):
            yield "Can"
            await asyncio.sleep(0)
            yield "berra"

    return StreamingResponse(chunks())


if __name__ == "__main__":
    app = Starlette(routes=[Route("/answer", answer), Route("/stream", stream)])
    listener = socket.create_server(("127.0.0.1", 0))
    sys.stdout.write(f"{listener.getsockname()[1]}\n")
    sys.stdout.flush()
    uvicorn.Server(uvicorn.Config(app, log_level="warning")).run(sockets=[listener])
