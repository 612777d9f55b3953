"""Check one OTLP request: is it one, has every span its identity, and do its times make sense.

The usual request costs one parse in C (about a microsecond a span) and its bytes go on as they came, nested values and
fields of newer versions included. Only a request with something wrong in it is written anew (docs/adr/0011).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from google.protobuf.message import DecodeError

from otel_feedback.service.otlp_json import from_json
from otel_feedback.service.otlp_mend import mend
from otel_feedback.service.otlp_request import (
    LEVELS,
    REQUEST_CLASSES,
    Findings,
    OtlpSignal,
    remove_records,
    scopes_of,
)

MOST_DAYS: Final = 100
"""Each day is a partition, and so a part of every table: some 15 ms of the INSERT. ClickHouse's own default limit."""

_TRACE_ID_BYTES: Final = 16
_SPAN_ID_BYTES: Final = 8
_ZERO_TRACE_ID: Final = bytes(_TRACE_ID_BYTES)
_ZERO_SPAN_ID: Final = bytes(_SPAN_ID_BYTES)
_DAY_NANOSECONDS: Final = 86_400 * 10**9
_SAMPLED: Final = 16
"""One in so many times is looked at, and all if those lie far apart: to always look at all costs a tenth more."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A checked request.

    Attributes:
        body: what to append; the bytes that came unless something had to be changed. Empty: nothing to append.
        items: spans or log records in ``body``; data points, of metrics.
        rejected: how many records were refused.
        repaired: how many texts were not UTF-8 and were mended.
        reason: why; "" when nothing was refused or mended.
    """

    body: bytes
    items: int
    rejected: int = 0
    repaired: int = 0
    reason: str = ""


def check_usual(signal: OtlpSignal, body: bytes) -> Checked | None:
    """Check a request in which nothing is wrong, quickly; None where something is, which ``check`` then tells."""
    try:
        request = REQUEST_CLASSES[signal].FromString(body)
    except DecodeError:
        return None
    if signal == "metrics":
        return Checked(b"", _data_points(request))
    by_scope = _records_by_scope(signal, request)
    items = sum(map(len, by_scope))
    if not items:
        return Checked(b"", 0)
    if (signal == "logs" or _ids_are_good(by_scope)) and (items <= MOST_DAYS or _times_are_near(signal, by_scope)):
        return Checked(body, items)
    return None


def check(signal: OtlpSignal, body: bytes, findings: Findings | None = None) -> Checked:
    """Check any request and mend what can be mended; ``findings`` are those of an earlier step.

    Raises:
        MalformedRequestError: the bytes are no such request; the text names the reason.
    """
    findings = findings or Findings()
    if usual := check_usual(signal, body):
        return _checked(usual.body, usual.items, findings)
    try:
        request = REQUEST_CLASSES[signal].FromString(body)
    except DecodeError:
        request = mend(signal, body, findings)
    if signal == "metrics":
        return _checked(b"", _data_points(request), findings)
    if signal == "traces":
        remove_records(signal, request, lambda _group, _scope, span: _identity_flaw(span), findings)
    remove_records(signal, request, _day_flaw(signal), findings)
    items = sum(map(len, _records_by_scope(signal, request)))
    return _checked(request.SerializeToString() if items else b"", items, findings)


def check_json(signal: OtlpSignal, body: bytes) -> Checked:
    """Check a request in JSON; what it holds is appended as protobuf.

    Raises:
        MalformedRequestError: the body is no such request; the text names the reason.
    """
    findings = Findings()
    return check(signal, from_json(signal, body, findings), findings)


def _checked(body: bytes, items: int, findings: Findings) -> Checked:
    return Checked(body, items, findings.rejected, findings.repaired, findings.reason)


def _records_by_scope(signal: OtlpSignal, request: Any) -> list[Sequence[Any]]:
    groups, scopes, records = LEVELS[signal]
    return [getattr(scope, records) for group in getattr(request, groups) for scope in getattr(group, scopes)]


def _ids_are_good(by_scope: Sequence[Sequence[Any]]) -> bool:
    spans = [span for records in by_scope for span in records]
    trace_ids = [span.trace_id for span in spans]
    span_ids = [span.span_id for span in spans]
    return (
        set(map(len, trace_ids)) == {_TRACE_ID_BYTES}
        and set(map(len, span_ids)) == {_SPAN_ID_BYTES}
        and _ZERO_TRACE_ID not in trace_ids
        and _ZERO_SPAN_ID not in span_ids
    )


def _times_are_near(signal: OtlpSignal, by_scope: Sequence[Sequence[Any]]) -> bool:
    sample = [record for records in by_scope for record in records[::_SAMPLED]]
    if signal == "traces":
        times = [span.start_time_unix_nano for span in sample]
    else:
        times = [record.time_unix_nano or record.observed_time_unix_nano for record in sample]
    return bool(max(times) - min(times) < (MOST_DAYS - 1) * _DAY_NANOSECONDS)


def _identity_flaw(span: Any) -> str:
    if len(span.trace_id) != _TRACE_ID_BYTES:
        return f"trace_id has {len(span.trace_id)} bytes, not {_TRACE_ID_BYTES}"
    if len(span.span_id) != _SPAN_ID_BYTES:
        return f"span_id has {len(span.span_id)} bytes, not {_SPAN_ID_BYTES}"
    if span.trace_id == _ZERO_TRACE_ID:
        return "trace_id is all zero"
    return "span_id is all zero" if span.span_id == _ZERO_SPAN_ID else ""


def _day_flaw(signal: OtlpSignal) -> Callable[[Any, Any, Any], str]:
    now = time.time_ns()
    days: set[int] = set()

    def flaw_of(_group: Any, _scope: Any, record: Any) -> str:
        if signal == "traces":
            moment = record.start_time_unix_nano or record.end_time_unix_nano or now
        else:
            moment = record.time_unix_nano or record.observed_time_unix_nano or now
        day = moment // _DAY_NANOSECONDS
        if day in days or len(days) < MOST_DAYS:
            days.add(day)
            return ""
        return f"one request may hold records of {MOST_DAYS} different days; send what is older in requests of its own"

    return flaw_of


def _data_points(request: Any) -> int:
    found = 0
    for *_, scope in scopes_of("metrics", request):
        for metric in scope.metrics:
            if (kind := metric.WhichOneof("data")) is not None:
                found += len(getattr(metric, kind).data_points)
    return found
