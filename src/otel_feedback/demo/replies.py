"""What the local model says: plausible answers of a shop's assistant, chosen by the words of the question.

The same question gets the same answer, so that a demo can be told again; another wording may get another one.
"""

from __future__ import annotations

import functools
import importlib.resources
import json
import re
import tomllib
import zlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

ORDER_TOOL: Final = "look_up_order"
_ORDER_NUMBER: Final = re.compile(r"\b[A-Z]-?\d{4}\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Reply:
    """Either a text, or the call of one tool."""

    text: str = ""
    tool: str = ""
    arguments: Mapping[str, str] = field(default_factory=dict)


def reply_to(messages: Sequence[Mapping[str, Any]], tools: Collection[str] = ()) -> Reply:
    """The assistant's turn after these messages (checked OpenAI chat messages).

    A question that names an order calls the tool ``look_up_order`` if it is among ``tools``; the tool's answer is then
    put into words.
    """
    if messages[-1]["role"] == "tool":
        return Reply(_tell_order(text_of(messages[-1])))
    question = next((text_of(each) for each in reversed(messages) if each["role"] == "user"), "")
    number = _ORDER_NUMBER.search(question)
    if number and ORDER_TOOL in tools:
        return Reply(tool=ORDER_TOOL, arguments={"order": f"{number[0][0].upper()}-{number[0][-4:]}"})
    topics, lost = _repertoire()
    answers = next((answers for pattern, answers in topics if pattern.search(question)), lost)
    return Reply(answers[zlib.crc32(question.strip().lower().encode(errors="replace")) % len(answers)])


def text_of(message: Mapping[str, Any]) -> str:
    """The text of a message, whose content is a string or a list of parts."""
    content = message.get("content") or ""
    if isinstance(content, str):
        return content
    return "\n".join(str(part.get("text", "")) for part in content if isinstance(part, Mapping))


def _tell_order(found: str) -> str:
    try:
        order = json.loads(found)
        if "error" in order:
            return f"I can't find that order: {order['error']}. Could you check the number on your confirmation mail?"
        return f"Your order {order['order']}, {order['items']}, is {order['status']}: {order['detail']}."
    except (ValueError, KeyError, TypeError):
        return "I could not read what our order system said. Please try again in a minute."


@functools.cache
def _repertoire() -> tuple[list[tuple[re.Pattern[str], list[str]]], list[str]]:
    """The topics in their order, and what to say when none fits; read once."""
    content = tomllib.loads(importlib.resources.files("otel_feedback.demo").joinpath("replies.toml").read_text("utf-8"))
    topics = [(re.compile(each["pattern"], re.IGNORECASE), each["answers"]) for each in content["topic"]]
    return topics, content["lost"]
