"""LLM-shaped OTLP load: pre-serialised requests, sent over gRPC by a fixed number of callers."""

from __future__ import annotations

import json
import queue
import random
import threading
import time
from dataclasses import dataclass

import grpc
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

METHOD = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
SPANS_PER_TRACE = 5
WORDS = ["model", "answers", "question", "order", "refund", "policy", "shipping", "delay", "manual", "please"]
CHAT_OPERATION = 3


@dataclass(frozen=True)
class Sent:
    """What a run of the load did. ``acknowledged_seconds`` is from the first send to the last answer."""

    started_at: float
    acknowledged_seconds: float
    spans: int


def make_requests(spans: int, spans_per_request: int, seed: int) -> list[bytes]:
    """Requests holding ``spans`` spans in all, about 600 bytes each, five to a trace, one of them an LLM call."""
    chance = random.Random(seed)
    made: list[bytes] = []
    while spans > 0:
        size = min(spans, spans_per_request)
        made.append(_request(size, chance).SerializeToString())
        spans -= size
    return made


def send(requests: list[bytes], address: str, spans: int, callers: int = 8) -> Sent:
    """Send every request until it is acknowledged; ``address`` is host:port of an OTLP/gRPC receiver."""
    waiting: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    for request in requests:
        waiting.put(request)
    barrier = threading.Barrier(callers + 1)
    failures: list[BaseException] = []

    def call_until_empty() -> None:
        try:
            options = [("grpc.use_local_subchannel_pool", 1), ("grpc.max_send_message_length", 64 << 20)]
            with grpc.insecure_channel(address, options=options) as channel:
                export = channel.unary_unary(METHOD)
                grpc.channel_ready_future(channel).result(30)
                barrier.wait()
                _drain(waiting, export)
        except BaseException as error:  # noqa: BLE001  # raised again by the caller's thread
            failures.append(error)
            barrier.abort()

    threads = [threading.Thread(target=call_until_empty) for _ in range(callers)]
    for thread in threads:
        thread.start()
    barrier.wait()
    started_at = time.time()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return Sent(started_at, time.time() - started_at, spans)


def _drain(waiting: queue.SimpleQueue[bytes], export: grpc.UnaryUnaryMultiCallable) -> None:
    retryable = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED}
    while True:
        try:
            request = waiting.get_nowait()
        except queue.Empty:
            return
        while True:
            try:
                export(request, timeout=60)
                break
            except grpc.RpcError as error:
                if error.code() not in retryable:
                    raise
                time.sleep(0.05)


def _request(spans: int, chance: random.Random) -> ExportTraceServiceRequest:
    request = ExportTraceServiceRequest()
    resource_spans = request.resource_spans.add()
    resource = {"service.name": "chat-api", "service.version": "1.2.3", "telemetry.sdk.language": "python"}
    resource_spans.resource.attributes.extend(_attributes(resource))
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
    span.attributes.extend(_attributes({"session.id": session, "user.id": user}))
    if position != CHAT_OPERATION:
        plain = {"http.request.method": "POST", "url.path": "/chat", "http.response.status_code": 200}
        span.attributes.extend(_attributes({**plain, "server.address": "api", "network.peer.address": "10.0.0.7"}))
        return span
    asked = [{"role": "user", "parts": [{"type": "text", "content": _text(80, chance)}]}]
    answered = [{"role": "assistant", "parts": [{"type": "text", "content": _text(120, chance)}]}]
    span.attributes.extend(
        _attributes(
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


def _attributes(values: dict[str, object]) -> list[KeyValue]:
    return [KeyValue(key=key, value=_any_value(value)) for key, value in values.items()]


def _any_value(value: object) -> AnyValue:
    match value:
        case list():
            any_value = AnyValue()
            any_value.array_value.values.extend(_any_value(each) for each in value)
            return any_value
        case int():
            return AnyValue(int_value=value)
        case float():
            return AnyValue(double_value=value)
    return AnyValue(string_value=str(value))
