"""From the conventions' messages to OpenAI's."""

from __future__ import annotations

import json
from typing import Any

import pytest

from otel_feedback.insights.chat_messages import NotTextError, answer, conversation


def text(role: str, content: str) -> dict[str, Any]:
    return {"role": role, "parts": [{"type": "text", "content": content}]}


def test_turns_and_tools_are_kept():
    told = [
        text("user", "Where is order 7?"),
        {
            "role": "assistant",
            "parts": [
                {"type": "reasoning", "content": "look it up"},
                {"type": "tool_call", "id": "c1", "name": "find", "arguments": {"order": "7"}},
                {"type": "tool_call", "id": "c2", "name": "now"},
            ],
        },
        {
            "role": "tool",
            "parts": [
                {"type": "tool_call_response", "id": "c1", "response": {"state": "sent"}},
                {"type": "tool_call_response", "id": "c2", "result": "noon"},
            ],
        },
        text("assistant", "It was sent."),
        text("user", "Thanks"),
    ]
    system = json.dumps([{"type": "text", "content": "Be"}, {"type": "text", "content": "brief."}])
    assert conversation(system, json.dumps(told)) == [
        {"role": "system", "content": "Be\nbrief."},
        {"role": "user", "content": "Where is order 7?"},
        {
            "role": "assistant",
            "content": "",
            "tool_calls": [
                {"id": "c1", "type": "function", "function": {"name": "find", "arguments": '{"order": "7"}'}},
                {"id": "c2", "type": "function", "function": {"name": "now", "arguments": "{}"}},
            ],
        },
        {"role": "tool", "tool_call_id": "c1", "content": '{"state": "sent"}'},
        {"role": "tool", "tool_call_id": "c2", "content": "noon"},
        {"role": "assistant", "content": "It was sent."},
        {"role": "user", "content": "Thanks"},
    ]


def test_plain_texts_are_a_users_and_an_assistants():
    assert conversation("Be brief.", "Hello") == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hello"},
    ]
    assert answer("Hi") == {"role": "assistant", "content": "Hi"}
    assert answer(json.dumps([text("assistant", "first"), text("assistant", "second")]))["content"] == "first"
    assert conversation("", json.dumps([{"role": "user", "content": "Hello"}])) == [
        {"role": "user", "content": "Hello"}
    ]


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ("", "no user's message"),
        ("[]", "no user's message"),
        (json.dumps([text("assistant", "Hi")]), "no user's message"),
        (
            json.dumps([{"role": "user", "parts": [{"type": "uri", "uri": "https://example.org/a.png"}]}]),
            "more than text",
        ),
        (json.dumps([text("narrator", "Once")]), "a role of its own"),
        (json.dumps(["Hello"]), "no JSON object"),
    ],
)
def test_what_is_no_text_is_told(told: str, why: str):
    with pytest.raises(NotTextError, match=why):
        conversation("", told)


@pytest.mark.parametrize("told", ["", "[]", json.dumps([text("user", "Hi")]), json.dumps([text("assistant", "")])])
def test_no_answer_is_told(told: str):
    with pytest.raises(NotTextError, match="no answer"):
        answer(told)
