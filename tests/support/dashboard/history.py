"""Made-up conversations as OTLP requests, the way an instrumented app sends them: spans, carriers, events, links."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from google.protobuf.internal.encoder import _VarintBytes
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, Status
from tests.support.otlp import attributes

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
DAY = 86_400 * SECOND


@dataclass(frozen=True)
class Call:
    """A made LLM call, to be rated."""

    trace_id: bytes
    span_id: bytes
    root_span_id: bytes
    session: str
    end: int


class History:
    """Collects spans; ``write`` stores them as one segment."""

    def __init__(self, seed: int = 7, service: str = "shop-assistant") -> None:
        self._chance = random.Random(seed)
        self._service = service
        self._spans: dict[str, list[Span]] = {}

    def call(
        self,
        prompt: str,
        answer: str,
        *,
        at: int,
        session: str = "",
        user: str = "",
        model: str = "gpt-4o-mini",
        service: str = "",
        system: str = "",
        error: str = "",
        tool: str = "",
        seconds: float = 1.4,
        tokens: tuple[int, int] = (180, 60),
        captured: bool = True,
        version: str = "",
        further: Mapping[str, object] | None = None,
    ) -> Call:
        """One request to the app with one LLM call in it; ``further`` attributes replace what they are named like."""
        trace_id, root_id, call_id = self._id(16), self._id(8), self._id(8)
        shared = {"session.id": session, "user.id": user}
        end = at + int(seconds * SECOND)
        root = self._span(service, trace_id, root_id, b"", "POST /chat", Span.SPAN_KIND_SERVER, at, end + SECOND // 20)
        _set(root.attributes, {**shared, "http.request.method": "POST", "http.route": "/chat"})
        retrieve = self._span(
            service,
            trace_id,
            self._id(8),
            root_id,
            "retrieve documents",
            Span.SPAN_KIND_INTERNAL,
            at + SECOND // 100,
            at + SECOND // 8,
        )
        _set(retrieve.attributes, {"db.system": "qdrant", "retrieval.documents": 4})
        start = at + SECOND // 7
        span = self._span(service, trace_id, call_id, root_id, f"chat {model}", Span.SPAN_KIND_CLIENT, start, end)
        values: dict[str, object] = {
            **shared,
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "openai",
            "gen_ai.request.model": model,
            "gen_ai.response.model": "" if error else f"{model}-2026-05-01",
            "gen_ai.response.id": "" if error else f"chatcmpl-{call_id.hex()}",
            "gen_ai.usage.input_tokens": tokens[0],
            "gen_ai.usage.output_tokens": 0 if error else tokens[1],
            "gen_ai.response.time_to_first_chunk": 0.0 if error else seconds / 4,
            "error.type": error,
            "gen_ai.prompt.version": version,
        }
        if not error:
            values["gen_ai.response.finish_reasons"] = ["tool_calls" if tool else "stop"]
        if captured:
            parts = [{"type": "text", "content": prompt}]
            values["gen_ai.input.messages"] = json.dumps([{"role": "user", "parts": parts}])
            if system:
                values["gen_ai.system_instructions"] = json.dumps([{"type": "text", "content": system}])
            said: list[dict[str, object]] = [{"type": "text", "content": answer}] if answer else []
            if tool:
                said.append({"type": "tool_call", "id": "call_1", "name": tool, "arguments": {"order": "A-1009"}})
            if not error:
                values["gen_ai.output.messages"] = json.dumps(
                    [{"role": "assistant", "parts": said, "finish_reason": "stop"}]
                )
        _set(span.attributes, {**values, **(further or {})})
        if error:
            span.status.code = Status.STATUS_CODE_ERROR
            span.status.message = f"{error}: the model did not answer"
            event = span.events.add(time_unix_nano=end, name="exception")
            _set(event.attributes, {"exception.type": error, "exception.message": "the model did not answer"})
        return Call(trace_id, call_id, root_id, session, end)

    def rate(
        self,
        call: Call,
        label: str,
        *,
        at: int,
        name: str = "thumbs",
        value: float | None = None,
        score_range: tuple[float, float] | None = None,
        rater: str = "",
        comment: str = "",
        correction: str = "",
        reasons: tuple[str, ...] = (),
        scope: str = "span",
        action: str = "submit",
        service: str = "",
        source: str = "end_user",
    ) -> None:
        """A rating on its carrier span, as the SDK sends it."""
        span = self._carrier(call, name, at, scope, service)
        thumbs = {"positive": 1.0, "negative": 0.0}.get(label)
        values: dict[str, object] = {
            "gen_ai.evaluation.name": name,
            "gen_ai.evaluation.score.value": thumbs if value is None and name == "thumbs" else value,
            "gen_ai.evaluation.score.label": label,
            "gen_ai.evaluation.explanation": comment,
            "session.id": call.session,
            "enduser.pseudo.id": rater,
            "otel_feedback.id": f"0190{self._id(14).hex()}",
            "otel_feedback.action": action,
            "otel_feedback.source": source,
            "otel_feedback.scope": scope,
            "otel_feedback.correction": correction,
        }
        if reasons:
            values["otel_feedback.reasons"] = list(reasons)
        if score_range:
            values["otel_feedback.score.min"], values["otel_feedback.score.max"] = score_range
        event = span.events.add(time_unix_nano=at, name="gen_ai.evaluation.result")
        _set(event.attributes, values)

    def never_arriving_call(self, session: str = "") -> Call:
        """A call whose trace nobody sends."""
        return Call(self._id(16), self._id(8), self._id(8), session, 0)

    def request(self) -> ExportTraceServiceRequest:
        """Everything collected, as an exporter would send it."""
        request = ExportTraceServiceRequest()
        for service, spans in self._spans.items():
            resource_spans: ResourceSpans = request.resource_spans.add()
            _set(resource_spans.resource.attributes, {"service.name": service, "service.version": "2.3.0"})
            scope_spans: ScopeSpans = resource_spans.scope_spans.add()
            scope_spans.scope.name = "made.up.history"
            scope_spans.spans.extend(spans)
        return request

    def write(self, database: Any, folder: Path, token: str) -> None:
        """Store everything collected as one segment."""
        body = self.request().SerializeToString()
        path = folder / f"{token}.segment"
        path.write_bytes(_VarintBytes(len(body)) + body)
        database.insert_segment("traces", path, token)

    def _carrier(self, call: Call, name: str, at: int, scope: str, service: str) -> Span:
        if scope == "session":
            return self._span(
                service, self._id(16), self._id(8), b"", f"user_feedback {name}", Span.SPAN_KIND_INTERNAL, at, at
            )
        span = self._span(
            service, call.trace_id, self._id(8), call.span_id, f"user_feedback {name}", Span.SPAN_KIND_INTERNAL, at, at
        )
        span.links.add(trace_id=call.trace_id, span_id=call.span_id)
        return span

    def _span(
        self, service: str, trace_id: bytes, span_id: bytes, parent: bytes, name: str, kind: int, start: int, end: int
    ) -> Span:
        span = Span(
            trace_id=trace_id,
            span_id=span_id,
            parent_span_id=parent,
            name=name,
            kind=kind,  # type: ignore[arg-type]
            start_time_unix_nano=start,
            end_time_unix_nano=end,
        )
        self._spans.setdefault(service or self._service, []).append(span)
        return span

    def _id(self, size_bytes: int) -> bytes:
        return self._chance.randbytes(size_bytes)


def _set(target: Any, values: dict[str, object]) -> None:
    target.extend(attributes({key: value for key, value in values.items() if value is not None and value != ""}))
