"""Open a request that protobuf refuses as a whole, and mend it: bad texts are repaired, bad records left out.

Only requests that the usual parse refuses come here. Most of them hold one text that is not UTF-8, cut in the middle of
a character by an SDK's length limit. Protobuf would refuse all spans of the request for it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from google.protobuf.message import DecodeError, Message

from otel_feedback.service.lenient_schema import NESTED_FIELDS, lenient_class
from otel_feedback.service.otlp_request import (
    LEVELS,
    REQUEST_CLASSES,
    Findings,
    MalformedRequestError,
    OtlpSignal,
    remove_records,
    scopes_of,
)

_BINARY_FIELDS: Final = frozenset({"trace_id", "span_id", "parent_span_id", "bytes_value"})
_MOST_LEVELS: Final = 100
"""Protobuf's own limit; what nests deeper is refused by it, so there is no need to look further down."""


def mend(signal: OtlpSignal, body: bytes, findings: Findings) -> Any:
    """The request as a message, with what had to be changed told in ``findings``.

    Texts that are not UTF-8 have U+FFFD in place of the bytes that are not. Records that still can't be decoded, since
    a value in them, their scope or their resource nests too deeply or is no OTLP, are left out.

    Raises:
        MalformedRequestError: the body is no such request, or no record of it can be decoded.
    """
    request_class = REQUEST_CLASSES[signal]
    name = request_class.DESCRIPTOR.name
    try:
        opened = lenient_class(request_class.DESCRIPTOR).FromString(body)
    except DecodeError:
        raise MalformedRequestError(f"the body is not a protobuf {name}; nothing of it was taken") from None
    repairs = _Repairs()
    repairs.of_message(opened, "", 0)
    if repairs.count:
        findings.repair(repairs.count, repairs.first)
    try:
        return request_class.FromString(opened.SerializeToString())
    except DecodeError:
        _remove_undecodable(signal, opened, findings)
    request = request_class.FromString(opened.SerializeToString())
    if not any(getattr(scope, LEVELS[signal][2]) for *_, scope in scopes_of(signal, request)):
        raise MalformedRequestError(f"no record of this {name} can be decoded; {findings.reason}")
    return request


class _Repairs:
    """Repairs texts in place and counts them."""

    def __init__(self) -> None:
        self.count = 0
        self.first = ""

    def of_message(self, message: Any, place: str, level: int) -> None:
        if level > _MOST_LEVELS:
            return
        for field, content in message.ListFields():
            here = f"{place}{field.name}"
            if field.is_repeated:
                self._of_each(content, here, level)
            elif field.message_type is not None:
                self.of_message(content, f"{here}.", level + 1)
            elif isinstance(content, bytes) and field.name not in _BINARY_FIELDS:
                if field.name in NESTED_FIELDS:
                    mended = self._of_nested(field.name, message, content, here, level)
                else:
                    mended = self._of_text(content, here)
                if mended is not content:
                    setattr(message, field.name, mended)

    def _of_each(self, values: Any, place: str, level: int) -> None:
        for index, each in enumerate(values):
            if isinstance(each, bytes):
                values[index] = self._of_text(each, f"{place}[{index}]")
            elif isinstance(each, Message):
                self.of_message(each, f"{place}[{index}].", level + 1)

    def _of_text(self, text: bytes, place: str) -> bytes:
        try:
            text.decode()
        except UnicodeDecodeError:
            self.count += 1
            self.first = self.first or place
            return text.decode("utf-8", "replace").encode()
        return text

    def _of_nested(self, field_name: str, message: Any, content: bytes, place: str, level: int) -> bytes:
        holder = message.DESCRIPTOR.file.message_types_by_name[NESTED_FIELDS[field_name]]
        try:
            nested = lenient_class(holder).FromString(content)
        except DecodeError:
            return content
        before = self.count
        self.of_message(nested, f"{place}.", level + 1)
        return content if self.count == before else bytes(nested.SerializeToString())


def _remove_undecodable(signal: OtlpSignal, opened: Any, findings: Findings) -> None:
    """Try each record on its own, within its scope and resource; those that are left without a record go with them."""
    groups, scopes, records = LEVELS[signal]

    def flaw_of(group: Any, scope: Any, record: Any) -> str:
        alone = type(opened)()
        alone_group = getattr(alone, groups).add()
        alone_scope = getattr(alone_group, scopes).add()
        if group.HasField("resource"):
            alone_group.resource.CopyFrom(group.resource)
        if scope.HasField("scope"):
            alone_scope.scope.CopyFrom(scope.scope)
        getattr(alone_scope, records).append(record)
        try:
            REQUEST_CLASSES[signal].FromString(alone.SerializeToString())
        except DecodeError:
            return (
                f"a value in it, in its scope or its resource nests deeper than {_MOST_LEVELS} levels, or is not OTLP"
            )
        return ""

    remove_records(signal, opened, flaw_of, findings)
    for group in getattr(opened, groups):
        _keep(getattr(group, scopes), lambda scope: bool(getattr(scope, records)))
    _keep(getattr(opened, groups), lambda group: bool(getattr(group, scopes)))


def _keep(messages: Any, is_wanted: Callable[[Any], bool]) -> None:
    kept = [each for each in messages if is_wanted(each)]
    del messages[:]
    messages.extend(kept)
