"""What official and other GenAI instrumentations really sent, as OTLP requests: dumps in ``tests/data/dialects``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status
from tests.support.otlp import any_value, attributes

FOLDER: Final = Path(__file__).parents[1] / "data" / "dialects"
STARTED: Final = 1_790_000_000_000_000_000
"""When the first span of a dump starts; dumps hold durations, and what came later by how much."""


def recorded(name: str) -> tuple[ExportTraceServiceRequest, ExportLogsServiceRequest]:
    """The spans and the log records of a dump."""
    dump = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    traces, logs = ExportTraceServiceRequest(), ExportLogsServiceRequest()
    for span in dump["spans"]:
        _add_span(traces, span)
    for record in dump["logs"]:
        _add_record(logs, record)
    return traces, logs


def _add_span(request: ExportTraceServiceRequest, told: dict[str, Any]) -> None:
    group = request.resource_spans.add()
    group.resource.attributes.extend(attributes({"service.name": "app"}))
    scope = group.scope_spans.add()
    scope.scope.name = told["scope"]["name"]
    span = scope.spans.add(
        trace_id=bytes.fromhex(told["trace_id"]),
        span_id=bytes.fromhex(told["span_id"]),
        parent_span_id=bytes.fromhex(told["parent"] or ""),
        name=told["name"],
        kind=Span.SpanKind.Value(f"SPAN_KIND_{told['kind']}"),
        start_time_unix_nano=_time(told.get("start_ms", 0)),
        end_time_unix_nano=_time(told.get("start_ms", 0) + told["duration_ms"]),
        attributes=attributes(told["attributes"]),
    )
    span.status.code = Status.StatusCode.Value(f"STATUS_CODE_{told['status']}")
    span.status.message = told.get("status_message", "")
    for event in told["events"]:
        span.events.add(
            name=event["name"], time_unix_nano=_time(event["time_ms"]), attributes=attributes(event["attributes"])
        )


def _add_record(request: ExportLogsServiceRequest, told: dict[str, Any]) -> None:
    group = request.resource_logs.add()
    group.resource.attributes.extend(attributes({"service.name": "app"}))
    scope = group.scope_logs.add()
    scope.scope.name = told["scope"]["name"]
    scope.log_records.add(
        time_unix_nano=_time(told.get("time_ms", 0)),
        observed_time_unix_nano=_time(told.get("observed_ms")),
        trace_id=bytes.fromhex(told["trace_id"]),
        span_id=bytes.fromhex(told["span_id"]),
        event_name=told["event_name"] or "",
        body=any_value(told["body"]),
        attributes=attributes(told["attributes"]),
    )


def _time(milliseconds: float | None) -> int:
    """Since the epoch, in nanoseconds; 0 where the SDK told none."""
    return 0 if milliseconds is None else STARTED + round(milliseconds * 1e6)
