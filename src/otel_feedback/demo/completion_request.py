"""Checks the body of ``POST /v1/chat/completions``; what is wrong is answered in OpenAI's words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from otel_feedback.demo.refusal import invalid, missing, parse_object

ROLES: Final = frozenset({"system", "developer", "user", "assistant", "tool"})


@dataclass(frozen=True, slots=True)
class CompletionRequest:
    """What was asked for. ``tools`` are the names that may be called."""

    model: str
    messages: list[dict[str, Any]]
    tools: frozenset[str]
    max_tokens: int | None
    stream: bool
    include_usage: bool


def parse_completion_request(body: bytes) -> CompletionRequest:
    """The request in a body.

    Raises:
        RefusedRequestError: 400, with the parameter that is wrong.
    """
    content = parse_object(body)
    model = content.get("model")
    if not isinstance(model, str) or not model:
        raise missing("model")
    if content.get("n") not in {None, 1}:
        raise invalid("n", "this server makes one choice")
    options = content.get("stream_options") or {}
    if not isinstance(options, dict):
        raise invalid("stream_options", "expected an object")
    return CompletionRequest(
        model,
        _messages(content),
        _tools(content),
        _max_tokens(content),
        stream=content.get("stream") is True,
        include_usage=options.get("include_usage") is True,
    )


def _messages(content: Mapping[str, Any]) -> list[dict[str, Any]]:
    if "messages" not in content:
        raise missing("messages")
    messages = content["messages"]
    if not isinstance(messages, list) or not messages:
        raise invalid("messages", "expected an array with at least one message")
    for number, each in enumerate(messages):
        if not isinstance(each, dict) or each.get("role") not in ROLES:
            raise invalid(f"messages[{number}].role", f"expected one of {', '.join(sorted(ROLES))}")
        if not isinstance(each.get("content"), str | list) and not each.get("tool_calls"):
            raise invalid(f"messages[{number}].content", "expected a string or an array of parts")
    return messages


def _tools(content: Mapping[str, Any]) -> frozenset[str]:
    tools = content.get("tools") or []
    if not isinstance(tools, list):
        raise invalid("tools", "expected an array")
    names: set[str] = set()
    for number, each in enumerate(tools):
        function = each.get("function") if isinstance(each, dict) else None
        name = function.get("name") if isinstance(function, dict) else None
        if not isinstance(name, str) or not name:
            raise invalid(f"tools[{number}].function.name", "expected a string")
        names.add(name)
    return frozenset() if content.get("tool_choice") == "none" else frozenset(names)


def _max_tokens(content: Mapping[str, Any]) -> int | None:
    for param in ("max_completion_tokens", "max_tokens"):
        value = content.get(param)
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise invalid(param, "expected an integer from 1")
        return value
    return None
