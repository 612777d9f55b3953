"""A small shop's chat, as one finds it anywhere: a page, an endpoint, the official client.

    opentelemetry-instrument uvicorn --factory otel_feedback.demo.chat_app:create_app

instruments it. Of otel-feedback it has the one ``session`` below, and the ``<llm-feedback>`` tag in its page.
"""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import openai
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

import otel_feedback
from otel_feedback.demo.assistant import answer
from otel_feedback.demo.chat_request import MAX_BODY_BYTES, ChatRequestError, parse_chat_request
from otel_feedback.demo.shop import DEFAULT_MODEL, PROMPT_NAME, PROMPT_VERSION

STATIC: Final = Path(__file__).with_name("static")
PROMPT: Final = {"gen_ai.prompt.name": PROMPT_NAME, "gen_ai.prompt.version": PROMPT_VERSION}
PAGE_HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def create_app() -> Starlette:
    """The app, with the model of OPENAI_MODEL and the client of OPENAI_BASE_URL and OPENAI_API_KEY."""
    client = openai.AsyncOpenAI(max_retries=1, timeout=60)
    model = os.environ.get("OPENAI_MODEL") or DEFAULT_MODEL

    async def page(_request: Request) -> Response:
        return FileResponse(STATIC / "index.html", headers=PAGE_HEADERS)

    async def chat(request: Request) -> Response:
        try:
            body = await _read_body(request)
            asked = parse_chat_request(body)
        except ChatRequestError as error:
            return _refuse(400, "invalid_request", str(error))
        pieces = answer(client, model, asked.messages)
        with otel_feedback.session(asked.conversation, user=asked.user, attributes=PROMPT):
            try:
                first = await anext(pieces, "")
            except openai.OpenAIError as error:
                return _refuse(*_in_words(error))
        return StreamingResponse(_lines(first, pieces), media_type="application/x-ndjson")

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        async with client:
            yield

    return Starlette(
        lifespan=lifespan,
        routes=[
            Route("/", page),
            Route("/api/chat", chat, methods=["POST"]),
            Mount("/static", StaticFiles(directory=STATIC)),
        ],
    )


async def _read_body(request: Request) -> bytes:
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MAX_BODY_BYTES:
            raise ChatRequestError(f"the body has more than {MAX_BODY_BYTES} bytes")
    return bytes(body)


async def _lines(first: str, pieces: AsyncIterator[str]) -> AsyncIterator[str]:
    """A line of JSON for each piece: ``{"text"}``, and at the end ``{"done"}``, or ``{"error"}`` if it broke off."""
    try:
        yield _line(text=first)
        async for piece in pieces:
            yield _line(text=piece)
    except openai.OpenAIError as error:
        yield _line(error=_in_words(error)[2])
    else:
        yield _line(done=True)


def _line(**content: str | bool) -> str:
    return json.dumps(content) + "\n"


def _refuse(status: int, code: str, message: str) -> Response:
    return JSONResponse({"error": {"code": code, "message": message}}, status_code=status)


def _in_words(error: openai.OpenAIError) -> tuple[int, str, str]:
    """The status, a code, and what to tell a person, who can't do anything with the model's own words."""
    match error:
        case openai.RateLimitError():
            return 429, "busy", "The assistant is busy. Wait a moment, then ask again."
        case openai.APIConnectionError():
            return 502, "unreachable", "The assistant can't be reached at the moment. Try again in a minute."
        case openai.AuthenticationError() | openai.PermissionDeniedError():
            return 502, "key_refused", "The model's server refuses the key. Check OPENAI_API_KEY."
        case openai.NotFoundError():
            return 502, "unknown_model", "The model's server does not know the model. Check OPENAI_MODEL."
        case _:
            return 502, "failed", "The assistant could not answer. Ask again, or put it in other words."
