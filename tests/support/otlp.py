"""OTLP requests for tests."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import Any, Final

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.trace.v1.trace_pb2 import Span

SECOND: Final = 1_000_000_000
NOON: Final = 1_790_000_000 * SECOND


def any_value(value: Any) -> AnyValue:  # noqa: PLR0911  # one return a kind of value
    match value:
        case None:
            return AnyValue()
        case bool():
            return AnyValue(bool_value=value)
        case int():
            return AnyValue(int_value=value)
        case float():
            return AnyValue(double_value=value)
        case bytes():
            return AnyValue(bytes_value=value)
        case list():
            return AnyValue(array_value=ArrayValue(values=[any_value(each) for each in value]))
        case dict():
            return AnyValue(kvlist_value=KeyValueList(values=attributes(value)))
    return AnyValue(string_value=value)


def attributes(values: Mapping[str, Any]) -> list[KeyValue]:
    return [KeyValue(key=key, value=any_value(value)) for key, value in values.items()]


def trace_request(*spans_attributes: Mapping[str, Any], service: str = "shop") -> ExportTraceServiceRequest:
    """One request with a span for each mapping of attributes."""
    request = ExportTraceServiceRequest()
    group = request.resource_spans.add()
    group.resource.attributes.extend(attributes({"service.name": service}))
    scope = group.scope_spans.add()
    scope.scope.name = "tests"
    now = time.time_ns()
    for index, values in enumerate(spans_attributes):
        scope.spans.add(
            trace_id=os.urandom(15) + b"\x01",
            span_id=os.urandom(7) + b"\x01",
            name=f"span {index}",
            kind=1,
            start_time_unix_nano=now,
            end_time_unix_nano=now + 1000,
            attributes=attributes(values),
        )
    return request


def log_request(*bodies: Any, **record_attributes: Any) -> ExportLogsServiceRequest:
    """One request with a log record for each body, all with the same attributes."""
    request = ExportLogsServiceRequest()
    group = request.resource_logs.add()
    group.resource.attributes.extend(attributes({"service.name": "shop"}))
    scope = group.scope_logs.add()
    for body in bodies:
        scope.log_records.add(
            time_unix_nano=time.time_ns(), body=any_value(body), attributes=attributes(record_attributes)
        )
    return request


def nested_bytes(body: bytes, marker: bytes, levels: int) -> bytes:
    """The request with each ``bytes_value`` of ``marker`` replaced by maps in maps, deeper than any library writes.

    Works on the bytes: every length-delimited field that holds the marker is written anew with its new length.
    """
    value = b"\x0a\x01x"  # AnyValue.string_value
    for _ in range(levels):
        pair = _delimited(1, b"k") + _delimited(2, value)
        value = _delimited(6, _delimited(1, pair))  # AnyValue.kvlist_value.values
    return _replaced(body, _delimited(7, marker), value)


def _replaced(body: bytes, marker: bytes, value: bytes) -> bytes:
    if body == marker:
        return value
    out = bytearray()
    position = 0
    while position < len(body):
        start = position
        tag, position = _varint_at(body, position)
        match tag & 7:
            case 0:
                _, position = _varint_at(body, position)
            case 1:
                position += 8
            case 5:
                position += 4
            case _:
                length, position = _varint_at(body, position)
                content = body[position : position + length]
                position += length
                if marker in content:
                    out += _delimited(tag >> 3, _replaced(content, marker, value))
                    continue
        out += body[start:position]
    return bytes(out)


def _delimited(field: int, content: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(content)) + content


def _varint(number: int) -> bytes:
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes(encoded + bytes([number]))


def _varint_at(body: bytes, position: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        byte = body[position]
        position += 1
        number |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return number, position


def span_request(count: int = 1) -> tuple[ExportTraceServiceRequest, list[Span]]:
    """A request with this many equal spans, and the spans."""
    request = trace_request(*[{}] * count)
    spans = list(request.resource_spans[0].scope_spans[0].spans)
    for span in spans:
        span.start_time_unix_nano, span.end_time_unix_nano = NOON, NOON + 5
    return request, spans


def record_request() -> tuple[ExportLogsServiceRequest, LogRecord]:
    """A request with one log record, and the record."""
    request = log_request("body")
    return request, request.resource_logs[0].scope_logs[0].log_records[0]
