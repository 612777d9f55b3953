"""An app with a real LLM instrumentation: one call of each kind with the official client, each in a span of its name.

It runs in the environment of an instrumentation (see tests/support/instrumentations.py), with the OpenTelemetry SDK
and the client of that time, and knows nothing of this project. INSTRUMENTOR names the instrumentor's class and its
arguments. It prints, as JSON, the id of each answer and of each tool call that it got.
"""

from __future__ import annotations

import importlib
import json
import os
from typing import Any

import openai
from opentelemetry import trace
from opentelemetry._logs import set_logger_provider
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

MODEL = "shop-assistant-small"
SYSTEM = {"role": "system", "content": "You are terse."}
LOOK_UP = {
    "type": "function",
    "function": {
        "name": "look_up_order",
        "description": "Where an order is.",
        "parameters": {"type": "object", "properties": {"order": {"type": "string"}}, "required": ["order"]},
    },
}
CALLED = {
    "id": "call-1",
    "type": "function",
    "function": {"name": "look_up_order", "arguments": '{"order": "A-1010"}'},
}
CONVERSATION = [
    SYSTEM,
    {"role": "user", "content": "Hello"},
    {"role": "assistant", "content": "What is it about?"},
    {"role": "user", "content": "Where is my order A-1010?"},
    {"role": "assistant", "content": None, "tool_calls": [CALLED]},
    {"role": "tool", "tool_call_id": "call-1", "content": '{"order": "A-1010", "error": "gone"}'},
]
IMAGE = [
    {"type": "text", "text": "Thank you, is this it?"},
    {"type": "image_url", "image_url": {"url": "https://fernhill.example/pan.png"}},
]
STREAMED: dict[str, Any] = {"stream": True, "stream_options": {"include_usage": True}}


def says(content: Any) -> dict[str, Any]:
    return {"role": "user", "content": content}


CHATS: dict[str, dict[str, Any]] = {
    "plain": {"messages": [SYSTEM, says("Thank you")], "temperature": 0.2, "max_tokens": 64},
    "streamed": {"messages": [SYSTEM, says("Thank you")], **STREAMED},
    "cut": {"messages": [says("Thank you")], "max_tokens": 3},
    "tool call": {"messages": [says("Where is my order A-1010?")], "tools": [LOOK_UP]},
    "streamed tool call": {"messages": [says("Where is my order A-1010?")], "tools": [LOOK_UP], **STREAMED},
    "conversation": {"messages": CONVERSATION, "tools": [LOOK_UP]},
    "image": {"messages": [says(IMAGE)]},
    "failing": {"messages": [says("What if I hit the rate limit?")]},
}


def main() -> None:
    traces, logs = TracerProvider(), LoggerProvider()
    traces.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    logs.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter()))
    trace.set_tracer_provider(traces)
    set_logger_provider(logs)
    set_event_logger_provider(logs)
    instrument()
    told = {}
    client = openai.OpenAI(max_retries=0)
    tracer = trace.get_tracer("app")
    for name, request in CHATS.items():
        with tracer.start_as_current_span(name):
            told[name] = chat(client, request)
    with tracer.start_as_current_span("embeddings"):
        client.embeddings.create(model="shop-embedding", input=["Thank you"])
    traces.shutdown()
    logs.shutdown()
    print(json.dumps(told))  # what the test reads


def set_event_logger_provider(logs: LoggerProvider) -> None:
    """SDKs up to 1.38 make events of a kind of their own; newer ones make them log records at once."""
    try:
        events = importlib.import_module("opentelemetry.sdk._events")
    except ImportError:
        return
    importlib.import_module("opentelemetry._events").set_event_logger_provider(events.EventLoggerProvider(logs))


def instrument() -> None:
    """Start the instrumentation that INSTRUMENTOR names, e.g. ``{"class": "package.module:Class", "options": {}}``."""
    asked = json.loads(os.environ["INSTRUMENTOR"])
    module, _, name = asked["class"].partition(":")
    getattr(importlib.import_module(module), name)(**asked["options"]).instrument()


def chat(client: openai.OpenAI, request: dict[str, Any]) -> dict[str, str]:
    try:
        answer = client.chat.completions.create(model=MODEL, **request)
    except openai.RateLimitError:
        return {}
    chunks = list(answer) if request.get("stream") else [answer]
    messages = [choice.delta if "stream" in request else choice.message for each in chunks for choice in each.choices]
    tool_calls = [call.id for message in messages for call in message.tool_calls or () if call.id]
    return {"id": chunks[0].id, "tool_call_id": "".join(tool_calls)}


if __name__ == "__main__":
    main()
