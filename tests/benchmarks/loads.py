"""The loads of ``make bench``, by name: what is sent, in requests of which size."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from tests.benchmarks.llm_spans import make_requests
from tests.support.dialects import FOLDER, recorded
from tests.support.otlp import attributes


@dataclass(frozen=True)
class Load:
    """Requests of one signal; ``items`` spans or log records in all."""

    signal: str
    requests: list[bytes]
    items: int


def _spans_in_requests_of(size: int) -> Callable[[int], Load]:
    def make(spans: int) -> Load:
        return Load("traces", make_requests(spans, size, seed=1), spans)

    return make


def _logs_in_requests_of(size: int) -> Callable[[int], Load]:
    def make(records: int) -> Load:
        chance = random.Random(2)
        sizes = [size] * (records // size) + [records % size] * (records % size > 0)
        return Load("logs", [_logs(each, chance).SerializeToString() for each in sizes], records)

    return make


def _logs(records: int, chance: random.Random) -> ExportLogsServiceRequest:
    """An LLM call's event as the conventions have it, its messages as structured values, beside four plain records."""
    request = ExportLogsServiceRequest()
    group = request.resource_logs.add()
    group.resource.attributes.extend(attributes({"service.name": "chat-api", "service.version": "1.2.3"}))
    scope = group.scope_logs.add()
    scope.scope.name = "app"
    for index in range(records):
        record = scope.log_records.add(
            time_unix_nano=time.time_ns(),
            severity_number=9,
            severity_text="INFO",
            trace_id=chance.randbytes(16),
            span_id=chance.randbytes(8),
        )
        record.body.string_value = f"request {chance.randrange(10**9)} was answered " * 5
        if index % 5 == 0:
            record.event_name = "gen_ai.client.inference.operation.details"
            record.attributes.extend(attributes(_inference(chance)))
        else:
            record.attributes.extend(attributes({"code.function.name": "answer", "thread.id": chance.randrange(99)}))
    return request


def _inference(chance: random.Random) -> dict[str, Any]:
    text = f"What is the policy for order {chance.randrange(10**6)}? " * 10
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.usage.input_tokens": chance.randrange(3000),
        "gen_ai.input.messages": [{"role": "user", "parts": [{"type": "text", "content": text}]}],
        "gen_ai.output.messages": [{"role": "assistant", "parts": [{"type": "text", "content": text}]}],
    }


def _dialects_in_requests_of(size: int) -> Callable[[int], Load]:
    """What real instrumentations sent, without their apps' own spans, again and again under new ids."""

    def make(spans: int) -> Load:
        told = [
            group
            for path in sorted(FOLDER.glob("*.json"))
            for group in recorded(path.stem)[0].resource_spans
            if group.scope_spans[0].scope.name != "app"
        ]
        requests: list[bytes] = []
        left = spans
        while left:
            request = ExportTraceServiceRequest()
            for index in range(min(size, left)):
                request.resource_spans.append(told[index % len(told)])
                span = request.resource_spans[-1].scope_spans[0].spans[0]
                span.trace_id, span.span_id = os.urandom(16), os.urandom(8)
            requests.append(request.SerializeToString())
            left -= min(size, left)
        return Load("traces", requests, spans)

    return make


LOADS: dict[str, tuple[Callable[[int], Load], float]] = {
    "spans-512": (_spans_in_requests_of(512), 1),
    "spans-16": (_spans_in_requests_of(16), 1 / 4),
    "spans-1": (_spans_in_requests_of(1), 1 / 32),
    "spans-8192": (_spans_in_requests_of(8192), 1),
    "logs-512": (_logs_in_requests_of(512), 1 / 2),
    "dialects-512": (_dialects_in_requests_of(512), 1 / 2),
}
"""How to make each, and its share of ``--items``: the smaller the requests, the longer an item takes."""
