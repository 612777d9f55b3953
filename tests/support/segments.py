"""OTLP requests into a database, as the service's writer stores them: as a segment of the durable queue."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from otel_feedback.clickhouse.database import Database
from otel_feedback.clickhouse.segments import Signal
from otel_feedback.errors import NotFlatError
from otel_feedback.service import otlp_check
from otel_feedback.service.durable_queue.segment import encode_record
from otel_feedback.service.flat_segment import flat_segment

ARRIVAL_UNIX_NANO: Final = 1_790_000_123_456_789_012
_NUMBERS: Final = itertools.count()


def segment_bytes(bodies: Iterable[bytes]) -> bytes:
    """The records of a segment, which ClickHouse reads as length-delimited requests."""
    return b"".join(encode_record(body, ARRIVAL_UNIX_NANO) for body in bodies)


def store(database: Database, *requests: Any, token: str = "", checked: bool = True) -> str:
    """Store requests of one signal as one segment; its token.

    As in the service they pass the receiver's check first, and are flattened where ClickHouse can't decode them, unless
    ``checked`` is False: for what only someone else could have written.
    """
    signal: Signal = "traces" if isinstance(requests[0], ExportTraceServiceRequest) else "logs"
    bodies = [each.SerializeToString() for each in requests]
    if checked:
        bodies = [otlp_check.check(signal, body).body for body in bodies]
    content = segment_bytes(body for body in bodies if body)
    token = token or f"segment-{next(_NUMBERS)}"
    try:
        return store_bytes(database, signal, content, token)
    except NotFlatError:
        flat = flat_segment(signal, content)
        if not checked or flat is None:
            raise
        return store_bytes(database, signal, flat, token)


def store_bytes(database: Database, signal: Signal, content: bytes, token: str = "") -> str:
    """Store a segment's content; its token, which is a new one unless it is given."""
    token = token or f"segment-{next(_NUMBERS)}"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "segment"
        path.write_bytes(content)
        database.insert_segment(signal, path, token)
    return token


def only_row(database: Database, query: str, **parameters: str) -> dict[str, Any]:
    (row,) = database.query(query, parameters)
    return dict(row)
