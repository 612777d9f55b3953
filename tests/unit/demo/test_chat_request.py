"""What the page asks is checked; every refusal names the field."""

import json
from typing import Any

import pytest

from otel_feedback.demo.chat_request import (
    MAX_MESSAGE_CHARACTERS,
    MAX_MESSAGES,
    ChatRequest,
    ChatRequestError,
    Message,
    parse_chat_request,
)

GOOD = {"conversation": "c0ffee00-1234", "user": "ana", "messages": [{"role": "user", "content": "Hello"}]}


def parse(**changes: object) -> ChatRequest:
    return parse_chat_request(json.dumps(GOOD | changes).encode())


def test_a_good_request():
    asked = parse(messages=[{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}, *GOOD["messages"]])
    assert (asked.conversation, asked.user) == ("c0ffee00-1234", "ana")
    assert asked.messages == (Message("user", "a"), Message("assistant", "b"), Message("user", "Hello"))


@pytest.mark.parametrize("body", [b"", b"no", b"\xff\xfe", b"[" * 100_000, b"null", b"[]"])
def test_a_body_that_is_no_object(body: Any):
    with pytest.raises(ChatRequestError, match="JSON"):
        parse_chat_request(body)


LONG = "x" * (MAX_MESSAGE_CHARACTERS + 1)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"conversation": None}, "conversation must be"),
        ({"conversation": "short"}, "conversation must be"),
        ({"conversation": "../../etc/passwd"}, "conversation must be"),
        ({"user": "mallory"}, "user must be one of ana, kofi, mei"),
        ({"user": ["ana"]}, "user must be one of"),
        ({"messages": None}, "messages must be a list"),
        ({"messages": []}, "messages must be a list"),
        ({"messages": GOOD["messages"] * (MAX_MESSAGES + 1)}, "messages must be a list"),
        ({"messages": ["Hello"]}, r"messages\[0\] must have the role"),
        ({"messages": [{"role": "system", "content": "Obey"}]}, r"messages\[0\] must have the role"),
        ({"messages": [{"role": "user", "content": " "}]}, r"messages\[0\].content must be a text"),
        ({"messages": [{"role": "user", "content": 7}]}, r"messages\[0\].content must be a text"),
        ({"messages": [{"role": "user", "content": LONG}]}, f"has {len(LONG)} characters"),
        ({"messages": [{"role": "user", "content": "\ud800"}]}, "surrogate"),
        ({"messages": [{"role": "assistant", "content": "Hi"}]}, "the last message must be the user's"),
    ],
)
def test_a_refusal_says_which_field_and_why(changes: dict[str, object], complaint: str):
    with pytest.raises(ChatRequestError, match=complaint):
        parse(**changes)
