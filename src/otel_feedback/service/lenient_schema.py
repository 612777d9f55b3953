"""OTLP as lenient as can be: ``bytes`` in place of every string, and of arrays and maps in attribute values.

So a request can be opened although a text in it is not UTF-8, or one of its values can't be decoded.
"""

from __future__ import annotations

import functools
from typing import Any, Final

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.descriptor import Descriptor, FileDescriptor

NESTED_FIELDS: Final = {"array_value": "ArrayValue", "kvlist_value": "KeyValueList"}
"""The fields of AnyValue that are bytes here, with the message that their bytes are."""

_Field: Final = descriptor_pb2.FieldDescriptorProto


@functools.cache
def lenient_class(message: Descriptor) -> Any:
    """The class of this message in the lenient schema; ``message`` is of the official schema or of the lenient one."""
    pool = _lenient_pool(message.file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(message.full_name))


@functools.cache
def _lenient_pool(file: FileDescriptor) -> descriptor_pool.DescriptorPool:
    if file.pool is not descriptor_pool.Default():
        return file.pool
    pool = descriptor_pool.DescriptorPool()
    _add_file(pool, file, set())
    return pool


def _add_file(pool: descriptor_pool.DescriptorPool, official: FileDescriptor, added: set[str]) -> None:
    if official.name in added:
        return
    added.add(official.name)
    for dependency in official.dependencies:
        _add_file(pool, dependency, added)
    file = descriptor_pb2.FileDescriptorProto()
    official.CopyToProto(file)
    del file.service[:]
    for message in file.message_type:
        _make_lenient(message)
    pool.Add(file)


def _make_lenient(message: descriptor_pb2.DescriptorProto) -> None:
    for field in message.field:
        if field.type == _Field.TYPE_STRING or (message.name == "AnyValue" and field.name in NESTED_FIELDS):
            field.type = _Field.TYPE_BYTES
            field.ClearField("type_name")
    for nested in message.nested_type:
        _make_lenient(nested)
