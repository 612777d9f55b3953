"""Replace attribute values that ClickHouse does not decode by their text, exactly as the Collector writes it."""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Iterable
from typing import Final

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from otel_feedback.service.value_text import nested_text

# Characters that ClickHouse escapes in JSON in another way than Go; the same list as in text_of_values.sql.
_ESCAPED_OTHERWISE: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u2028\u2029]")
_PLAIN: Final = frozenset({"string_value", "int_value", "bool_value"})
_NOT_FINITE: Final = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}


def flatten_traces(request: ExportTraceServiceRequest) -> bool:
    """Flatten every attribute of resources, scopes, spans, events and links, in place; whether one had to be."""
    changed = 0
    for resource_spans in request.resource_spans:
        changed += _flatten_attributes(resource_spans.resource.attributes)
        for scope_spans in resource_spans.scope_spans:
            changed += _flatten_attributes(scope_spans.scope.attributes)
            for span in scope_spans.spans:
                changed += _flatten_attributes(span.attributes)
                changed += sum(_flatten_attributes(event.attributes) for event in span.events)
                changed += sum(_flatten_attributes(link.attributes) for link in span.links)
    return changed > 0


def flatten_logs(request: ExportLogsServiceRequest) -> bool:
    """Flatten every attribute of resources, scopes and records, and the bodies, in place; whether one had to be."""
    changed = 0
    for resource_logs in request.resource_logs:
        changed += _flatten_attributes(resource_logs.resource.attributes)
        for scope_logs in resource_logs.scope_logs:
            changed += _flatten_attributes(scope_logs.scope.attributes)
            for record in scope_logs.log_records:
                changed += _flatten_attributes(record.attributes)
                changed += record.HasField("body") and _flatten(record.body)
    return changed > 0


def _flatten_attributes(attributes: Iterable[KeyValue]) -> int:
    changed = 0
    for attribute in attributes:
        value = attribute.value
        if value.WhichOneof("value") not in _PLAIN:  # most are: what follows would double the time they take
            changed += _flatten(value)
    return changed


def _flatten(value: AnyValue) -> bool:
    match value.WhichOneof("value"):
        case None:
            value.string_value = ""
        case "bytes_value":
            value.string_value = base64.b64encode(value.bytes_value).decode()
        case "double_value" if not math.isfinite(value.double_value):
            value.string_value = _NOT_FINITE[str(value.double_value)]
        case "kvlist_value":
            value.string_value = nested_text(value)
        case "array_value" if not all(map(_is_easy, value.array_value.values)):
            value.string_value = nested_text(value)
        case _:
            return False
    return True


def _is_easy(element: AnyValue) -> bool:
    """Whether ClickHouse can tell the text of an array that holds it."""
    match element.WhichOneof("value"):
        case "int_value":
            return True
        case "string_value":
            return _ESCAPED_OTHERWISE.search(element.string_value) is None
    return False
