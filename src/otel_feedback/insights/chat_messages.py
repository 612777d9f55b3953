"""Messages as the GenAI conventions have them, as the chat messages that training tools read.

Those are OpenAI's: ``{"role", "content"}``, an assistant's ``tool_calls``, and a tool's answer with ``tool_call_id``.
Arguments of tools are JSON texts, as OpenAI has them: as objects, Arrow would give every row the keys of all tools.
"""

from __future__ import annotations

import json
from typing import Any, Final, TypeAlias

Message: TypeAlias = dict[str, Any]

_ROLES: Final = frozenset({"system", "developer", "user", "assistant", "tool"})
_NOT_SAID: Final = frozenset({"reasoning", "thinking"})
"""Parts that are no part of the answer."""


class NotTextError(ValueError):
    """Messages that can't be told as text: images, files, or no messages at all."""


def conversation(system: str, told_input: str) -> list[Message]:
    """What the model was given; texts that are no JSON arrays are a system's or a user's.

    Raises:
        NotTextError: nothing was captured, or there is more than text and tool calls in it.
    """
    messages = [{"role": "system", "content": text}] if (text := _system_text(system)) else []
    found = _array(told_input)
    if found is None:
        messages += [{"role": "user", "content": told_input}] if told_input.strip() else []
    else:
        for each in found:
            messages += _messages(each, "user")
    if not any(each["role"] == "user" for each in messages):
        raise NotTextError("no user's message was captured")
    return messages


def answer(told_output: str) -> Message:
    """What the model answered: the first choice.

    Raises:
        NotTextError: nothing was captured, or there is more than text and tool calls in it.
    """
    found = _array(told_output)
    if found is None:
        messages = [{"role": "assistant", "content": told_output}] if told_output.strip() else []
    else:
        messages = _messages(found[0], "assistant") if found else []
    if len(messages) != 1 or messages[0]["role"] != "assistant":
        raise NotTextError("no answer was captured")
    return messages[0]


def _array(text: str) -> list[Any] | None:
    try:
        value = json.loads(text)
    except ValueError:
        return None
    return value if isinstance(value, list) else None


def _system_text(told: str) -> str:
    parts = _array(told)
    if parts is None:
        return told.strip()
    texts = [part.get("content", "") if isinstance(part, dict) else str(part) for part in parts]
    return "\n".join(text for text in texts if isinstance(text, str)).strip()


def _messages(told: Any, default_role: str) -> list[Message]:
    """One message as one, but answers of several tools as one each."""
    if not isinstance(told, dict):
        raise NotTextError("a message is no JSON object")
    role = str(told.get("role") or default_role)
    if role not in _ROLES:
        raise NotTextError("a message has a role of its own")
    parts = told.get("parts")
    if not isinstance(parts, list):
        parts = [{"type": "text", "content": told.get("content", "")}]
    texts, calls, answers = _sorted_parts(parts)
    if answers:
        return answers
    if role == "tool":
        identity = str(told.get("tool_call_id") or told.get("id") or "")
        return [{"role": "tool", "tool_call_id": identity, "content": "\n".join(texts)}]
    message: Message = {"role": role, "content": "\n".join(texts)}
    if calls:
        message["tool_calls"] = calls
    return [message] if message["content"] or calls else []


def _sorted_parts(parts: list[Any]) -> tuple[list[str], list[Message], list[Message]]:
    """Texts, tool calls, and tools' answers."""
    texts: list[str] = []
    calls: list[Message] = []
    answers: list[Message] = []
    for part in parts:
        match part:
            case {"type": "text", "content": str(text)}:
                texts.append(text)
            case {"type": "tool_call", "name": str(name)}:
                function = {"name": name, "arguments": _json_text(part.get("arguments"))}
                calls.append({"id": str(part.get("id") or ""), "type": "function", "function": function})
            case {"type": "tool_call_response"}:
                content = _text(part.get("response", part.get("result", "")))
                answers.append({"role": "tool", "tool_call_id": str(part.get("id") or ""), "content": content})
            case {"type": str(kind)} if kind in _NOT_SAID:
                continue
            case _:
                raise NotTextError("a message has more than text and tool calls")
    return texts, calls, answers


def _json_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps({} if value is None else value, ensure_ascii=False)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
