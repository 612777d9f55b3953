"""A rating as an OTLP log record, in the form that the SDK sends too (carrier 3 of the wire format)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Final

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, InstrumentationScope, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ResourceLogs, ScopeLogs
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

from otel_feedback import semconv
from otel_feedback.rating import Rating

SERVICE_NAME: Final = "otel-feedback"
INSTRUMENTATION_SCOPE: Final = "otel_feedback.service"
VIA_HTTP: Final = "http"
_INFO: Final = 9


def export_request(rating: Rating, *, via: str = VIA_HTTP) -> bytes:
    """One ExportLogsServiceRequest that holds the rating alone: its context the target, its time the click's."""
    record = LogRecord(
        time_unix_nano=rating.time_unix_nano,
        observed_time_unix_nano=time.time_ns(),
        severity_number=_INFO,  # type: ignore[arg-type]  # an enum of protobuf's is an int
        event_name=semconv.EVALUATION_EVENT,
        attributes=attributes_of(rating, via=via),
        trace_id=bytes.fromhex(rating.target.trace_id),
        span_id=bytes.fromhex(rating.target.span_id),
    )
    scope_logs = ScopeLogs(scope=InstrumentationScope(name=INSTRUMENTATION_SCOPE), log_records=[record])
    request = ExportLogsServiceRequest(resource_logs=[ResourceLogs(resource=resource(), scope_logs=[scope_logs])])
    return request.SerializeToString()


def resource() -> Resource:
    """Who sends ratings that were given to the service itself."""
    return Resource(attributes=[KeyValue(key="service.name", value=AnyValue(string_value=SERVICE_NAME))])


def attributes_of(rating: Rating, *, via: str = VIA_HTTP) -> list[KeyValue]:
    """The attributes of every carrier of the rating; "" for ``via`` where the carrier itself is the way it came."""
    return [KeyValue(key=key, value=_value(value)) for key, value in _attributes(rating, via)]


def _attributes(rating: Rating, via: str) -> Iterator[tuple[str, str | float | tuple[str, ...]]]:
    """What is known of the rating; absent parts are left out."""
    target = rating.target
    parts: tuple[tuple[str, str | float | tuple[str, ...] | None], ...] = (
        *rating.attributes,
        (semconv.EVALUATION_NAME, rating.name),
        (semconv.EVALUATION_SCORE_VALUE, rating.value),
        (semconv.EVALUATION_SCORE_LABEL, str(rating.label)),
        (semconv.EVALUATION_EXPLANATION, rating.comment),
        (semconv.RESPONSE_ID, target.response_id),
        (semconv.SESSION_ID, target.session_id),
        (semconv.ENDUSER_PSEUDO_ID, rating.rater_id),
        (semconv.FEEDBACK_ID, rating.id),
        (semconv.FEEDBACK_ACTION, str(rating.action)),
        (semconv.FEEDBACK_SOURCE, rating.source),
        (semconv.FEEDBACK_SCOPE, str(target.scope)),
        (semconv.FEEDBACK_SCORE_MIN, rating.score_min),
        (semconv.FEEDBACK_SCORE_MAX, rating.score_max),
        (semconv.FEEDBACK_REASONS, rating.reasons),
        (semconv.FEEDBACK_CORRECTION, rating.correction),
        (semconv.FEEDBACK_VIA, via),
    )
    for key, value in parts:
        if value is not None and value not in ("", ()):
            yield key, value


def _value(value: str | float | tuple[str, ...]) -> AnyValue:
    if isinstance(value, str):
        return AnyValue(string_value=value)
    if isinstance(value, tuple):
        return AnyValue(array_value=ArrayValue(values=[AnyValue(string_value=each) for each in value]))
    return AnyValue(double_value=value)
