"""Spans as an LLM app sends them: about 620 bytes each, five to a trace, one of them an LLM call with its messages."""

from __future__ import annotations

import json
import random
import time

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from tests.support.otlp import attributes

SPANS_PER_TRACE = 5
WORDS = ["model", "answers", "question", "order", "refund", "policy", "shipping", "delay", "manual", "please"]
CHAT_OPERATION = 3


def make_requests(spans: int, spans_per_request: int, seed: int) -> list[bytes]:
    """Serialised requests holding ``spans`` spans in all."""
    chance = random.Random(seed)
    made: list[bytes] = []
    while spans > 0:
        size = min(spans, spans_per_request)
        made.append(_request(size, chance).SerializeToString())
        spans -= size
    return made


def _request(spans: int, chance: random.Random) -> ExportTraceServiceRequest:
    request = ExportTraceServiceRequest()
    resource_spans = request.resource_spans.add()
    resource = {"service.name": "chat-api", "service.version": "1.2.3", "telemetry.sdk.language": "python"}
    resource_spans.resource.attributes.extend(attributes(resource))
    scope_spans = resource_spans.scope_spans.add()
    scope_spans.scope.name = "opentelemetry.util.genai.handler"
    now = time.time_ns()
    trace_id, session, user = b"", "", ""
    for index in range(spans):
        if index % SPANS_PER_TRACE == 0:
            trace_id = chance.randbytes(16)
            session, user = f"s-{chance.randrange(10**6)}", f"u-{chance.randrange(10**5)}"
        scope_spans.spans.append(_span(index % SPANS_PER_TRACE, trace_id, session, user, now, chance))
    return request


def _span(position: int, trace_id: bytes, session: str, user: str, now: int, chance: random.Random) -> Span:
    start = now - chance.randrange(10**10)
    span = Span(
        trace_id=trace_id,
        span_id=chance.randbytes(8),
        name=("POST /chat", "retrieve", "embeddings text-embedding-3", "chat gpt-4o", "postprocess")[position],
        kind=Span.SPAN_KIND_SERVER if position == 0 else Span.SPAN_KIND_CLIENT,
        start_time_unix_nano=start,
        end_time_unix_nano=start + chance.randrange(10**9),
    )
    span.attributes.extend(attributes({"session.id": session, "user.id": user}))
    if position != CHAT_OPERATION:
        plain = {"http.request.method": "POST", "url.path": "/chat", "http.response.status_code": 200}
        span.attributes.extend(attributes({**plain, "server.address": "api", "network.peer.address": "10.0.0.7"}))
        return span
    asked = [{"role": "user", "parts": [{"type": "text", "content": _text(80, chance)}]}]
    answered = [{"role": "assistant", "parts": [{"type": "text", "content": _text(120, chance)}]}]
    span.attributes.extend(
        attributes(
            {
                "gen_ai.operation.name": "chat",
                "gen_ai.provider.name": "openai",
                "gen_ai.request.model": "gpt-4o",
                "gen_ai.response.model": "gpt-4o-2024-08-06",
                "gen_ai.usage.input_tokens": chance.randrange(3000),
                "gen_ai.usage.output_tokens": chance.randrange(800),
                "gen_ai.request.temperature": 0.7,
                "gen_ai.response.finish_reasons": ["stop"],
                "gen_ai.input.messages": json.dumps(asked),
                "gen_ai.output.messages": json.dumps(answered),
            }
        )
    )
    return span


def _text(words: int, chance: random.Random) -> str:
    return " ".join(chance.choices(WORDS, k=words))
