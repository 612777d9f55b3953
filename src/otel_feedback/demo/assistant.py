"""The shop's assistant: a streamed answer of the model, which may look up an order on the way."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterable
from dataclasses import dataclass
from typing import Final

import openai
from openai.types.chat import ChatCompletionAssistantMessageParam, ChatCompletionMessageParam
from openai.types.chat.chat_completion_chunk import ChoiceDeltaToolCall

from otel_feedback.demo.chat_request import Message
from otel_feedback.demo.shop import INSTRUCTIONS, LOOK_UP_ORDER, run_tool

MOST_TOOL_ROUNDS: Final = 3


async def answer(client: openai.AsyncOpenAI, model: str, messages: Iterable[Message]) -> AsyncIterator[str]:
    """The assistant's text, piece by piece as the model makes it.

    Raises:
        openai.OpenAIError: the model can't be reached, refuses, or breaks off.
    """
    conversation: list[ChatCompletionMessageParam] = [{"role": "system", "content": INSTRUCTIONS}]
    for message in messages:
        if message.role == "user":
            conversation.append({"role": "user", "content": message.content})
        else:
            conversation.append({"role": "assistant", "content": message.content})
    for _ in range(MOST_TOOL_ROUNDS):
        stream = await client.chat.completions.create(
            model=model,
            messages=conversation,
            tools=[LOOK_UP_ORDER],
            stream=True,
            stream_options={"include_usage": True},
        )
        calls: dict[int, _ToolCall] = {}
        async with stream:
            async for chunk in stream:
                for choice in chunk.choices:
                    _collect(calls, choice.delta.tool_calls or ())
                    if choice.delta.content:
                        yield choice.delta.content
        if not calls:
            return
        conversation += _tool_turn(calls.values())


@dataclass(slots=True)
class _ToolCall:
    """A tool call as its pieces come together."""

    id: str = ""
    name: str = ""
    arguments: str = ""


def _collect(calls: dict[int, _ToolCall], pieces: Iterable[ChoiceDeltaToolCall]) -> None:
    for piece in pieces:
        call = calls.setdefault(piece.index, _ToolCall())
        call.id = piece.id or call.id
        if piece.function:
            call.name += piece.function.name or ""
            call.arguments += piece.function.arguments or ""


def _tool_turn(calls: Collection[_ToolCall]) -> list[ChatCompletionMessageParam]:
    """The model's calls, and what the tools answered."""
    asked: ChatCompletionAssistantMessageParam = {
        "role": "assistant",
        "tool_calls": [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in calls
        ],
    }
    answers: list[ChatCompletionMessageParam] = [
        {"role": "tool", "tool_call_id": call.id, "content": run_tool(call.name, call.arguments)} for call in calls
    ]
    return [asked, *answers]
