"""Older generations of the GenAI conventions, and Traceloop's instrumentations, fill ``llm_calls`` as the newest do."""

from __future__ import annotations

import json
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from tests.integration.clickhouse.conftest import empty
from tests.support.dialects import recorded
from tests.support.otlp import NOON, any_value, attributes, log_request, trace_request
from tests.support.ratings import only_span
from tests.support.segments import only_row, store

from otel_feedback.clickhouse.database import Database

CHAT: Final = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o"}
TOLD_ALIKE: Final = (
    "Operation, Provider, RequestModel, ResponseModel, ResponseId, InputTokens, OutputTokens, TotalTokens, "
    "Temperature, MaxTokens, FinishReason, Prompt, Completion"
)


def only_call(database: Database, columns: str = "*") -> dict[str, Any]:
    return only_row(database, f"SELECT {columns} FROM llm_calls")  # noqa: S608  # the test's own columns


def event_of(call: Span, name: str, body: Any, at: int = NOON, **values: Any) -> ExportLogsServiceRequest:
    """A log record of the call's."""
    request = log_request(None, **values)
    record = request.resource_logs[0].scope_logs[0].log_records[0]
    record.event_name, record.time_unix_nano = name, at
    record.trace_id, record.span_id = call.trace_id, call.span_id
    record.body.CopyFrom(any_value(body))
    return request


@pytest.mark.parametrize("first", ["span", "events"])
def test_the_official_instrumentations_older_mode_with_a_record_a_message(database: Database, first: str):
    traces, logs = recorded("openai-v2_legacy_true")
    for request in (traces, logs, logs) if first == "span" else (logs, traces, logs):
        store(database, request)
    row = only_call(database)
    assert json.loads(row["InputMessages"]) == [
        {"role": "system", "parts": [{"type": "text", "content": "You are terse."}]},
        {"role": "user", "parts": [{"type": "text", "content": "What is the capital of France?"}]},
    ]
    assert json.loads(row["OutputMessages"]) == [
        {
            "role": "assistant",
            "parts": [{"type": "text", "content": "Paris is the capital of France."}],
            "finish_reason": "stop",
        }
    ]


@pytest.mark.parametrize("name", ["openai-v2_legacy_true", "traceloop_openai", "openinference_openai"])
def test_every_generation_tells_the_same_of_the_same_call(database: Database, name: str):
    newest = recorded("openai-v2_experimental_span_and_event")[0]
    store(database, newest)
    wanted = only_call(database, TOLD_ALIKE)
    empty(database)
    traces, logs = recorded(name)
    store(database, traces)
    if logs.resource_logs:
        store(database, logs)
    assert only_call(database, TOLD_ALIKE) == wanted


def test_what_traceloop_tells_beside_the_conventions(database: Database):
    store(database, recorded("traceloop_openai")[0])
    row = only_call(database, "Dialect, UserId, CacheReadTokens, ReasoningTokens, TotalTokens")
    assert row == {
        "Dialect": "traceloop",
        "UserId": "enduser-42",
        "CacheReadTokens": 4,
        "ReasoningTokens": 2,
        "TotalTokens": 28,
    }


INDEXED: Final = {
    "llm.request.type": "chat",
    "gen_ai.system": "OpenAI",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.response.model": "gpt-4o-2024-08-06",
    "gen_ai.response.id": "chatcmpl-1",
    "gen_ai.usage.prompt_tokens": 20,
    "gen_ai.usage.completion_tokens": 4,
    "llm.usage.total_tokens": 30,
    "gen_ai.usage.cache_read_input_tokens": 3,
    "gen_ai.request.temperature": 0.5,
    "llm.user": "u-1",
    "traceloop.association.properties.session_id": "s-1",
    "traceloop.prompt.key": "support",
    "traceloop.prompt.version": 3,
    "gen_ai.prompt.0.role": "system",
    "gen_ai.prompt.0.content": "Be terse.",
    "gen_ai.prompt.1.role": "user",
    "gen_ai.prompt.1.content": json.dumps(
        [
            {"type": "text", "text": 'What is "this"?'},
            {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}},
        ]
    ),
    "gen_ai.prompt.2.role": "assistant",
    "gen_ai.prompt.2.tool_calls.0.id": "call-1",
    "gen_ai.prompt.2.tool_calls.0.name": "look",
    "gen_ai.prompt.2.tool_calls.0.arguments": '{"at": [1, 2]}',
    "gen_ai.prompt.3.role": "tool",
    "gen_ai.prompt.3.tool_call_id": "call-1",
    "gen_ai.prompt.3.content": "a cat",
    "gen_ai.completion.0.role": "assistant",
    "gen_ai.completion.0.content": "A cat.",
    "gen_ai.completion.0.finish_reason": "stop",
    "gen_ai.completion.0.tool_calls.0.name": "remember",
    "gen_ai.completion.0.tool_calls.0.arguments": "{broken",
}


def test_traceloops_older_attributes_one_for_each_piece(database: Database):
    store(database, trace_request(INDEXED))
    row = only_call(database)
    told = {
        "Operation": "chat",
        "Provider": "openai",
        "ResponseModel": "gpt-4o-2024-08-06",
        "ResponseId": "chatcmpl-1",
        "InputTokens": 20,
        "OutputTokens": 4,
        "TotalTokens": 30,
        "CacheReadTokens": 3,
        "Temperature": 0.5,
        "UserId": "u-1",
        "SessionId": "s-1",
        "PromptName": "support",
        "PromptVersion": "3",
        "FinishReason": "stop",
        "Prompt": 'What is "this"?',
        "Completion": "A cat.",
        "Tools": ["remember"],
        "Dialect": "traceloop",
    }
    assert {key: row[key] for key in told} == told
    assert json.loads(row["InputMessages"]) == [
        {"role": "system", "parts": [{"type": "text", "content": "Be terse."}]},
        {
            "role": "user",
            "parts": [
                {"type": "text", "content": 'What is "this"?'},
                {"type": "uri", "modality": "image", "uri": "https://example.org/a.png"},
            ],
        },
        {
            "role": "assistant",
            "parts": [{"type": "tool_call", "id": "call-1", "name": "look", "arguments": {"at": [1, 2]}}],
        },
        {"role": "tool", "parts": [{"type": "tool_call_response", "id": "call-1", "response": "a cat"}]},
    ]
    assert json.loads(row["OutputMessages"]) == [
        {
            "role": "assistant",
            "parts": [
                {"type": "text", "content": "A cat."},
                {"type": "tool_call", "name": "remember", "arguments": "{broken"},
            ],
            "finish_reason": "stop",
        }
    ]


def test_a_plain_completion_of_traceloops(database: Database):
    store(
        database,
        trace_request(
            {
                "llm.request.type": "completion",
                "gen_ai.prompt.0.user": "Once upon",
                "gen_ai.completion.0.content": "a time",
            }
        ),
    )
    row = only_call(database, "Operation, Prompt, Completion")
    assert row == {"Operation": "text_completion", "Prompt": "Once upon", "Completion": "a time"}


@pytest.mark.parametrize("kind", ["embedding", "rerank", "unknown", ""])
def test_other_requests_of_traceloops_are_no_calls(database: Database, kind: str):
    store(database, trace_request({"llm.request.type": kind, "gen_ai.request.model": "m"}))
    assert database.query("SELECT * FROM llm_calls") == []
    assert len(database.query("SELECT * FROM traces")) == 1


def test_text_that_is_a_json_array_of_no_parts_is_text(database: Database):
    values = {f"gen_ai.prompt.{number}.content": text for number, text in enumerate(["[1, 2]", '["a"]', "[]", "[{}]"])}
    store(database, trace_request({**CHAT, **values}))
    messages = json.loads(only_call(database, "InputMessages")["InputMessages"])
    assert [message["parts"][0]["content"] for message in messages] == list(values.values())


def test_a_record_a_message_with_tools_images_and_answers_side_by_side(database: Database):
    request = trace_request(CHAT)
    call = only_span(request)
    tool_call = {"id": "call-1", "type": "function", "function": {"name": "look", "arguments": '{"at": 1}'}}
    records = [
        event_of(call, "gen_ai.system.message", {"content": "Be terse."}, NOON),
        event_of(
            call,
            "gen_ai.user.message",
            {
                "content": [
                    {"type": "text", "text": "What is this?"},
                    {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}},
                ]
            },
            NOON + 1,
        ),
        event_of(call, "gen_ai.assistant.message", {"tool_calls": [tool_call]}, NOON + 2),
        event_of(call, "gen_ai.tool.message", {"id": "call-1", "content": "a cat"}, NOON + 3),
        event_of(call, "gen_ai.user.message", {"content": "Sure?"}, NOON + 4),
        event_of(
            call,
            "gen_ai.choice",
            {"index": 1, "finish_reason": "stop", "message": {"role": "assistant", "content": "Quite."}},
            NOON + 5,
        ),
        event_of(
            call,
            "gen_ai.choice",
            {"index": 0, "finish_reason": "tool_calls", "message": {"content": "Let me", "tool_calls": [tool_call]}},
            NOON + 5,
        ),
    ]
    for record in reversed(records):
        store(database, record)
    store(
        database,
        request,
    )
    row = only_call(database)
    assert [message["role"] for message in json.loads(row["InputMessages"])] == [
        "system",
        "user",
        "assistant",
        "tool",
        "user",
    ]
    assert json.loads(row["InputMessages"])[2:4] == [
        {
            "role": "assistant",
            "parts": [{"type": "tool_call", "id": "call-1", "name": "look", "arguments": {"at": 1}}],
        },
        {"role": "tool", "parts": [{"type": "tool_call_response", "id": "call-1", "response": "a cat"}]},
    ]
    assert [message["finish_reason"] for message in json.loads(row["OutputMessages"])] == ["tool_calls", "stop"]
    assert (row["Prompt"], row["Completion"], row["Tools"]) == ("Sure?", "Let me", ["look"])


def test_two_equal_messages_are_two_and_one_that_comes_twice_is_one(database: Database):
    request = trace_request(CHAT)
    call = only_span(request)
    first, second = (event_of(call, "gen_ai.user.message", {"content": "yes"}, NOON + at) for at in (0, 9))
    for each in (first, request, second, first, second):
        store(database, each)
    assert len(json.loads(only_call(database)["InputMessages"])) == 2


def test_an_event_named_by_an_attribute_as_older_sdks_do(database: Database):
    request = trace_request(CHAT)
    call = only_span(request)
    named = {"event.name": "gen_ai.user.message"}
    store(database, request)
    store(database, event_of(call, "", {"content": "Capital of France?"}, **named))
    assert only_call(database, "Prompt")["Prompt"] == "Capital of France?"


def test_messages_in_events_of_the_span(database: Database):
    request = trace_request(CHAT, CHAT)
    older, newer = request.resource_spans[0].scope_spans[0].spans
    older.events.add(name="gen_ai.content.prompt").attributes.extend(attributes({"gen_ai.prompt": "Hello"}))
    older.events.add(name="gen_ai.content.completion").attributes.extend(attributes({"gen_ai.completion": "Hi"}))
    said = [{"role": "user", "parts": [{"type": "text", "content": "Hello"}]}]
    event = newer.events.add(name="gen_ai.client.inference.operation.details")
    event.attributes.extend(attributes({"gen_ai.input.messages": json.dumps(said)}))
    store(database, request)
    assert [row["Prompt"] for row in database.query("SELECT Prompt FROM llm_calls")] == ["Hello", "Hello"]


_KEYS: Final = st.one_of(
    st.builds(
        "gen_ai.{}.{}.{}".format,
        st.sampled_from(["prompt", "completion"]),
        st.sampled_from(["0", "1", "10", "65536", "99999999999999999999", "-1", "x", ""]),
        st.sampled_from(
            ["role", "content", "user", "tool_calls.0.name", "tool_calls.x.arguments", "tool_calls", "a.b.c"]
        ),
    ),
    st.sampled_from(["gen_ai.input.messages", "gen_ai.usage.input_tokens", "llm.usage.total_tokens", "gen_ai.prompt"]),
)
_VALUES: Final = st.one_of(
    st.sampled_from(["tool", "user", "[" * 2000, '[{"type": 7}]', '[{"type": "text"}, null]', "1e400", "-1", "{"]),
    st.text(max_size=20),
    st.integers(-(2**63), 2**63 - 1),
)
_BODIES: Final = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["content", "role", "message", "tool_calls", "function", "arguments", "index", "id"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)


@given(
    spans=st.lists(st.dictionaries(_KEYS, _VALUES, max_size=10), min_size=10, max_size=20),
    bodies=st.lists(
        st.tuples(st.sampled_from(["gen_ai.user.message", "gen_ai.choice", "gen_ai.tool.message"]), _BODIES),
        min_size=10,
        max_size=20,
    ),
)
@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
def test_nothing_that_an_attribute_or_a_body_holds_keeps_a_record_out_or_a_row_from_being_read(
    database: Database, spans: list[dict[str, Any]], bodies: list[tuple[str, Any]]
):
    before = len(database.query("SELECT SpanId FROM llm_calls"))
    request = trace_request(*({**CHAT, **values} for values in spans))
    for number, span in enumerate(request.resource_spans[0].scope_spans[0].spans):
        span.trace_id, span.span_id = bytes([7] * 16), (before + number + 1).to_bytes(8, "big")
    store(database, request)
    call = request.resource_spans[0].scope_spans[0].spans[0]
    store(database, *(event_of(call, name, body) for name, body in bodies))
    rows = database.query("SELECT * FROM llm_calls")
    assert len(rows) == before + len(spans)
    for row in rows:
        for text in (row["InputMessages"], row["OutputMessages"]):
            if text.startswith('[{"role":'):
                assert all(message["parts"] is not None for message in json.loads(text))
