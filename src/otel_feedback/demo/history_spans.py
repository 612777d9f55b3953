"""Made-up turns of a chat as OTLP, with the spans and attributes that an instrumented app sends."""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from otel_feedback import semconv
from otel_feedback.demo.completion import count_tokens
from otel_feedback.rating import Rating, Scope, Target
from otel_feedback.sdk.carriers import attributes_of

SECOND: Final = 1_000_000_000
SCOPE_NAME: Final = "otel_feedback.demo.history"
_PROVIDER: Final = "fernhill"


@dataclass(frozen=True, slots=True)
class Turn:
    """A question with its answer: what is known before it becomes spans.

    Attributes:
        history: the turns before, as (role, text).
        order: what the tool ``look_up_order`` found; None where it is not called.
        error: ``error.type`` of a call that failed, "" for one that answered.
    """

    at: int
    session: str
    user: str
    model: str
    prompt_version: str
    instructions: str
    history: Sequence[tuple[str, str]]
    question: str
    answer: str
    order: Mapping[str, str] | None
    seconds: float
    error: str = ""


class HistorySpans:
    """Collects spans with random but repeatable ids."""

    def __init__(self, service_name: str, chance: random.Random) -> None:
        self._chance = chance
        self._request = ExportTraceServiceRequest()
        group = self._request.resource_spans.add()
        group.resource.attributes.extend(_attributes({"service.name": service_name, "service.version": "1.8.0"}))
        self._scope_spans = group.scope_spans.add()
        self._scope_spans.scope.name = SCOPE_NAME

    @property
    def spans(self) -> Sequence[Span]:
        """The spans so far."""
        return self._scope_spans.spans

    def serialize(self) -> bytes:
        """Everything as one ExportTraceServiceRequest, so that it is taken as a whole or not at all."""
        return self._request.SerializeToString()

    def add_turn(self, turn: Turn) -> Target:
        """A request to the chat with its LLM calls; what can be rated is the last of them."""
        trace_id = self._chance.randbytes(16)
        root = self._span(trace_id, b"", "POST /api/chat", Span.SPAN_KIND_SERVER, turn.at, turn.at)
        messages = [_text("system", turn.instructions), *(_text(*each) for each in turn.history)]
        messages.append(_text("user", turn.question))
        at = turn.at + SECOND // 50
        if turn.order and not turn.error:
            call_id = f"call_{self._chance.randbytes(6).hex()}"
            called = _tool_call(call_id, turn.order["order"])
            first = self._add_call(turn, root, at, SECOND * 2 // 5, messages, called, "tool_calls")
            at = self._add_tool(turn, root, first.end_time_unix_nano, call_id)
            messages = [*messages, called, _tool_result(call_id, turn.order)]
        duration = int(turn.seconds * SECOND)
        last = self._add_call(turn, root, at, duration, messages, _text("assistant", turn.answer), "stop")
        root.end_time_unix_nano = last.end_time_unix_nano + SECOND // 100
        status = 502 if turn.error else 200
        _set(root, {**_shared(turn), "http.request.method": "POST", "http.route": "/api/chat"})
        _set(root, {"http.response.status_code": status, "error.type": "502" if turn.error else ""})
        if turn.error:
            root.status.code = Status.STATUS_CODE_ERROR
        return Target(Scope.SPAN, trace_id.hex(), last.span_id.hex(), turn.session, _response_id(last, turn))

    def add_rating(self, rating: Rating) -> None:
        """A rating on a carrier span; it gets an id made from its time."""
        rating = replace(rating, id=self._submission_id(rating.time_unix_nano))
        target = rating.target
        if target.scope is Scope.SESSION:
            trace_id, parent = self._chance.randbytes(16), b""
        else:
            trace_id, parent = bytes.fromhex(target.trace_id), bytes.fromhex(target.span_id)
        name, at = semconv.CARRIER_SPAN_PREFIX + rating.name, rating.time_unix_nano
        span = self._span(trace_id, parent, name, Span.SPAN_KIND_INTERNAL, at, at)
        if parent:
            span.links.add(trace_id=trace_id, span_id=parent)
        attributes = attributes_of(rating)
        _set(span, attributes)
        span.events.add(time_unix_nano=at, name=semconv.EVALUATION_EVENT, attributes=_attributes(attributes))

    def _add_call(
        self,
        turn: Turn,
        root: Span,
        at: int,
        duration: int,
        messages: Sequence[Mapping[str, Any]],
        answer: Mapping[str, Any],
        finish_reason: str,
    ) -> Span:
        span = self._span(root.trace_id, root.span_id, f"chat {turn.model}", Span.SPAN_KIND_CLIENT, at, at + duration)
        said, asked = json.dumps(answer["parts"]), json.dumps([each["parts"] for each in messages])
        _set(
            span,
            {
                **_shared(turn),
                "gen_ai.operation.name": "chat",
                "gen_ai.provider.name": _PROVIDER,
                "gen_ai.request.model": turn.model,
                "gen_ai.request.stream": True,
                "gen_ai.input.messages": json.dumps(messages),
                "gen_ai.usage.input_tokens": count_tokens(asked),
            },
        )
        if turn.error:
            _set(span, {"error.type": turn.error})
            span.status.code = Status.STATUS_CODE_ERROR
            span.status.message = "the model did not answer"
            return span
        _set(
            span,
            {
                "gen_ai.response.id": _response_id(span, turn),
                "gen_ai.response.model": turn.model,
                "gen_ai.response.finish_reasons": (finish_reason,),
                "gen_ai.response.time_to_first_chunk": round(duration / SECOND / 4, 3),
                "gen_ai.output.messages": json.dumps([{**answer, "finish_reason": finish_reason}]),
                "gen_ai.usage.output_tokens": count_tokens(said),
            },
        )
        return span

    def _add_tool(self, turn: Turn, root: Span, at: int, call_id: str) -> int:
        end = at + SECOND // 25
        span = self._span(root.trace_id, root.span_id, "execute_tool look_up_order", Span.SPAN_KIND_INTERNAL, at, end)
        operation = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "look_up_order"}
        _set(span, {**_shared(turn), **operation, "gen_ai.tool.call.id": call_id, "gen_ai.tool.type": "function"})
        return end

    def _span(
        self, trace_id: bytes, parent: bytes, name: str, kind: Span.SpanKind.ValueType, at: int, end: int
    ) -> Span:
        return self._scope_spans.spans.add(
            trace_id=trace_id,
            span_id=self._chance.randbytes(8),
            parent_span_id=parent,
            name=name,
            kind=kind,
            start_time_unix_nano=at,
            end_time_unix_nano=end,
        )

    def _submission_id(self, at: int) -> str:
        """A UUIDv7 of that moment."""
        value = (at // 1_000_000) << 80 | int.from_bytes(self._chance.randbytes(10), "big")
        return str(uuid.UUID(int=value & ~(0xF << 76) & ~(0x3 << 62) | 0x7 << 76 | 0x2 << 62))


def _shared(turn: Turn) -> dict[str, Any]:
    """What ``session()`` puts on every span."""
    return {
        semconv.SESSION_ID: turn.session,
        semconv.CONVERSATION_ID: turn.session,
        semconv.ENDUSER_PSEUDO_ID: turn.user,
        "gen_ai.prompt.name": "shop-assistant",
        "gen_ai.prompt.version": turn.prompt_version,
    }


def _response_id(span: Span, turn: Turn) -> str:
    return "" if turn.error else f"chatcmpl-{span.span_id.hex()}"


def _text(role: str, text: str) -> dict[str, Any]:
    return {"role": role, "parts": [{"type": "text", "content": text}]}


def _tool_call(call_id: str, order: str) -> dict[str, Any]:
    part = {"type": "tool_call", "id": call_id, "name": "look_up_order", "arguments": {"order": order}}
    return {"role": "assistant", "parts": [part]}


def _tool_result(call_id: str, found: Mapping[str, str]) -> dict[str, Any]:
    return {"role": "tool", "parts": [{"type": "tool_call_response", "id": call_id, "response": dict(found)}]}


def _set(span: Span, values: Mapping[str, Any]) -> None:
    span.attributes.extend(_attributes(values))


def _attributes(values: Mapping[str, Any]) -> list[KeyValue]:
    return [KeyValue(key=key, value=_any_value(value)) for key, value in values.items() if value not in ("", None)]


def _any_value(value: Any) -> AnyValue:
    match value:
        case bool():
            return AnyValue(bool_value=value)
        case int():
            return AnyValue(int_value=value)
        case float():
            return AnyValue(double_value=value)
        case tuple() | list():
            return AnyValue(array_value=ArrayValue(values=[_any_value(each) for each in value]))
    return AnyValue(string_value=str(value))
