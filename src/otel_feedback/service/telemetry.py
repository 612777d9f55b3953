"""What the service counts, and the Prometheus text that tells it."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_PREFIX: Final = "otel_feedback_"

Labels = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Gauge:
    """A value read at the moment of asking."""

    name: str
    description: str
    value: float
    labels: Labels = ()


COUNTERS: Final[Mapping[str, str]] = {
    "requests_total": "OTLP requests by signal, transport and outcome.",
    "request_bytes_total": "Bytes of OTLP requests after decompression, by signal.",
    "items_total": "Spans, log records and data points acknowledged, by signal; data points are not stored.",
    "items_rejected_total": "Spans and log records refused by partial success, by signal.",
    "texts_repaired_total": "Texts that were not UTF-8 and have U+FFFD in place of what was not, by signal.",
    "duplicates_dropped_total": "Requests that came again with the same bytes and were not appended again, by signal.",
    "ratings_total": "Ratings taken over /v1/feedback.",
    "fsyncs_total": "Groups of requests made durable, by signal.",
    "queue_write_failures_total": "Groups that could not be made durable and were not acknowledged, by signal.",
    "segments_written_total": "Segments stored in ClickHouse, by signal.",
    "segments_already_stored_total": "Segments found stored after an unclean stop, by signal.",
    "segments_split_total": "Segments and parts of them that ClickHouse refused and that were split, by signal.",
    "segments_rejected_total": "Requests (or parts of segments) that ClickHouse refuses, now in rejected/, by signal.",
    "segments_damaged_total": "Damaged stretches found at start and moved to rejected/, by signal.",
    "torn_bytes_total": "Bytes of unacknowledged records cut at start, by signal.",
    "insert_failures_total": "INSERTs that failed and were tried again, by signal.",
}


class Counters:
    """Counters that any thread may add to."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._values: dict[tuple[str, Labels], float] = {}

    def add(self, name: str, amount: float = 1, **labels: str) -> None:
        """Add to one of COUNTERS; costs about a microsecond."""
        if name not in COUNTERS:
            raise KeyError(name)
        key = (name, tuple(sorted(labels.items())))
        with self._lock:
            self._values[key] = self._values.get(key, 0) + amount

    def value(self, name: str, **labels: str) -> float:
        """The sum over every series that has these labels."""
        wanted = set(labels.items())
        with self._lock:
            return sum(value for (each, own), value in self._values.items() if each == name and wanted <= set(own))

    def text(self, gauges: Iterable[Gauge] = ()) -> str:
        """Everything in Prometheus' text format, version 0.0.4."""
        with self._lock:
            values = sorted(self._values.items())
        lines: list[str] = []
        for name, description in COUNTERS.items():
            lines += _heading(name, "counter", description)
            lines += [_sample(name, labels, value) for (each, labels), value in values if each == name]
        told: set[str] = set()
        for gauge in sorted(gauges, key=lambda each: (each.name, each.labels)):
            if gauge.name not in told:
                lines += _heading(gauge.name, "gauge", gauge.description)
                told.add(gauge.name)
            lines.append(_sample(gauge.name, gauge.labels, gauge.value))
        return "\n".join(lines) + "\n"


def _heading(name: str, kind: str, description: str) -> list[str]:
    return [f"# HELP {_PREFIX}{name} {description}", f"# TYPE {_PREFIX}{name} {kind}"]


def _sample(name: str, labels: Labels, value: float) -> str:
    shown = ",".join(f'{label}="{text}"' for label, text in labels)
    return f"{_PREFIX}{name}{{{shown}}} {value:.17g}" if shown else f"{_PREFIX}{name} {value:.17g}"
