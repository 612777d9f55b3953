"""Checks what the page asks the chat for."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

USERS: Final = ("ana", "kofi", "mei")
MAX_BODY_BYTES: Final = 256 * 1024
MAX_MESSAGES: Final = 40
MAX_MESSAGE_CHARACTERS: Final = 4000
_CONVERSATION: Final = re.compile(r"[0-9A-Za-z-]{8,64}")


class ChatRequestError(Exception):
    """The request makes no sense; the text says which field and why."""


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of the conversation."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """The conversation so far. Its last message is the user's question."""

    conversation: str
    user: str
    messages: tuple[Message, ...]


def parse_chat_request(body: bytes) -> ChatRequest:
    """The request in a body ``{"conversation", "user", "messages": [{"role", "content"}]}``.

    Raises:
        ChatRequestError: it is not such JSON.
    """
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        raise ChatRequestError("the body is not JSON in UTF-8") from None
    if not isinstance(content, dict):
        raise ChatRequestError("the body must be a JSON object")
    conversation = content.get("conversation")
    if not isinstance(conversation, str) or not _CONVERSATION.fullmatch(conversation):
        raise ChatRequestError("conversation must be 8 to 64 letters, digits or dashes")
    user = content.get("user")
    if user not in USERS:
        raise ChatRequestError(f"user must be one of {', '.join(USERS)}")
    return ChatRequest(conversation, user, _messages(content))


def _messages(content: Mapping[str, Any]) -> tuple[Message, ...]:
    messages = content.get("messages")
    if not isinstance(messages, list) or not 1 <= len(messages) <= MAX_MESSAGES:
        raise ChatRequestError(f"messages must be a list of 1 to {MAX_MESSAGES} messages")
    checked = tuple(_message(number, each) for number, each in enumerate(messages))
    if checked[-1].role != "user":
        raise ChatRequestError("the last message must be the user's")
    return checked


def _message(number: int, message: object) -> Message:
    if not isinstance(message, dict) or message.get("role") not in {"user", "assistant"}:
        raise ChatRequestError(f'messages[{number}] must have the role "user" or "assistant"')
    text = message.get("content")
    if not isinstance(text, str) or not text.strip():
        raise ChatRequestError(f"messages[{number}].content must be a text")
    if message["role"] == "user" and len(text) > MAX_MESSAGE_CHARACTERS:
        raise ChatRequestError(
            f"messages[{number}].content has {len(text)} characters; at most {MAX_MESSAGE_CHARACTERS} are taken"
        )
    if not text.isascii() and any("\ud800" <= letter <= "\udfff" for letter in text):
        raise ChatRequestError(f"messages[{number}].content has half of a surrogate pair")
    return Message(message["role"], text)
