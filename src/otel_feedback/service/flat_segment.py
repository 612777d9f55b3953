"""A segment that ClickHouse can decode, made of one that holds values, or an encoding, which it can't."""

from __future__ import annotations

import contextlib
from typing import Any, Final

from google.protobuf.message import DecodeError

from otel_feedback.clickhouse.segments import Signal
from otel_feedback.service.durable_queue.segment import Record, encode_record, scan
from otel_feedback.service.nested_values import flatten_logs, flatten_traces
from otel_feedback.service.otlp_request import REQUEST_CLASSES

_FLATTEN: Final[dict[Signal, Any]] = {"traces": flatten_traces, "logs": flatten_logs}


def flat_segment(signal: Signal, data: bytes) -> bytes | None:
    """The segment with every such value as text; None where it holds none. About 30 microseconds a span.

    The same segment gives the same bytes, whoever asks and whenever.
    """
    is_changed = False
    records: list[bytes] = []
    for found in scan(data):
        if isinstance(found, Record):
            request = REQUEST_CLASSES[signal].FromString(found.body)
            if _FLATTEN[signal](request):
                is_changed = True
                records.append(encode_record(request.SerializeToString(), found.arrival_unix_nano))
                continue
        records.append(data[found.start : found.end])
    return b"".join(records) if is_changed else None


def plain_segment(signal: Signal, data: bytes) -> bytes | None:
    """The segment with every request encoded anew, and flat; None where nothing changes. As costly as the former.

    Protobuf lets clients write a message in many ways, and ClickHouse's reader takes fewer than the receiver's: a oneof
    that comes twice, a number wider than its field, a group. What comes out has each field once, known ones only, and
    means the same.
    """
    records: list[bytes] = []
    for found in scan(data):
        if isinstance(found, Record):
            with contextlib.suppress(DecodeError):  # then nobody can read it
                request = REQUEST_CLASSES[signal].FromString(found.body)
                request.DiscardUnknownFields()
                _FLATTEN[signal](request)
                records.append(encode_record(request.SerializeToString(), found.arrival_unix_nano))
                continue
        records.append(data[found.start : found.end])
    plain = b"".join(records)
    return None if plain == data else plain
