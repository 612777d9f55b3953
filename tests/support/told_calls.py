"""What ``llm_calls`` has to tell of the calls of tests/contract/instrumented/calls.py, whoever tells them.

There is one table for every instrumentation. Where a package does not tell something, or tells something else, that is
in ``DIFFERENCES``, with what it sends; a recording of each is in tests/data/dialects. Nothing else may differ.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from typing import Any, Final

MODEL: Final = "shop-assistant-small"
ORDER: Final = {"order": "A-1010"}
THANKED: Final = "You are welcome! Enjoy cooking."
NOT_FOUND: Final = "I can't find that order: gone. Could you check the number on your confirmation mail?"
RESPONSE_ID: Final = "<id of the answer>"
TOOL_CALL_ID: Final = "<id of its tool call>"
MESSAGES: Final = ("InputMessages", "OutputMessages")


def text(content: str) -> dict[str, Any]:
    return {"type": "text", "content": content}


def called(call_id: str) -> dict[str, Any]:
    return {"type": "tool_call", "id": call_id, "name": "look_up_order", "arguments": ORDER}


def says(role: str, *parts: dict[str, Any]) -> dict[str, Any]:
    return {"role": role, "parts": list(parts)}


def answers(finish_reason: str, *parts: dict[str, Any]) -> list[dict[str, Any]]:
    return [{**says("assistant", *parts), "finish_reason": finish_reason}]


CALL: Final[Mapping[str, Any]] = {
    "Operation": "chat",
    "Provider": "openai",
    "RequestModel": MODEL,
    "ResponseModel": MODEL,
    "ResponseId": RESPONSE_ID,
    "CacheReadTokens": 0,
    "CacheWriteTokens": 0,
    "ReasoningTokens": 0,
    "HasFirstChunk": 0,
    "Temperature": None,
    "MaxTokens": None,
    "FinishReason": "stop",
    "SystemInstructions": "",
    "Tools": [],
    "StatusCode": "Unset",
    "ErrorType": "",
}
SYSTEM: Final = says("system", text("You are terse."))
THANKS: Final = {
    "InputMessages": [SYSTEM, says("user", text("Thank you"))],
    "OutputMessages": answers("stop", text(THANKED)),
    "Prompt": "Thank you",
    "Completion": THANKED,
    "InputTokens": 16,
    "OutputTokens": 10,
    "TotalTokens": 26,
}
TOOL_CALL: Final = {
    "InputMessages": [says("user", text("Where is my order A-1010?"))],
    "OutputMessages": answers("tool_calls", called(TOOL_CALL_ID)),
    "Prompt": "Where is my order A-1010?",
    "Completion": "",
    "Tools": ["look_up_order"],
    "FinishReason": "tool_calls",
    "InputTokens": 14,
    "OutputTokens": 16,
    "TotalTokens": 30,
}
CALLS: Final[Mapping[str, Mapping[str, Any]]] = {
    "plain": {**CALL, **THANKS, "Temperature": 0.2, "MaxTokens": 64},
    "streamed": {**CALL, **THANKS, "HasFirstChunk": 1},
    "cut": {
        **CALL,
        "InputMessages": [says("user", text("Thank you"))],
        "OutputMessages": answers("length", text("You are")),
        "Prompt": "Thank you",
        "Completion": "You are",
        "FinishReason": "length",
        "MaxTokens": 3,
        "InputTokens": 7,
        "OutputTokens": 2,
        "TotalTokens": 9,
    },
    "tool call": {**CALL, **TOOL_CALL},
    "streamed tool call": {**CALL, **TOOL_CALL, "HasFirstChunk": 1},
    "conversation": {
        **CALL,
        "InputMessages": [
            SYSTEM,
            says("user", text("Hello")),
            says("assistant", text("What is it about?")),
            says("user", text("Where is my order A-1010?")),
            says("assistant", called("call-1")),
            says(
                "tool",
                {"type": "tool_call_response", "id": "call-1", "response": '{"order": "A-1010", "error": "gone"}'},
            ),
        ],
        "OutputMessages": answers("stop", text(NOT_FOUND)),
        "Prompt": "Where is my order A-1010?",
        "Completion": NOT_FOUND,
        "InputTokens": 133,
        "OutputTokens": 26,
        "TotalTokens": 159,
    },
    "image": {
        **CALL,
        "InputMessages": [
            says(
                "user",
                text("Thank you, is this it?"),
                {"type": "uri", "modality": "image", "uri": "https://fernhill.example/pan.png"},
            )
        ],
        "OutputMessages": answers("stop", text(THANKED)),
        "Prompt": "Thank you, is this it?",
        "Completion": THANKED,
        "InputTokens": 12,
        "OutputTokens": 10,
        "TotalTokens": 22,
    },
    "failing": {
        **CALL,
        "InputMessages": [says("user", text("What if I hit the rate limit?"))],
        "OutputMessages": "",
        "Prompt": "What if I hit the rate limit?",
        "Completion": "",
        "ResponseModel": "",
        "ResponseId": "",
        "FinishReason": "",
        "InputTokens": 0,
        "OutputTokens": 0,
        "TotalTokens": 0,
        "StatusCode": "Error",
        "ErrorType": "RateLimitError",
    },
}
"""By the name of the app's span around each call."""

ANSWERED: Final = tuple(case for case in CALLS if case != "failing")
STREAMED: Final = ("streamed", "streamed tool call")
TOOL_CALLS: Final = ("tool call", "streamed tool call")


@dataclass(frozen=True)
class Difference:
    """What these instrumentations (patterns of names) tell otherwise of these calls, or nothing, by column.

    No columns at all: there is no span for such a call.
    """

    of: str
    cases: Collection[str]
    columns: Mapping[str, Any] | None


NO_ANSWER: Final = {"OutputMessages": "", "Completion": "", "Tools": []}
CONVENTIONS_WORD: Final = {"OutputMessages": answers("tool_call", called(TOOL_CALL_ID))}

DIFFERENCES: Final = (
    # OpenInference sets the status of every call that went well, Traceloop that of streams.
    Difference("openinference_*", ANSWERED, {"StatusCode": "Ok"}),
    Difference("traceloop_*", STREAMED, {"StatusCode": "Ok"}),
    # The official package has nothing about the first chunk; its successor and all the others do.
    Difference("openai-v2_*", STREAMED, {"HasFirstChunk": 0}),
    # Its newer modes leave out every part of a message that is a list of parts, so what it sends is ``"parts":[]``.
    *(
        Difference(f"openai-v2_{mode}", ["image"], {"InputMessages": [says("user")], "Prompt": ""})
        for mode in ("span_only", "event_only", "span_and_event")
    ),
    # In the messages these put the conventions' word for the reason in place of OpenAI's.
    Difference("genai-openai_*", TOOL_CALLS, CONVENTIONS_WORD),
    Difference("traceloop_openai_json", TOOL_CALLS, CONVENTIONS_WORD),
    # A stream has a content of "" before its tool call, which stays as a part.
    Difference(
        "traceloop_openai_json",
        ["streamed tool call"],
        {"OutputMessages": answers("tool_call", text(""), called(TOOL_CALL_ID))},
    ),
    # These tell the exception's class with its module.
    Difference("genai-openai_*", ["failing"], {"ErrorType": "openai.RateLimitError"}),
    Difference("openinference_*", ["failing"], {"ErrorType": "openai.RateLimitError"}),
    # Traceloop's events: gen_ai.choice of a stream names the app's span, not the call's, which has ended by then;
    # gen_ai.tool.message does not tell which tool call it answers.
    Difference("traceloop_openai_events*", STREAMED, NO_ANSWER),
    Difference("traceloop_openai_events_older", STREAMED, {"FinishReason": ""}),
    Difference(
        "traceloop_openai_events*",
        ["conversation"],
        {
            "InputMessages": [
                *CALLS["conversation"]["InputMessages"][:-1],
                says("tool", {"type": "tool_call_response", "response": '{"order": "A-1010", "error": "gone"}'}),
            ]
        },
    ),
    # In 2024 Traceloop had no response id, no tokens of a stream and no span of a call that failed.
    Difference("traceloop_openai_indexed_oldest", ANSWERED, {"ResponseId": ""}),
    Difference("traceloop_openai_indexed_oldest", STREAMED, {"InputTokens": 0, "OutputTokens": 0, "TotalTokens": 0}),
    Difference("traceloop_openai_indexed_oldest", ["failing"], None),
    # Silent: OpenInference has the response id in output.value alone; these have the reason in what they hide.
    Difference("openinference_openai_silent", ANSWERED, {"ResponseId": ""}),
    Difference("traceloop_openai_indexed_silent", ANSWERED, {"FinishReason": ""}),
    Difference("openai-v2_experimental_silent", STREAMED, {"FinishReason": ""}),
    # Silent records of single messages still name the tools that were called.
    Difference("openai-v2_legacy_silent", TOOL_CALLS, {"Tools": ["look_up_order"]}),
    Difference("traceloop_openai_events_silent", ["tool call"], {"Tools": ["look_up_order"]}),
)


def expected_call(name: str, case: str, ids: Mapping[str, str], *, is_silent: bool) -> dict[str, Any] | None:
    """The row of a call that this instrumentation tells; None where it tells of none.

    A silent one's row has no text of what was said; what its messages may hold is for ``said`` to tell.
    """
    row = dict(CALLS[case])
    if is_silent:
        row |= {"Prompt": "", "Completion": "", "Tools": []}
    for difference in DIFFERENCES:
        if fnmatch(name, difference.of) and case in difference.cases:
            if difference.columns is None:
                return None
            row |= difference.columns
    if is_silent:
        row |= {column: [] for column in MESSAGES}
    text_of_row = json.dumps(row)
    for placeholder, told in ((RESPONSE_ID, ids.get("id", "")), (TOOL_CALL_ID, ids.get("tool_call_id", ""))):
        text_of_row = text_of_row.replace(placeholder, told)
    made: dict[str, Any] = json.loads(text_of_row)
    return made


def shown_call(row: Mapping[str, Any], *, is_silent: bool) -> dict[str, Any]:
    """A row of ``llm_calls`` to compare: messages as what their JSON means, or of a silent call what they say."""
    shown = copy.deepcopy(dict(row))
    for column in MESSAGES:
        meant = _without_null(json.loads(shown[column])) if shown[column].startswith("[") else shown[column]
        shown[column] = _said(meant) if is_silent else meant
    return shown


def _said(messages: Any) -> list[Any]:
    """All that messages hold beside their structure: the kinds, names and ids of their parts."""
    if not isinstance(messages, list):
        return [messages] if messages else []
    structure = {"type", "id", "name"}
    parts = (part for message in messages for part in message["parts"])
    return [told for part in parts if (told := {key: part[key] for key in part if key not in structure})]


def _without_null(value: Any) -> Any:
    """The conventions let a key that is null be absent."""
    if isinstance(value, dict):
        return {key: _without_null(each) for key, each in value.items() if each is not None}
    return [_without_null(each) for each in value] if isinstance(value, list) else value
