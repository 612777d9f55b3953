"""OTLP with ``bytes`` in place of every string, so that a request with a text that is not UTF-8 can be opened."""

from __future__ import annotations

import functools
from typing import Any, Final

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.descriptor import Descriptor, FileDescriptor

_Field: Final = descriptor_pb2.FieldDescriptorProto


@functools.cache
def lenient_class(request: Descriptor) -> Any:
    """The message class of this request's lenient schema."""
    pool = descriptor_pool.DescriptorPool()
    _add_file(pool, request.file, set())
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(request.full_name))


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
        _turn_strings_into_bytes(message)
    pool.Add(file)


def _turn_strings_into_bytes(message: descriptor_pb2.DescriptorProto) -> None:
    for field in message.field:
        if field.type == _Field.TYPE_STRING:
            field.type = _Field.TYPE_BYTES
    for nested in message.nested_type:
        _turn_strings_into_bytes(nested)
