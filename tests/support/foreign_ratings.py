"""Ratings as other people's libraries write them: Microsoft's human evaluations and OpenInference's annotations."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from tests.support.otlp import NOON, SECOND, log_request, trace_request
from tests.support.ratings import EVENT, Call, only_span

CLICKED: Final = NOON + 60 * SECOND


def thumbs_of_microsoft(*, passed: bool = True, **also: Any) -> dict[str, Any]:
    """A binary human evaluation, as Foundry's samples of late 2026 have it; None leaves an attribute out."""
    scale = {
        "type": "boolean",
        "min_value": "0.0",
        "max_value": "1.0",
        "threshold": "1.0",
        "desirable_direction": "increase",
    }
    return _without_none(
        {
            "microsoft.custom_event.name": EVENT,
            "gen_ai.evaluation.name": "task_completion",
            "gen_ai.evaluation.score.value": float(passed),
            "gen_ai.evaluation.score.label": "pass" if passed else "fail",
            "microsoft.gen_ai.human_evaluation.source": "end_user",
            "microsoft.gen_ai.evaluation.actor.type": "human",
            "microsoft.gen_ai.human_evaluation.id": "0b27be45-cd65-4671-ab08-c3eafd4c9613",
            "enduser.id": "oid:241964ad",
            "internal_properties": json.dumps({f"gen_ai.evaluation.{key}": value for key, value in scale.items()}),
            **also,
        }
    )


def stars_of_microsoft(score: int, source: str = "end_user", **also: Any) -> dict[str, Any]:
    """A Likert evaluation with five points, as Foundry's documentation of May 2026 has it."""
    properties = {
        "gen_ai.evaluation.type": "ordinal",
        "gen_ai.evaluation.min_value": "1.0",
        "gen_ai.evaluation.max_value": "5.0",
        "gen_ai.evaluation.threshold": "3.0",
        "gen_ai.evaluation.desirable_direction": "increase",
        "microsoft.human_evaluation.source": source,
        "microsoft.human_evaluation.kind": "likert_5",
    }
    return _without_none(
        {
            "microsoft.custom_event.name": EVENT,
            "gen_ai.evaluation.name": "relevance",
            "gen_ai.evaluation.score.value": float(score),
            "gen_ai.evaluation.score.label": "pass" if score >= 3 else "fail",
            "gen_ai.evaluation.explanation": "to the point",
            "microsoft.human_evaluation.id": "69d937a7-32e2-412e-97c9-119e2d282723",
            "microsoft.human_evaluation.tags.department": "marketing",
            "internal_properties": json.dumps(properties),
            **also,
        }
    )


def evaluation_span(values: Mapping[str, Any], within: Call | None = None) -> ExportTraceServiceRequest:
    """A span that is the rating, in the trace of whatever the app was doing when it came."""
    request = trace_request(values)
    span = only_span(request)
    span.name = EVENT
    span.start_time_unix_nano = span.end_time_unix_nano = CLICKED
    if within is not None:
        span.trace_id, span.parent_span_id = within.trace_id, within.span_id
    return request


def evaluation_log(values: Mapping[str, Any], within: Call | None = None) -> ExportLogsServiceRequest:
    """A log record that Python's logging wrote: with a body, without an event name."""
    request = log_request(EVENT, **values)
    record = request.resource_logs[0].scope_logs[0].log_records[0]
    record.time_unix_nano = CLICKED
    if within is not None:
        record.trace_id, record.span_id = within.trace_id, within.span_id
    return request


def annotated_span(
    *annotations: Mapping[str, Any], prefix: str = "annotations.{}.annotation.", **also: Any
) -> ExportTraceServiceRequest:
    """A span with OpenInference's annotations among its attributes, in the order of ``annotations``."""
    values = {
        f"{prefix.format(number)}{key}": value
        for number, annotation in enumerate(annotations)
        for key, value in annotation.items()
    }
    return trace_request({"openinference.span.kind": "LLM", **values, **also})


def _without_none(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}
