"""``llm_calls``: one row per LLM call, whatever came of it and in whatever order."""

from __future__ import annotations

import json
from typing import Any, Final

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from tests.support.dialects import STARTED, recorded
from tests.support.otlp import attributes, log_request, trace_request
from tests.support.segments import store

from otel_feedback.clickhouse.database import Database

CHAT: Final = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o"}
INPUT: Final = [
    {"role": "system", "parts": [{"type": "text", "content": "Be terse."}]},
    {"role": "user", "parts": [{"type": "text", "content": "Hello"}]},
    {"role": "assistant", "parts": [{"type": "text", "content": "Hi"}]},
    {"role": "user", "parts": [{"type": "text", "content": "Capital of France?"}]},
]
OUTPUT: Final = [{"role": "assistant", "parts": [{"type": "text", "content": "Paris"}], "finish_reason": "stop"}]


def calls(database: Database) -> list[dict[str, Any]]:
    query = "SELECT * REPLACE (toUnixTimestamp64Nano(Timestamp) AS Timestamp) FROM llm_calls ORDER BY Timestamp, SpanId"
    return [dict(row) for row in database.query(query)]


def only_call(database: Database) -> dict[str, Any]:
    (row,) = calls(database)
    return row


def call_request(**values: Any) -> ExportTraceServiceRequest:
    """A request with one LLM call."""
    return trace_request({**CHAT, **values})


def span_of(request: ExportTraceServiceRequest) -> Span:
    return request.resource_spans[0].scope_spans[0].spans[0]


def messages_event(call: Span, **values: Any) -> ExportLogsServiceRequest:
    """The log record in which an instrumentation sends a call's messages."""
    request = log_request(None)
    record = request.resource_logs[0].scope_logs[0].log_records[0]
    record.event_name = "gen_ai.client.inference.operation.details"
    record.trace_id, record.span_id = call.trace_id, call.span_id
    record.attributes.extend(attributes(values))
    return request


def test_the_official_instrumentations_span_fills_the_row(database: Database):
    traces, _ = recorded("openai-v2_experimental_span_and_event")
    store(database, traces)
    row = only_call(database)
    assert json.loads(row.pop("InputMessages"))[1]["role"] == "user"
    assert json.loads(row.pop("OutputMessages"))[0]["finish_reason"] == "stop"
    assert row == {
        "Timestamp": STARTED,
        "Duration": 73_827_894,
        "TraceId": "3c054fe22cecb97122a0413296d1fc76",
        "SpanId": "fa5a8b16c695e20a",
        "ParentSpanId": "",
        "ServiceName": "app",
        "SessionId": "",
        "UserId": "",
        "Operation": "chat",
        "Provider": "openai",
        "RequestModel": "gpt-4o-mini",
        "ResponseModel": "gpt-4o-mini-2024-07-18",
        "ResponseId": "chatcmpl-fake-123",
        "InputTokens": 21,
        "OutputTokens": 7,
        "TotalTokens": 28,
        "CacheReadTokens": 0,
        "CacheWriteTokens": 0,
        "ReasoningTokens": 0,
        "TimeToFirstChunk": 0,
        "Temperature": 0.2,
        "MaxTokens": 64,
        "FinishReason": "stop",
        "SystemInstructions": "",
        "Prompt": "What is the capital of France?",
        "Completion": "Paris is the capital of France.",
        "Tools": [],
        "PromptName": "",
        "PromptVersion": "",
        "StatusCode": "Unset",
        "ErrorType": "",
        "Dialect": "genai",
        "ScopeName": "opentelemetry.util.genai.handler",
    }


@pytest.mark.parametrize("first", ["span", "event"])
def test_the_official_instrumentations_event_fills_a_span_without_messages(database: Database, first: str):
    traces, logs = recorded("openai-v2_experimental_span_and_event")
    span = span_of(traces)
    kept = [each for each in span.attributes if "messages" not in each.key]
    del span.attributes[:]
    span.attributes.extend(kept)
    for request in (traces, logs) if first == "span" else (logs, traces):
        store(database, request)
    row = only_call(database)
    assert row["Prompt"] == "What is the capital of France?"
    assert row["Completion"] == "Paris is the capital of France."
    assert json.loads(row["OutputMessages"]) == [
        {
            "role": "assistant",
            "parts": [{"type": "text", "content": "Paris is the capital of France."}],
            "finish_reason": "stop",
        }
    ]


def test_every_other_attribute_of_the_conventions_has_its_column(database: Database):
    request = call_request(
        **{
            "gen_ai.conversation.id": "conversation-1",
            "user.id": "u-1",
            "gen_ai.usage.input_tokens": 100,
            "gen_ai.usage.output_tokens": 20,
            "gen_ai.usage.cache_read.input_tokens": 60,
            "gen_ai.usage.cache_creation.input_tokens": 30,
            "gen_ai.usage.reasoning.output_tokens": 5,
            "gen_ai.response.time_to_first_chunk": 0.25,
            "gen_ai.request.temperature": 0.0,
            "gen_ai.system_instructions": json.dumps([{"type": "text", "content": "Be terse."}]),
            "gen_ai.prompt.name": "support",
            "gen_ai.prompt.version": "v3",
            "gen_ai.response.finish_reasons": ["length", "stop"],
        }
    )
    span = span_of(request)
    span.parent_span_id = b"\x0a" * 8
    store(database, request)
    row = only_call(database)
    wanted = {
        "SessionId": "conversation-1",
        "UserId": "u-1",
        "InputTokens": 100,
        "OutputTokens": 20,
        "TotalTokens": 120,
        "CacheReadTokens": 60,
        "CacheWriteTokens": 30,
        "ReasoningTokens": 5,
        "TimeToFirstChunk": 250_000_000,
        "Temperature": 0.0,
        "MaxTokens": None,
        "SystemInstructions": '[{"type": "text", "content": "Be terse."}]',
        "PromptName": "support",
        "PromptVersion": "v3",
        "FinishReason": "length",
        "ParentSpanId": "0a" * 8,
    }
    assert {key: row[key] for key in wanted} == wanted


@pytest.mark.parametrize(
    ("values", "session", "user"),
    [
        ({"session.id": "s", "gen_ai.conversation.id": "c"}, "s", ""),
        ({"gen_ai.conversation.id": "c"}, "c", ""),
        ({"user.id": "u", "enduser.pseudo.id": "p", "enduser.id": "e"}, "", "u"),
        ({"enduser.pseudo.id": "p", "enduser.id": "e"}, "", "p"),
        ({"enduser.id": "e"}, "", "e"),
    ],
)
def test_session_and_user_have_the_first_of_their_keys(
    database: Database, values: dict[str, str], session: str, user: str
):
    store(database, call_request(**values))
    row = only_call(database)
    assert (row["SessionId"], row["UserId"]) == (session, user)


def test_the_newer_name_of_cache_writes_counts_too(database: Database):
    store(database, call_request(**{"gen_ai.usage.cache_write.input_tokens": 9}))
    assert only_call(database)["CacheWriteTokens"] == 9


@pytest.mark.parametrize("operation", ["chat", "text_completion", "generate_content"])
def test_these_operations_are_llm_calls(database: Database, operation: str):
    store(database, trace_request({"gen_ai.operation.name": operation}))
    assert only_call(database)["Operation"] == operation


@pytest.mark.parametrize("operation", ["embeddings", "execute_tool", "create_agent", "invoke_agent", "retrieval", ""])
def test_these_operations_are_none(database: Database, operation: str):
    store(database, trace_request({"gen_ai.operation.name": operation}))
    assert calls(database) == []


def test_the_carrier_of_a_rating_is_no_llm_call(database: Database):
    request = call_request()
    call = span_of(request)
    scope = request.resource_spans[0].scope_spans[0]
    carrier = scope.spans.add(
        trace_id=call.trace_id, span_id=b"c" * 8, parent_span_id=call.span_id, name="user_feedback thumbs"
    )
    carrier.links.add(trace_id=call.trace_id, span_id=call.span_id)
    event = carrier.events.add(name="gen_ai.evaluation.result", time_unix_nano=STARTED)
    event.attributes.extend(attributes({"gen_ai.evaluation.name": "thumbs", "gen_ai.evaluation.score.value": 1.0}))
    store(database, request)
    assert only_call(database)["SpanId"] == call.span_id.hex()


def test_a_span_that_is_delivered_twice_is_one_call(database: Database):
    request = call_request(**{"gen_ai.usage.input_tokens": 3})
    event = messages_event(span_of(request), **{"gen_ai.input.messages": INPUT})
    for _ in range(3):
        store(database, request)
        store(database, event)
    assert only_call(database)["InputTokens"] == 3
    (session,) = database.query("SELECT Calls, InputTokens FROM traces")
    assert session == {"Calls": 1, "InputTokens": 3}


@pytest.mark.parametrize("first", ["span", "event"])
def test_messages_that_only_a_log_record_holds_fill_the_row_whichever_comes_first(database: Database, first: str):
    request = call_request()
    event = messages_event(
        span_of(request),
        **{
            "gen_ai.system_instructions": [{"type": "text", "content": "Be terse."}],
            "gen_ai.input.messages": INPUT,
            "gen_ai.output.messages": OUTPUT,
        },
    )
    for each in (request, event) if first == "span" else (event, request):
        store(database, each)
    row = only_call(database)
    assert (row["Prompt"], row["Completion"]) == ("Capital of France?", "Paris")
    assert json.loads(row["InputMessages"]) == INPUT
    assert json.loads(row["OutputMessages"]) == OUTPUT
    assert json.loads(row["SystemInstructions"]) == [{"type": "text", "content": "Be terse."}]


def test_messages_of_a_call_that_never_comes_are_no_row(database: Database):
    store(database, messages_event(span_of(call_request()), **{"gen_ai.input.messages": INPUT}))
    assert calls(database) == []


def test_messages_in_two_log_records_are_put_together(database: Database):
    request = call_request()
    call = span_of(request)
    question = messages_event(call, **{"gen_ai.input.messages": INPUT})
    answer = messages_event(call, **{"gen_ai.output.messages": OUTPUT})
    for each in (question, request, answer, question):
        store(database, each)
    row = only_call(database)
    assert (row["Prompt"], row["Completion"]) == ("Capital of France?", "Paris")


def test_a_call_without_content_is_a_row_without_texts(database: Database):
    store(database, call_request())
    row = only_call(database)
    texts = ("SystemInstructions", "InputMessages", "OutputMessages", "Prompt", "Completion")
    assert [row[each] for each in texts] == [""] * len(texts)
    assert row["Tools"] == []


def test_a_failed_call_has_its_error(database: Database):
    request = call_request(**{"error.type": "RateLimitError"})
    span_of(request).status.code = 2  # type: ignore[assignment]
    store(database, request)
    row = only_call(database)
    assert (row["StatusCode"], row["ErrorType"], row["Completion"]) == ("Error", "RateLimitError", "")


@pytest.mark.parametrize(
    ("messages", "text"),
    [
        ("plain text", "plain text"),
        ('[{"role":"user","parts":[{"type":"te', '[{"role":"user","parts":[{"type":"te'),
        ("42", "42"),
        ('"quoted"', '"quoted"'),
        ('{"role":"user"}', '{"role":"user"}'),
        ("[]", ""),
        ("[1, null]", ""),
        ('[{"role": "user", "parts": {"type": "text"}}]', ""),
        ('[{"role": "user", "parts": null}]', ""),
        ('[{"role": "user", "parts": [null, 7, {"type": "text"}, {"type": "text", "content": "x"}]}]', "\nx"),
        ('[{"role": "user", "content": "older form"}]', "older form"),
        ('[{"role": "user", "parts": [{"type": "text", "content": "a"}]}, {"role": 5}]', "a"),
    ],
)
def test_messages_that_are_not_as_agreed_stay_as_they_came_and_break_nothing(
    database: Database, messages: str, text: str
):
    store(database, call_request(**{"gen_ai.input.messages": messages}))
    row = only_call(database)
    assert row["InputMessages"] == messages
    assert row["Prompt"] == text


@pytest.mark.parametrize("key", ["gen_ai.output.messages", "gen_ai.response.finish_reasons"])
@pytest.mark.parametrize("flaw", ["[", "[[[[", "{}", "null", '[{"parts":[{"type":"tool_call","name":7}]}]', "\0"])
def test_flawed_json_of_answers_breaks_nothing(database: Database, key: str, flaw: str):
    store(database, call_request(**{key: flaw}))
    assert only_call(database)["RequestModel"] == "gpt-4o"


def test_numbers_that_are_none_break_nothing(database: Database):
    keys = [
        "gen_ai.usage.input_tokens",
        "gen_ai.usage.output_tokens",
        "gen_ai.response.time_to_first_chunk",
        "gen_ai.request.temperature",
        "gen_ai.request.max_tokens",
    ]
    flaws: list[Any] = ["many", -1, 1e300, float("nan"), float("-inf"), True, [], 2**63 - 1, ""]
    store(database, trace_request(*[{**CHAT, **dict.fromkeys(keys, flaw)} for flaw in flaws]))
    assert len(calls(database)) == len(flaws)
    (totals,) = database.query("SELECT sum(Calls) AS Calls FROM traces")
    assert totals == {"Calls": len(flaws)}


def test_text_parts_are_joined_and_others_left_to_the_json(database: Database):
    asked = [
        {
            "role": "user",
            "parts": [
                {"type": "text", "content": "What is this?"},
                {"type": "blob", "modality": "image", "mime_type": "image/png", "content": "aGVsbG8="},
                {"type": "uri", "modality": "image", "uri": "https://example.com/a.png"},
                {"type": "text", "content": "Be exact."},
            ],
        }
    ]
    said = [
        {
            "role": "assistant",
            "parts": [{"type": "reasoning", "content": "Hm."}, {"type": "text", "content": "A cat."}],
            "finish_reason": "stop",
        },
        {"role": "assistant", "parts": [{"type": "text", "content": "A dog."}], "finish_reason": "stop"},
    ]
    store(
        database,
        call_request(**{"gen_ai.input.messages": json.dumps(asked), "gen_ai.output.messages": json.dumps(said)}),
    )
    row = only_call(database)
    assert (row["Prompt"], row["Completion"]) == ("What is this?\nBe exact.", "A cat.")
    assert json.loads(row["InputMessages"]) == asked
    assert json.loads(row["OutputMessages"]) == said


def test_the_prompt_is_the_last_user_message_even_after_tool_results(database: Database):
    asked = [
        *INPUT,
        {"role": "assistant", "parts": [{"type": "tool_call", "id": "1", "name": "search", "arguments": {}}]},
        {"role": "tool", "parts": [{"type": "tool_call_response", "id": "1", "response": "found"}]},
    ]
    store(database, call_request(**{"gen_ai.input.messages": json.dumps(asked)}))
    assert only_call(database)["Prompt"] == "Capital of France?"


def test_tools_that_the_answer_calls_are_listed_once_each(database: Database):
    def tool_call(name: str) -> dict[str, Any]:
        return {"type": "tool_call", "id": "1", "name": name, "arguments": {"city": {"name": "Paris"}}}

    said = [
        {"role": "assistant", "parts": [tool_call("weather"), tool_call("time"), tool_call("weather")]},
        {"role": "assistant", "parts": [{"type": "text", "content": "or so", "name": "no tool"}]},
    ]
    store(database, call_request(**{"gen_ai.output.messages": json.dumps(said)}))
    row = only_call(database)
    assert row["Tools"] == ["weather", "time"]
    assert row["Completion"] == ""


def test_unicode_in_messages_is_read(database: Database):
    asked = [{"role": "user", "parts": [{"type": "text", "content": "naïve 日本 🙂 \"'\\\n\u2028"}]}]
    for ascii_only in (True, False):
        store(database, call_request(**{"gen_ai.input.messages": json.dumps(asked, ensure_ascii=ascii_only)}))
    assert [row["Prompt"] for row in calls(database)] == ["naïve 日本 🙂 \"'\\\n\u2028"] * 2
