"""A language model behind an OpenAI-compatible endpoint: one question, one answer, and what it cost.

Servers differ in what they take. What one refuses by name (a schema, ``max_tokens``, a temperature) is put in another
way or left out, once and for all following questions. Methods may be called from many threads at once; how many is
the caller's choice.
"""

from __future__ import annotations

import json
import os
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final, Self, TypeAlias

import httpx

from otel_feedback.errors import ConfigurationError, OtelFeedbackError
from otel_feedback.insights.spending import Prices, Spending
from otel_feedback.insights.structured_answer import NoSuchStructureError, read_structure

Message: TypeAlias = Mapping[str, Any]
"""``{"role": "system" | "user" | "assistant", "content": ...}``."""

DEFAULT_BASE_URL: Final = "https://api.openai.com/v1"
_RETRIED_STATUSES: Final = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})
_LONGEST_WAIT_SECONDS: Final = 60.0
_MOST_ANSWER_BYTES: Final = 16 * 1024 * 1024
_CHARACTERS_A_TOKEN: Final = 3
"""Fewer than tokens have in English, so that what is put aside for a question is rarely too little."""
_MOST_REASON_CHARACTERS: Final = 300


class ModelError(OtelFeedbackError):
    """The model could not be asked, or answered nothing that can be used."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the model said.

    Attributes:
        text: as it came.
        value: what the text holds by the schema that was asked for; None where none was.
        model: which model the server says it was; more exact than the name asked for, as a rule.
        finish_reason: ``stop``, ``length`` ...
        input_tokens: as the server counted them, of the last try; estimated where it did not. So ``output_tokens``.
        cost: of these tokens, by the prices given; 0 where none were.
    """

    text: str
    value: Any
    model: str
    finish_reason: str
    input_tokens: int
    output_tokens: int
    cost: float


class ChatModel:
    """Asks one model.

    Args:
        model: its name, as the server knows it.
        base_url: of the API, e.g. http://127.0.0.1:11434/v1; "" for OPENAI_BASE_URL or else OpenAI's own.
        api_key: "" for OPENAI_API_KEY. A server that is not OpenAI's may need none.
        prices: of its tokens; a ``Spending`` with ``most_cost`` needs them.
        spending: where tokens and cost are counted, and bounded.
        timeout_seconds: for connecting, and for each silence while the answer comes.
        most_tries: of each question: busy or broken servers, and answers that do not fit the schema, are asked again.
        sleep: waits so many seconds between tries.

    Raises:
        ConfigurationError: no model or key is named, or a budget in money has no prices.
    """

    def __init__(
        self,
        model: str,
        *,
        base_url: str = "",
        api_key: str = "",
        prices: Prices | None = None,
        spending: Spending | None = None,
        timeout_seconds: float = 120.0,
        most_tries: int = 5,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self.model = model
        self.base_url = (base_url or os.environ.get("OPENAI_BASE_URL", "") or DEFAULT_BASE_URL).rstrip("/")
        self.spending = spending or Spending()
        key = (api_key or os.environ.get("OPENAI_API_KEY", "")).strip()
        if not model.strip():
            raise ConfigurationError("No model is named. Write --model NAME, as the server knows it")
        if not key and self.base_url == DEFAULT_BASE_URL:
            raise ConfigurationError("Set OPENAI_API_KEY, or OPENAI_BASE_URL to a server of your own that needs no key")
        if self.spending.most_cost is not None and prices is None:
            raise ConfigurationError("A budget in money needs the prices of a million input and output tokens")
        try:
            self._client = httpx.Client(
                headers={"Authorization": f"Bearer {key}"} if key else {}, timeout=timeout_seconds
            )
            httpx.URL(self.base_url)
        except (httpx.InvalidURL, UnicodeError, ValueError) as error:
            raise ConfigurationError(f"OPENAI_BASE_URL or OPENAI_API_KEY can't be used: {error}") from None
        self._prices = prices or Prices(0.0, 0.0)
        self._most_tries = most_tries
        self._sleep = sleep
        self._refused: frozenset[str] = frozenset()

    def __enter__(self) -> Self:
        """For ``with``: connections are closed at its end."""
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close its connections."""
        self._client.close()

    def ask(
        self,
        messages: Sequence[Message],
        *,
        schema: Mapping[str, Any] | None = None,
        most_tokens: int = 1024,
        temperature: float | None = 0.0,
        seed: int | None = None,
    ) -> Answer:
        """Ask once, and again where the server is busy or the answer does not fit.

        Args:
            messages: the conversation so far.
            schema: a JSON schema (objects with every property required suit all servers) that the answer must fit.
            most_tokens: how long the answer may be.
            temperature: None for the server's own.
            seed: for servers that can answer the same question alike twice.

        Raises:
            BudgetSpentError: what is left of the budget may not be enough.
            ModelError: the server refused, stayed busy or broken, or never answered by the schema.
        """
        question = _Question(messages, schema, most_tokens, temperature, seed)
        trouble = ""
        for attempt in range(self._most_tries):
            tokens = question.least_input_tokens, most_tokens
            aside = sum(tokens), self._prices.of(*tokens)
            self.spending.put_aside(*aside)
            try:
                reply = self._send(question)
                if isinstance(reply, _Again):
                    trouble, wait_seconds = reply.why, reply.after_seconds
                else:
                    return self._read(reply, question)
            except NoSuchStructureError as error:
                trouble, wait_seconds = f"the answer does not fit what was asked for: {error}", 0.0
            finally:
                self.spending.release(*aside)
            if attempt + 1 < self._most_tries:
                backoff = min(0.5 * 2**attempt, _LONGEST_WAIT_SECONDS) * random.uniform(0.5, 1.0)  # noqa: S311  # no secret
                self._sleep(min(backoff if wait_seconds is None else wait_seconds, _LONGEST_WAIT_SECONDS))
        raise ModelError(f"{self.model} at {self.base_url} gave no answer in {self._most_tries} tries: {trouble}")

    def _send(self, question: _Question) -> Mapping[str, Any] | _Again:
        while True:
            refused = self._refused
            try:
                status, headers, body = self._post(question.body(self.model, refused))
            except httpx.TransportError as error:
                return _Again(f"{type(error).__name__}: {error}"[:_MOST_REASON_CHARACTERS])
            if status == 200:
                try:
                    read = json.loads(body)
                except ValueError:
                    return _Again("its answer is no JSON")
                return read if isinstance(read, dict) else _Again("its answer is no JSON object")
            reason, code = _reason(body)
            if status in {400, 422} and (newly := question.named_in(reason) - refused):
                self._refused = refused | newly
                continue
            told = f"status {status}: {reason}" if reason else f"status {status}"
            if status in _RETRIED_STATUSES and code != "insufficient_quota":
                return _Again(told, _seconds_to_wait(headers))
            raise ModelError(f"{self.model} at {self.base_url} refused the question with {told}")

    def _post(self, body: Mapping[str, Any]) -> tuple[int, httpx.Headers, bytes]:
        received = bytearray()
        with self._client.stream("POST", f"{self.base_url}/chat/completions", json=body) as response:
            for piece in response.iter_bytes():
                received += piece
                if len(received) > _MOST_ANSWER_BYTES:
                    raise ModelError(f"{self.base_url} answered with more than {_MOST_ANSWER_BYTES} bytes")
            return response.status_code, response.headers, bytes(received)

    def _read(self, reply: Mapping[str, Any], question: _Question) -> Answer:
        choices = reply.get("choices")
        choice = choices[0] if isinstance(choices, list) and choices and isinstance(choices[0], dict) else {}
        message = choice.get("message")
        message = message if isinstance(message, dict) else {}
        content = message.get("content")
        text = content if isinstance(content, str) else ""
        usage = reply.get("usage")
        usage = usage if isinstance(usage, dict) else {}
        input_tokens = _count(usage.get("prompt_tokens"), question.least_input_tokens)
        output_tokens = _count(usage.get("completion_tokens"), len(text) // _CHARACTERS_A_TOKEN + 1)
        cost = self._prices.of(input_tokens, output_tokens)
        self.spending.spend(input_tokens, output_tokens, cost)
        finish_reason = str(choice.get("finish_reason") or "")
        if not text.strip():
            refusal = str(message.get("refusal") or "")[:_MOST_REASON_CHARACTERS]
            raise NoSuchStructureError(refusal or f"it is empty (finish reason {finish_reason or 'unknown'})")
        if question.schema is not None and finish_reason == "length":
            raise NoSuchStructureError(f"it was cut off after {question.most_tokens} tokens")
        value = None if question.schema is None else read_structure(text, question.schema)
        model = str(reply.get("model") or self.model)
        return Answer(text, value, model, finish_reason, input_tokens, output_tokens, cost)


@dataclass(frozen=True, slots=True)
class _Again:
    """A failure that may pass; ``after_seconds`` as the server asks, None where it does not."""

    why: str
    after_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class _Question:
    messages: Sequence[Message]
    schema: Mapping[str, Any] | None
    most_tokens: int
    temperature: float | None
    seed: int | None

    @property
    def least_input_tokens(self) -> int:
        texts = json.dumps([list(self.messages), self.schema], ensure_ascii=False, default=str)
        return len(texts) // _CHARACTERS_A_TOKEN + 1

    def body(self, model: str, refused: frozenset[str]) -> dict[str, Any]:
        """The request, without what the server has refused before."""
        messages = list(self.messages)
        body: dict[str, Any] = {"model": model, "messages": messages}
        body["max_completion_tokens" if "max_tokens" in refused else "max_tokens"] = self.most_tokens
        for name in ("temperature", "seed"):
            if (value := getattr(self, name)) is not None and name not in refused:
                body[name] = value
        if self.schema is None:
            return body
        if "response_format" in refused:
            asked = "Answer with one JSON object and nothing else. It must fit this JSON schema:\n"
            messages.append({"role": "user", "content": asked + json.dumps(self.schema, ensure_ascii=False)})
        else:
            told = {"name": "answer", "strict": True, "schema": self.schema}
            body["response_format"] = {"type": "json_schema", "json_schema": told}
        return body

    def named_in(self, reason: str) -> frozenset[str]:
        """What of the request a refusal names, that can be said in another way or left out."""
        names = {"max_tokens", "temperature", "seed"} | ({"response_format"} if self.schema is not None else set())
        found = {name for name in names if name in reason}
        if self.schema is not None and ("json_schema" in reason or "response format" in reason.lower()):
            found.add("response_format")
        return frozenset(found)


def _reason(body: bytes) -> tuple[str, str]:
    """What an error's body says, and its code."""
    try:
        error = json.loads(body)
    except ValueError:
        return body[:_MOST_REASON_CHARACTERS].decode(errors="replace").strip(), ""
    if isinstance(error, dict):
        error = error.get("error", error.get("detail", error.get("message", "")))
    if isinstance(error, dict):
        told = " ".join(str(error[key]) for key in ("message", "param") if error.get(key))
        return told[:_MOST_REASON_CHARACTERS], str(error.get("code") or "")
    return str(error)[:_MOST_REASON_CHARACTERS], ""


def _seconds_to_wait(headers: httpx.Headers) -> float | None:
    """What ``retry-after-ms`` or ``Retry-After`` says (RFC 9110, 10.2.3: seconds or a date), if one does."""
    try:
        if "retry-after-ms" in headers:
            return max(float(headers["retry-after-ms"]) / 1000, 0.0)
        told = headers.get("retry-after", "")
        if told.replace(".", "", 1).isdigit():
            return float(told)
        return max((parsedate_to_datetime(told) - datetime.now(UTC)).total_seconds(), 0.0) if told else None
    except (TypeError, ValueError):
        return None


def _count(told: object, otherwise: int) -> int:
    return told if isinstance(told, int) and not isinstance(told, bool) and told >= 0 else otherwise
