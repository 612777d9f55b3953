"""A session as people read it: turn by turn, each answer with the ratings that belong to it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from otel_feedback.dashboard.media import describe

MOST_TOOL_PARTS: Final = 8


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a message: its text, and what it is (text, tool call, tool result, image ...)."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """One message of the model's input or output."""

    role: str
    parts: list[Part]


@dataclass(slots=True)
class Turn:
    """One LLM call: what was asked last, what was answered, and how people rated the answer.

    Attributes:
        anchor: the element's id, "" for a call whose span id an earlier one has, too.
        other_parts: what the answer holds beside text, the first MOST_TOOL_PARTS of it.
    """

    call: dict[str, Any]
    shows_prompt: bool
    anchor: str
    other_parts: list[Part]
    ratings: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Conversation:
    """The turns in order, the ratings of the whole session, and those whose answer is not among the turns."""

    turns: list[Turn]
    session_ratings: list[dict[str, Any]]
    other_ratings: list[dict[str, Any]]


def tell(calls: list[dict[str, Any]], ratings: Iterable[dict[str, Any]]) -> Conversation:
    """Put ratings at their answers. ``calls`` are in order of time.

    A rating of a trace belongs to the trace's last call, as in the view ``rated_llm_calls``. A question is shown
    once: an agent that calls its model again with the same question continues the same turn.
    """
    turns: list[Turn] = []
    by_span: dict[tuple[str, str], Turn] = {}
    last_of_trace: dict[str, Turn] = {}
    anchored: set[str] = set()
    for call in calls:
        repeats = bool(turns) and _continues(turns[-1].call, call)
        anchor = "" if call["SpanId"] in anchored else f"call-{call['SpanId']}"
        anchored.add(call["SpanId"])
        said = [part for message in read_messages(call["OutputMessages"]) for part in message.parts]
        turn = Turn(call, not repeats, anchor, [part for part in said if part.kind != "text"][:MOST_TOOL_PARTS])
        turns.append(turn)
        by_span[call["TraceId"], call["SpanId"]] = turn
        last_of_trace[call["TraceId"]] = turn
    of_session: list[dict[str, Any]] = []
    elsewhere: list[dict[str, Any]] = []
    for rating in ratings:
        found = by_span.get((rating["TraceId"], rating["SpanId"]))
        if rating["Scope"] == "session":
            of_session.append(rating)
        elif rating["Scope"] == "trace" and rating["TraceId"] in last_of_trace:
            last_of_trace[rating["TraceId"]].ratings.append(rating)
        elif found is not None:
            found.ratings.append(rating)
        else:
            elsewhere.append(rating)
    return Conversation(turns, of_session, elsewhere)


def _continues(before: dict[str, Any], call: dict[str, Any]) -> bool:
    """Whether a call answers the same question as the one before: in its trace, or after it said nothing itself."""
    if before["Prompt"] != call["Prompt"]:
        return False
    return bool(before["TraceId"] == call["TraceId"] or (before["OutputMessages"] and not before["Completion"]))


def read_messages(text: str) -> list[ChatMessage]:
    """The messages of a GenAI messages attribute. What is not such JSON stays readable as text; nothing raises."""
    if not text:
        return []
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return [ChatMessage("", [Part("text", text)])]
    entries = content if isinstance(content, list) else [content]
    return [_read_message(entry) for entry in entries]


def _read_message(entry: Any) -> ChatMessage:
    if not isinstance(entry, dict):
        return ChatMessage("", [Part("text", _as_text(entry))])
    role = str(entry.get("role", ""))
    parts = entry.get("parts", entry.get("content"))
    if isinstance(parts, list):
        return ChatMessage(role, [_read_part(part) for part in parts])
    if isinstance(parts, str):
        return ChatMessage(role, [Part("text", parts)])
    return ChatMessage(role, [Part("text", _as_text(entry))])


def _read_part(part: Any) -> Part:
    if not isinstance(part, dict):
        return Part("text", _as_text(part))
    kind = str(part.get("type", "text"))
    if medium := describe(part):
        return Part(*medium)
    if kind in {"text", "reasoning"}:
        return Part(kind, _as_text(part.get("content", part.get("text", ""))))
    if kind == "tool_call":
        return Part("tool call", f"{part.get('name', '')}({_as_text(part.get('arguments', ''))})")
    if kind == "tool_call_response":
        return Part("tool result", _as_text(part.get("response", part.get("result", ""))))
    return Part(kind, _as_text({key: value for key, value in part.items() if key != "type"}))


def _as_text(value: Any) -> str:
    if isinstance(value, str):
        return value
    try:
        return json.dumps(value, ensure_ascii=False)
    except RecursionError:
        return "(nested too deep to show)"
