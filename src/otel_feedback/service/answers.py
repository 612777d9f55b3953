"""The bytes of an OTLP answer: partial success, and google.rpc.Status for errors, in protobuf or JSON."""

from __future__ import annotations

import json
from typing import Any, Final

from google.protobuf import duration_pb2, json_format
from google.rpc import error_details_pb2, status_pb2
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from otel_feedback.service.intake import Taken
from otel_feedback.service.otlp_request import OtlpSignal

PROTOBUF: Final = "application/x-protobuf"
JSON: Final = "application/json"

# google.rpc.Code, the codes that go into a Status
INVALID_ARGUMENT: Final = 3
NOT_FOUND: Final = 5
PERMISSION_DENIED: Final = 7
RESOURCE_EXHAUSTED: Final = 8
UNIMPLEMENTED: Final = 12
UNAVAILABLE: Final = 14
UNAUTHENTICATED: Final = 16

_RESPONSES: Final[dict[OtlpSignal, tuple[Any, str]]] = {
    "traces": (ExportTraceServiceResponse, "rejected_spans"),
    "logs": (ExportLogsServiceResponse, "rejected_log_records"),
    "metrics": (ExportMetricsServiceResponse, "rejected_data_points"),
}


def success_bytes(signal: OtlpSignal, taken: Taken, content_type: str = PROTOBUF) -> bytes:
    """An Export...ServiceResponse; partial_success is set only when something was refused or mended."""
    message_class, rejected_field = _RESPONSES[signal]
    response = message_class()
    if taken.reason:
        setattr(response.partial_success, rejected_field, taken.rejected)
        response.partial_success.error_message = taken.reason
    if content_type == JSON:
        return json.dumps(json_format.MessageToDict(response)).encode()
    return bytes(response.SerializeToString())


def error_bytes(
    code: int, message: str, content_type: str = PROTOBUF, *, retry_after_seconds: int | None = None
) -> bytes:
    """A google.rpc.Status; ``code`` is gRPC's.

    With ``retry_after_seconds`` it carries a RetryInfo; for bad data a BadRequest, as opentelemetry-proto asks.
    """
    status = status_pb2.Status(code=code, message=message)
    if retry_after_seconds is not None:
        retry = error_details_pb2.RetryInfo(retry_delay=duration_pb2.Duration(seconds=retry_after_seconds))
        status.details.add().Pack(retry)
    if code == INVALID_ARGUMENT:
        violation = error_details_pb2.BadRequest.FieldViolation(description=message)
        status.details.add().Pack(error_details_pb2.BadRequest(field_violations=[violation]))
    if content_type == JSON:
        return json.dumps(json_format.MessageToDict(status)).encode()
    return bytes(status.SerializeToString())
