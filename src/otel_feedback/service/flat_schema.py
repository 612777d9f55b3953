"""OTLP schemas derived from the official ones, to ask questions of a request at the speed of C.

The *flat* schema knows every OTLP field, but attribute values only as deep as ClickHouse decodes them: scalars and
arrays of scalars. What a request holds beyond that is unknown to it, so dropping what is unknown and comparing sizes
tells whether anything is nested, without a walk in Python.

The *lenient* schema is the flat one with ``bytes`` in place of every string, so that a request with a text that is
not UTF-8 can be opened to name the culprit.
"""

from __future__ import annotations

from typing import Any, Final

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.descriptor import Descriptor, FileDescriptor
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

_Field: Final = descriptor_pb2.FieldDescriptorProto


def _derive(request: Descriptor, *, strings_as_bytes: bool) -> Any:
    pool = descriptor_pool.DescriptorPool()
    _add_file(pool, request.file, set(), strings_as_bytes=strings_as_bytes)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(request.full_name))


def _add_file(
    pool: descriptor_pool.DescriptorPool, official: FileDescriptor, added: set[str], *, strings_as_bytes: bool
) -> None:
    if official.name in added:
        return
    added.add(official.name)
    for dependency in official.dependencies:
        _add_file(pool, dependency, added, strings_as_bytes=strings_as_bytes)
    file = descriptor_pb2.FileDescriptorProto()
    official.CopyToProto(file)
    del file.service[:]
    for message in list(file.message_type):
        if message.name == "AnyValue":
            _flatten_any_value(file, message)
    for message in file.message_type:
        _adapt_fields(message, strings_as_bytes=strings_as_bytes)
    pool.Add(file)


def _flatten_any_value(file: descriptor_pb2.FileDescriptorProto, any_value: descriptor_pb2.DescriptorProto) -> None:
    scalar = file.message_type.add()
    scalar.CopyFrom(any_value)
    scalar.name = "ScalarValue"
    _drop_fields(any_value, {"kvlist_value"})
    _drop_fields(scalar, {"kvlist_value", "array_value"})
    for message in file.message_type:
        if message.name == "ArrayValue":
            message.field[0].type_name = f".{file.package}.ScalarValue"


def _drop_fields(message: descriptor_pb2.DescriptorProto, names: set[str]) -> None:
    kept = [field for field in message.field if field.name not in names]
    del message.field[:]
    message.field.extend(kept)


def _adapt_fields(message: descriptor_pb2.DescriptorProto, *, strings_as_bytes: bool) -> None:
    for field in message.field:
        if field.type == _Field.TYPE_ENUM:
            # Unsigned, so that no re-encoding is ever longer than what came: equal size means that nothing is lost.
            field.type = _Field.TYPE_UINT32
            field.ClearField("type_name")
        elif strings_as_bytes and field.type == _Field.TYPE_STRING:
            field.type = _Field.TYPE_BYTES
    for nested in message.nested_type:
        _adapt_fields(nested, strings_as_bytes=strings_as_bytes)


FlatTraceRequest: Final = _derive(ExportTraceServiceRequest.DESCRIPTOR, strings_as_bytes=False)
FlatLogsRequest: Final = _derive(ExportLogsServiceRequest.DESCRIPTOR, strings_as_bytes=False)
LenientTraceRequest: Final = _derive(ExportTraceServiceRequest.DESCRIPTOR, strings_as_bytes=True)
LenientLogsRequest: Final = _derive(ExportLogsServiceRequest.DESCRIPTOR, strings_as_bytes=True)
