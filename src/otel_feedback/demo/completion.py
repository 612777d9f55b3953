"""The shapes of OpenAI's chat completions: whole, and in chunks."""

from __future__ import annotations

import json
import re
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from otel_feedback.demo.replies import Reply, text_of

_WORD_WITH_SPACE: Final = re.compile(r"\s*\S+")
_TOKEN: Final = re.compile(r"\w{1,4}|[^\w\s]")
_TOKENS_A_MESSAGE: Final = 4


def count_tokens(text: str) -> int:
    """About as many as a real tokenizer finds: four letters or one sign each."""
    return len(_TOKEN.findall(text))


def count_prompt_tokens(messages: Sequence[Mapping[str, Any]]) -> int:
    """The tokens of a conversation, with those that mark its messages."""
    said = sum(count_tokens(text_of(each)) for each in messages)
    called = sum(count_tokens(json.dumps(each["tool_calls"])) for each in messages if each.get("tool_calls"))
    return said + called + _TOKENS_A_MESSAGE * len(messages)


@dataclass(frozen=True)
class Completion:
    """One answer under way: a reply with the ids, counts and limits of its request."""

    reply: Reply
    model: str
    prompt_tokens: int
    max_tokens: int | None = None
    id: str = field(default_factory=lambda: f"chatcmpl-{secrets.token_hex(12)}")
    created: int = field(default_factory=lambda: int(time.time()))

    @property
    def pieces(self) -> list[str]:
        """What is streamed one after the other: words, or parts of a tool call's arguments."""
        if self.reply.tool:
            arguments = json.dumps(dict(self.reply.arguments))
            return [arguments[at : at + 8] for at in range(0, len(arguments), 8)]
        words: list[str] = []
        tokens = 0
        for word in _WORD_WITH_SPACE.findall(self.reply.text):
            tokens += count_tokens(word)
            if self.max_tokens is not None and tokens > self.max_tokens:
                break
            words.append(word)
        return words

    @property
    def finish_reason(self) -> str:
        """``stop``, ``length`` where ``max_tokens`` cut the answer, or ``tool_calls``."""
        if self.reply.tool:
            return "tool_calls"
        return "stop" if "".join(self.pieces) == self.reply.text else "length"

    @property
    def usage(self) -> dict[str, int]:
        """The tokens that a bill would count."""
        completion = count_tokens("".join(self.pieces)) + (_TOKENS_A_MESSAGE if self.reply.tool else 0)
        return {
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": completion,
            "total_tokens": self.prompt_tokens + completion,
        }

    def whole(self) -> dict[str, Any]:
        """The ``chat.completion`` object."""
        message: dict[str, Any] = {"role": "assistant", "content": "".join(self.pieces), "refusal": None}
        if self.reply.tool:
            message |= {"content": None, "tool_calls": [self._tool_call("".join(self.pieces))]}
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": self.finish_reason}
        return {**self._envelope("chat.completion"), "choices": [choice], "usage": self.usage}

    def chunks(self, *, include_usage: bool) -> Iterator[dict[str, Any]]:
        """The ``chat.completion.chunk`` objects; with ``include_usage`` the last one has the usage and no choice."""
        first: dict[str, Any] = {"role": "assistant", "content": "", "refusal": None}
        if self.reply.tool:
            first |= {"content": None, "tool_calls": [{"index": 0, **self._tool_call("")}]}
        empty: dict[str, Any] = {"usage": None} if include_usage else {}
        yield {**self._chunk(first), **empty}
        for piece in self.pieces:
            part = {"tool_calls": [{"index": 0, "function": {"arguments": piece}}]}
            yield {**self._chunk(part if self.reply.tool else {"content": piece}), **empty}
        yield {**self._chunk({}, self.finish_reason), **empty}
        if include_usage:
            yield {**self._envelope("chat.completion.chunk"), "choices": [], "usage": self.usage}

    def _chunk(self, delta: Mapping[str, Any], finish_reason: str | None = None) -> dict[str, Any]:
        choice = {"index": 0, "delta": dict(delta), "logprobs": None, "finish_reason": finish_reason}
        return {**self._envelope("chat.completion.chunk"), "choices": [choice]}

    def _tool_call(self, arguments: str) -> dict[str, Any]:
        function = {"name": self.reply.tool, "arguments": arguments}
        return {"id": self.id.replace("chatcmpl-", "call_"), "type": "function", "function": function}

    def _envelope(self, kind: str) -> dict[str, Any]:
        return {"id": self.id, "object": kind, "created": self.created, "model": self.model}
