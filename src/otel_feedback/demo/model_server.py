"""An OpenAI-compatible server on this machine, so that the demo needs no key and no internet.

It speaks chat completions, whole or streamed, with tools and token counts, and embeddings, and refuses what OpenAI
refuses, in the same shape. Questions about a "rate limit" are answered with 429, those about a "server error" with 500:
that is how one sees failures of a model in a trace.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from typing import Any, Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from otel_feedback.demo.completion import Completion, count_prompt_tokens
from otel_feedback.demo.completion_request import CompletionRequest, parse_completion_request
from otel_feedback.demo.embedding import EMBEDDING_MODEL, parse_embedding_request
from otel_feedback.demo.refusal import RefusedRequestError
from otel_feedback.demo.replies import reply_to, text_of
from otel_feedback.demo.shop import DEFAULT_MODEL


@dataclass(frozen=True, slots=True)
class _Pace:
    """How long a model thinks, and how long it takes for a word."""

    first_seconds: float
    word_seconds: float


MODELS: Final = {DEFAULT_MODEL: _Pace(0.15, 0.02), "shop-assistant-large": _Pace(0.4, 0.03)}
_RATE_LIMIT: Final = re.compile(r"\b(rate limit|too many requests)", re.IGNORECASE)
_SERVER_ERROR: Final = re.compile(r"\b(server error|crash)", re.IGNORECASE)


async def complete(request: Request) -> Response:
    """``POST /v1/chat/completions``."""
    asked = parse_completion_request(await request.body())
    pace = _pace(asked.model)
    _fail_on_request(asked)
    reply = reply_to(asked.messages, asked.tools)
    completion = Completion(reply, asked.model, count_prompt_tokens(asked.messages), asked.max_tokens)
    if asked.stream:
        events = _events(completion, pace, include_usage=asked.include_usage)
        return StreamingResponse(events, media_type="text/event-stream", headers={"Cache-Control": "no-cache"})
    await asyncio.sleep(pace.first_seconds + pace.word_seconds * len(completion.pieces))
    return JSONResponse(completion.whole())


async def embed(request: Request) -> Response:
    """``POST /v1/embeddings``."""
    asked = parse_embedding_request(await request.body())
    if asked.model != EMBEDDING_MODEL:
        raise _no_such_model(asked.model, [EMBEDDING_MODEL])
    return JSONResponse(asked.answer())


async def list_models(_request: Request) -> Response:
    """``GET /v1/models``; the first one chats."""
    return JSONResponse({"object": "list", "data": [_describe(name) for name in (*MODELS, EMBEDDING_MODEL)]})


async def show_model(request: Request) -> Response:
    """``GET /v1/models/{model}``."""
    name = request.path_params["model"]
    if name not in {*MODELS, EMBEDDING_MODEL}:
        raise _no_such_model(name, [*MODELS, EMBEDDING_MODEL])
    return JSONResponse(_describe(name))


async def _events(completion: Completion, pace: _Pace, *, include_usage: bool) -> AsyncIterator[str]:
    await asyncio.sleep(pace.first_seconds)
    for chunk in completion.chunks(include_usage=include_usage):
        yield f"data: {json.dumps(chunk)}\n\n"
        await asyncio.sleep(pace.word_seconds)
    yield "data: [DONE]\n\n"


def _pace(model: str) -> _Pace:
    if model not in MODELS:
        raise _no_such_model(model, MODELS)
    return MODELS[model]


def _no_such_model(model: str, known: Iterable[str]) -> RefusedRequestError:
    told = f"The model `{model}` does not exist. Known are {', '.join(known)}."
    return RefusedRequestError(404, told, code="model_not_found")


def _fail_on_request(asked: CompletionRequest) -> None:
    question = text_of(asked.messages[-1]) if asked.messages[-1]["role"] == "user" else ""
    if _RATE_LIMIT.search(question):
        raise RefusedRequestError(
            429, "Rate limit reached for requests. Try again later.", kind="requests", code="rate_limit_exceeded"
        )
    if _SERVER_ERROR.search(question):
        raise RefusedRequestError(500, "The server had an error while processing your request.", kind="server_error")


def _describe(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": 1_767_225_600, "owned_by": "demo"}


async def _refuse(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RefusedRequestError)  # noqa: S101  # what it is registered for
    # The official client tries 429 and 5xx again; here that need not take long.
    headers = {"Retry-After-Ms": "100"} if error.status in {429, 500} else {}
    return JSONResponse(error.content, status_code=error.status, headers=headers)


async def _refuse_path(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101  # as above
    message = f"Invalid URL ({request.method} {request.url.path})"
    content = RefusedRequestError(error.status_code, message).content
    return JSONResponse(content, status_code=error.status_code, headers=error.headers)


app = Starlette(
    routes=[
        Route("/v1/chat/completions", complete, methods=["POST"]),
        Route("/v1/embeddings", embed, methods=["POST"]),
        Route("/v1/models", list_models),
        Route("/v1/models/{model}", show_model),
    ],
    exception_handlers={RefusedRequestError: _refuse, HTTPException: _refuse_path},
)
