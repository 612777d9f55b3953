"""Ratings as OTLP requests, carrier by carrier, the LLM calls that they rate, and what becomes of them in SQL."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from tests.support.otlp import NOON, SECOND, attributes, log_request, trace_request

from otel_feedback.clickhouse.database import Database

EVENT: Final = "gen_ai.evaluation.result"
WAITING: Final = "waiting"
LINKED: Final = "linked"
UNMATCHED: Final = "unmatched"


@dataclass(frozen=True)
class Call:
    """An LLM call of an app."""

    trace_id: bytes = field(default_factory=lambda: os.urandom(15) + b"\x01")
    span_id: bytes = field(default_factory=lambda: os.urandom(7) + b"\x01")
    at: int = NOON
    session: str = ""
    user: str = ""
    response_id: str = ""
    error: str = ""
    tokens: tuple[int, int] = (10, 5)
    prompt: str = ""
    parent: bytes = b""

    def request(self) -> ExportTraceServiceRequest:
        """The call's span; it takes a second."""
        values = {
            "gen_ai.operation.name": "chat",
            "gen_ai.request.model": "gpt-4o",
            "gen_ai.usage.input_tokens": self.tokens[0],
            "gen_ai.usage.output_tokens": self.tokens[1],
            "session.id": self.session,
            "user.id": self.user,
            "gen_ai.response.id": self.response_id,
            "error.type": self.error,
            "gen_ai.input.messages": self.prompt,
        }
        request = trace_request({key: value for key, value in values.items() if value != ""}, service="app")
        span = only_span(request)
        span.trace_id, span.span_id, span.parent_span_id = self.trace_id, self.span_id, self.parent
        span.name = "chat gpt-4o"
        span.start_time_unix_nano, span.end_time_unix_nano = self.at, min(self.at + SECOND, 2**64 - 1)
        span.status.code = Span().status.StatusCode.Value("STATUS_CODE_ERROR" if self.error else "STATUS_CODE_UNSET")
        return request


@dataclass(frozen=True)
class Submission:
    """One submission of a rating. ``also`` are attributes beside the usual ones, or, where None, to leave out."""

    call: Call | None = None
    id: str = "id-1"
    name: str = "thumbs"
    value: float | None = 1.0
    rater: str = "rater-1"
    at: int = NOON + 60 * SECOND
    action: str = "submit"
    scope: str = "span"
    session: str = ""
    response_id: str = ""
    also: Mapping[str, Any] = field(default_factory=dict)

    def changed(self, id: str, seconds: float = 1, **changes: Any) -> Submission:  # noqa: A002  # named as the field
        """Another submission of the same rating, so much later."""
        return replace(self, id=id, at=self.at + int(seconds * SECOND), **changes)

    def retracted(self, id: str, seconds: float = 1) -> Submission:  # noqa: A002  # as above
        """The rater takes it back, so much later."""
        return self.changed(id, seconds, action="retract", value=None, also={})

    def attributes(self) -> dict[str, Any]:
        values: dict[str, Any] = {
            "gen_ai.evaluation.name": self.name,
            "gen_ai.evaluation.score.value": self.value,
            "gen_ai.response.id": self.response_id,
            "session.id": self.session,
            "enduser.pseudo.id": self.rater,
            "otel_feedback.id": self.id,
            "otel_feedback.action": self.action,
            "otel_feedback.source": "end_user",
            "otel_feedback.scope": self.scope,
            **self.also,
        }
        return {key: value for key, value in values.items() if value is not None and value != ""}

    def carrier(self, *, has_link: bool = True, has_parent: bool = True) -> ExportTraceServiceRequest:
        """Carrier 2: a span of its own, as the SDK sends it."""
        request = trace_request(self.attributes(), service="app")
        span = only_span(request)
        span.name = f"user_feedback {self.name}"
        span.start_time_unix_nano = span.end_time_unix_nano = self.at
        if self.call is not None:
            span.trace_id = self.call.trace_id
            if has_parent:
                span.parent_span_id = self.call.span_id
            if has_link:
                span.links.add(trace_id=self.call.trace_id, span_id=self.call.span_id)
        self.add_event(span)
        return request

    def log(self) -> ExportLogsServiceRequest:
        """Carrier 3: the log record in the context of what is rated."""
        request = log_request(None, **self.attributes())
        group = request.resource_logs[0]
        group.resource.attributes[0].value.string_value = "app"
        record = group.scope_logs[0].log_records[0]
        record.event_name, record.time_unix_nano = EVENT, self.at
        if self.call is not None:
            record.trace_id = self.call.trace_id
            record.span_id = self.call.span_id
        return request

    def add_event(self, span: Span) -> None:
        """Carrier 1: the event, on any span."""
        event = span.events.add(name=EVENT, time_unix_nano=self.at)
        event.attributes.extend(attributes(self.attributes()))


def only_span(request: ExportTraceServiceRequest) -> Span:
    return request.resource_spans[0].scope_spans[0].spans[0]


def current(database: Database, columns: str = "*") -> list[dict[str, Any]]:
    rows = database.query(f"SELECT {columns} FROM feedback ORDER BY Name, RaterId, SessionId, FeedbackId")  # noqa: S608
    return [dict(row) for row in rows]


def only_rating(database: Database, columns: str = "*") -> dict[str, Any]:
    (row,) = current(database, columns)
    return row


def journal(database: Database) -> list[str]:
    return [row["EventId"] for row in database.query("SELECT EventId FROM feedback_events ORDER BY Time, EventId")]


def seconds_ago(seconds: float) -> int:
    return time.time_ns() - int(seconds * SECOND)
