"""OpenInference's LLM spans fill ``llm_calls`` as those of the GenAI conventions do."""

from __future__ import annotations

import json
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from tests.support.dialects import recorded
from tests.support.otlp import attributes, trace_request
from tests.support.ratings import only_span
from tests.support.segments import store

from otel_feedback.clickhouse.database import Database

LLM: Final = {"openinference.span.kind": "LLM"}
OF_ITS_OWN: Final = {"SpanId", "TraceId", "Duration", "Timestamp", "ScopeName", "Dialect", "StatusCode"}


def only_call(database: Database) -> dict[str, Any]:
    (row,) = database.query("SELECT * FROM llm_calls")
    return dict(row)


def call(**values: Any) -> ExportTraceServiceRequest:
    return trace_request({**LLM, **values})


def test_the_real_instrumentations_span_fills_the_row(database: Database):
    store(database, recorded("openinference_openai")[0])
    row = only_call(database)
    assert json.loads(row["InputMessages"]) == [
        {"role": "system", "parts": [{"type": "text", "content": "You are terse."}]},
        {"role": "user", "parts": [{"type": "text", "content": "What is the capital of France?"}]},
    ]
    told = {
        "Dialect": "openinference",
        "SessionId": "sess-7",
        "UserId": "enduser-42",
        "CacheReadTokens": 4,
        "ReasoningTokens": 2,
        "StatusCode": "Ok",
    }
    assert {key: row[key] for key in told} == told


def test_the_same_call_by_either_instrumentation_gives_the_same_row(database: Database):
    for name in ("openinference_openai", "openai-v2_experimental_span_and_event"):
        store(database, recorded(name)[0])
    ours, theirs = (dict(row) for row in database.query("SELECT * FROM llm_calls ORDER BY Dialect"))
    more = {"SessionId", "UserId", "CacheReadTokens", "ReasoningTokens"}
    for row in (ours, theirs):
        for name in ("InputMessages", "OutputMessages"):
            row[name] = json.loads(row[name])
    different = {key for key in ours if ours[key] != theirs[key]}
    assert different <= OF_ITS_OWN | more


def test_a_span_with_the_conventions_attributes_too_is_one_call_and_has_its_own_models(database: Database):
    request = recorded("openinference_openai")[0]
    only_span(request).attributes.extend(
        attributes({"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o-mini-2024-07-18"})
    )
    store(database, request)
    row = only_call(database)
    assert (row["Dialect"], row["RequestModel"], row["ResponseModel"]) == (
        "openinference",
        "gpt-4o-mini",
        "gpt-4o-mini-2024-07-18",
    )


@pytest.mark.parametrize("kind", ["CHAIN", "TOOL", "RETRIEVER", "EMBEDDING", "AGENT", "RERANKER", ""])
def test_other_spans_are_no_calls(database: Database, kind: str):
    store(database, trace_request({"openinference.span.kind": kind, "llm.model_name": "m"}))
    assert database.query("SELECT * FROM llm_calls") == []


def test_tools_images_and_many_parts_are_kept(database: Database):
    messages = {
        "llm.input_messages.0.message.role": "user",
        "llm.input_messages.0.message.contents.0.message_content.type": "text",
        "llm.input_messages.0.message.contents.0.message_content.text": 'What is "this"?\n',
        "llm.input_messages.0.message.contents.1.message_content.type": "image",
        "llm.input_messages.0.message.contents.1.message_content.image.image.url": "https://example.org/a.png",
        "llm.input_messages.1.message.role": "assistant",
        "llm.input_messages.1.message.tool_calls.0.tool_call.id": "call-1",
        "llm.input_messages.1.message.tool_calls.0.tool_call.function.name": "look",
        "llm.input_messages.1.message.tool_calls.0.tool_call.function.arguments": '{"at": [1, 2]}',
        "llm.input_messages.1.message.tool_calls.1.tool_call.function.name": "smell",
        "llm.input_messages.1.message.tool_calls.1.tool_call.function.arguments": "{not json",
        "llm.input_messages.2.message.role": "tool",
        "llm.input_messages.2.message.tool_call_id": "call-1",
        "llm.input_messages.2.message.content": "a cat",
        "llm.output_messages.0.message.role": "assistant",
        "llm.output_messages.0.message.tool_calls.0.tool_call.function.name": "look",
    }
    store(database, call(**messages))
    row = only_call(database)
    assert json.loads(row["InputMessages"]) == [
        {
            "role": "user",
            "parts": [
                {"type": "text", "content": 'What is "this"?\n'},
                {"type": "uri", "modality": "image", "uri": "https://example.org/a.png"},
            ],
        },
        {
            "role": "assistant",
            "parts": [
                {"type": "tool_call", "id": "call-1", "name": "look", "arguments": {"at": [1, 2]}},
                {"type": "tool_call", "name": "smell", "arguments": "{not json"},
            ],
        },
        {"role": "tool", "parts": [{"type": "tool_call_response", "id": "call-1", "response": "a cat"}]},
    ]
    assert row["Prompt"] == 'What is "this"?\n'
    assert row["Tools"] == ["look"]


def test_ten_messages_and_more_stay_in_order(database: Database):
    texts = [f"message {number}" for number in range(12)]
    values: dict[str, Any] = {}
    for number, text in enumerate(texts):
        values[f"llm.input_messages.{number}.message.role"] = "user"
        values[f"llm.input_messages.{number}.message.content"] = text
    store(database, call(**values))
    row = only_call(database)
    assert [each["parts"][0]["content"] for each in json.loads(row["InputMessages"])] == texts
    assert row["Prompt"] == "message 11"


def test_without_messages_the_plain_values_are_the_prompt_and_the_completion(database: Database):
    store(database, call(**{"input.value": "Capital of France?", "output.value": "Paris", "llm.model_name": "m"}))
    row = only_call(database)
    assert (row["Prompt"], row["Completion"], row["RequestModel"]) == ("Capital of France?", "Paris", "m")


def test_a_call_with_its_content_kept_back_is_a_row(database: Database):
    store(database, call(**{"llm.token_count.prompt": 3, "llm.token_count.completion": 4}))
    row = only_call(database)
    assert (row["Prompt"], row["Completion"], row["InputMessages"], row["TotalTokens"]) == ("", "", "", 7)


def test_errors_and_the_first_token_are_told(database: Database):
    request = call(**{"llm.invocation_parameters": "{broken"})
    span = only_span(request)
    span.status.code = 2  # type: ignore[assignment]  # the enum's number
    span.events.add(name="First Token Stream Event", time_unix_nano=span.start_time_unix_nano + 250)
    span.events.add(name="exception").attributes.extend(attributes({"exception.type": "RateLimitError"}))
    store(database, request)
    row = only_call(database)
    assert (row["StatusCode"], row["ErrorType"], row["TimeToFirstChunk"]) == ("Error", "RateLimitError", 250)
    assert (row["Temperature"], row["MaxTokens"], row["RequestModel"]) == (None, None, "")


_NUMBERS: Final = st.sampled_from(["0", "1", "2", "10", "65535", "65536", "99999999999999999999", "-1", "", "x", "0.0"])
_RESTS: Final = st.sampled_from(
    [
        "message.role",
        "message.content",
        "message.tool_call_id",
        "message.contents.0.message_content.text",
        "message.contents.x.message_content.image.image.url",
        "message.tool_calls.1.tool_call.function.name",
        "message.tool_calls.1.tool_call.function.arguments",
        "message.tool_calls.",
        "message",
        "",
    ]
)
_KEYS: Final = st.one_of(
    st.builds("llm.{}_messages.{}.{}".format, st.sampled_from(["input", "output"]), _NUMBERS, _RESTS),
    st.sampled_from(["llm.invocation_parameters", "llm.token_count.prompt", "llm.finish_reason", "output.value"]),
)
_VALUES: Final = st.one_of(
    st.sampled_from(
        ["tool", "user", '{"model": 1}', '{"temperature": "x", "max_tokens": -1}', "[" * 2000, "1e400", "-1"]
    ),
    st.text(max_size=20),
    st.integers(-(2**63), 2**63 - 1),
    st.booleans(),
)


@given(spans=st.lists(st.dictionaries(_KEYS, _VALUES, max_size=12), min_size=20, max_size=40))
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_attribute_keeps_a_span_out_and_messages_are_always_json(database: Database, spans: list[dict[str, Any]]):
    """An exception in a view would refuse the whole segment, other people's spans with it."""
    before = len(database.query("SELECT SpanId FROM llm_calls"))
    store(database, trace_request(*({**LLM, **attributes_of} for attributes_of in spans)))
    rows = database.query("SELECT InputMessages, OutputMessages FROM llm_call_spans")
    assert len(database.query("SELECT SpanId FROM llm_calls")) == before + len(spans)
    for row in rows:
        for text in (row["InputMessages"], row["OutputMessages"]):
            if text.startswith('[{"role":'):
                assert all(message["parts"] is not None for message in json.loads(text))
