"""Replace attribute values that ClickHouse does not decode by their JSON text (docs/adr/0002)."""

from __future__ import annotations

from collections.abc import Iterable

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from otel_feedback.service.value_text import nested_text


def flatten_traces(request: ExportTraceServiceRequest) -> None:
    """Flatten every attribute of resources, scopes, spans, events and links, in place."""
    for resource_spans in request.resource_spans:
        _flatten_attributes(resource_spans.resource.attributes)
        for scope_spans in resource_spans.scope_spans:
            _flatten_attributes(scope_spans.scope.attributes)
            for span in scope_spans.spans:
                _flatten_attributes(span.attributes)
                for event in span.events:
                    _flatten_attributes(event.attributes)
                for link in span.links:
                    _flatten_attributes(link.attributes)


def flatten_logs(request: ExportLogsServiceRequest) -> None:
    """Flatten every attribute of resources, scopes and records, and the bodies, in place."""
    for resource_logs in request.resource_logs:
        _flatten_attributes(resource_logs.resource.attributes)
        for scope_logs in resource_logs.scope_logs:
            _flatten_attributes(scope_logs.scope.attributes)
            for record in scope_logs.log_records:
                _flatten_attributes(record.attributes)
                if record.HasField("body"):
                    _flatten(record.body)


def _flatten_attributes(attributes: Iterable[KeyValue]) -> None:
    for attribute in attributes:
        if attribute.HasField("value"):
            _flatten(attribute.value)


def _flatten(value: AnyValue) -> None:
    kind = value.WhichOneof("value")
    if kind == "kvlist_value" or (kind == "array_value" and _holds_nested(value.array_value.values)):
        value.string_value = nested_text(value)


def _holds_nested(values: Iterable[AnyValue]) -> bool:
    return any(each.WhichOneof("value") in {"kvlist_value", "array_value"} for each in values)
