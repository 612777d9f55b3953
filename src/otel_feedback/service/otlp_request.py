"""The three requests of OTLP, the records in them, and what was found wrong with some of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from otel_feedback.errors import OtelFeedbackError

OtlpSignal: TypeAlias = Literal["traces", "logs", "metrics"]

REQUEST_CLASSES: Final[dict[OtlpSignal, Any]] = {
    "traces": ExportTraceServiceRequest,
    "logs": ExportLogsServiceRequest,
    "metrics": ExportMetricsServiceRequest,
}
LEVELS: Final[dict[OtlpSignal, tuple[str, str, str]]] = {
    "traces": ("resource_spans", "scope_spans", "spans"),
    "logs": ("resource_logs", "scope_logs", "log_records"),
    "metrics": ("resource_metrics", "scope_metrics", "metrics"),
}
"""Fields from a request down to its records; a metric is the record of its data points."""

RECORD_NAMES: Final[dict[OtlpSignal, str]] = {"traces": "span(s)", "logs": "log record(s)", "metrics": "metric(s)"}
_MOST_SHOWN: Final = 100


class MalformedRequestError(OtelFeedbackError):
    """The request is not OTLP; sending it again will not help. The text says what is wrong with it."""


@dataclass(slots=True)
class Findings:
    """What a request is answered with beside success: how much was refused or mended, and one reason for each kind.

    Attributes:
        rejected: records refused.
        repaired: texts that were not UTF-8 and had bytes replaced.
        reasons: sentences for people, the first culprit of each kind named.
    """

    rejected: int = 0
    repaired: int = 0
    reasons: list[str] = field(default_factory=list)

    def refuse(self, signal: OtlpSignal, count: int, first: str) -> None:
        """Note that ``count`` records are refused, the first one for this reason."""
        self.rejected += count
        self.reasons.append(f"{count} {RECORD_NAMES[signal]} refused; {first}")

    def repair(self, count: int, first: str) -> None:
        """Note that ``count`` texts were mended, the first one at this place."""
        self.repaired += count
        self.reasons.append(f"{count} text(s) were not UTF-8 and have U+FFFD in place of what was not; {first}")

    @property
    def reason(self) -> str:
        """All reasons; "" where nothing was found."""
        return ". ".join(self.reasons)


def place_of(signal: OtlpSignal, group: int, scope: int, record: int) -> str:
    """Where a record stands in its request, in protobuf's names."""
    groups, scopes, records = LEVELS[signal]
    return f"{groups}[{group}].{scopes}[{scope}].{records}[{record}]"


def scopes_of(signal: OtlpSignal, request: Any) -> Iterator[tuple[int, int, Any, Any]]:
    """Each scope's message, with the index of its resource, its own, and its resource's message."""
    groups, scopes, _ = LEVELS[signal]
    for group_index, group in enumerate(getattr(request, groups)):
        for scope_index, scope in enumerate(getattr(group, scopes)):
            yield group_index, scope_index, group, scope


def remove_records(
    signal: OtlpSignal, request: Any, flaw_of: Callable[[Any, Any, Any], str], findings: Findings
) -> None:
    """Take out of the request, in place, each record for which ``flaw_of(group, scope, record)`` names a flaw."""
    field_name = LEVELS[signal][2]
    rejected = 0
    first = ""
    for group_index, scope_index, group, scope in scopes_of(signal, request):
        records = getattr(scope, field_name)
        kept = []
        for index, record in enumerate(records):
            flaw = flaw_of(group, scope, record)
            if not flaw:
                kept.append(record)
                continue
            rejected += 1
            first = first or f"{place_of(signal, group_index, scope_index, index)}{_named(record)}: {flaw}"
        if len(kept) < len(records):
            del records[:]
            records.extend(kept)
    if rejected:
        findings.refuse(signal, rejected, first)


def _named(record: Any) -> str:
    name = getattr(record, "name", None) or getattr(record, "event_name", None)
    if not name:
        return ""
    text = name.decode("utf-8", "replace") if isinstance(name, bytes) else name
    return f" {text[:_MOST_SHOWN]!r}"
