"""What the service tells of itself: its counters and histograms, and the text that Prometheus reads.

docs/metrics.md says what each is good for. Every series is there from the start with 0, because Prometheus sees no
increase in a series that begins with its first failure. One that is added to with every request is looked up once and
kept: ``labels()`` costs more than adding does.
"""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from itertools import product
from typing import Final, Literal, TypeAlias, TypeVar, get_args

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from otel_feedback.clickhouse.deletion import TABLES as DELETED_FROM
from otel_feedback.clickhouse.segments import TABLES
from otel_feedback.service.otlp_request import REQUEST_CLASSES
from otel_feedback.service.unlocked import UnlockedCounter, UnlockedHistogram

NAMESPACE: Final = "otel_feedback"

Transport: TypeAlias = Literal["grpc", "http"]
TRANSPORTS: Final[tuple[Transport, ...]] = get_args(Transport)
_RECEIVED: Final = tuple(REQUEST_CLASSES)
_STORED: Final = tuple(TABLES)
Outcome: TypeAlias = Literal["accepted", "busy", "slow", "malformed", "unauthenticated", "too_large", "unsupported"]
_OUTCOMES: Final = get_args(Outcome)

_DISK_SECONDS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)
_INSERT_SECONDS: Final = (0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)
_FRESHNESS_SECONDS: Final = (0.5, 1, 1.5, 2, 3, 5, 10, 30, 60, 300, 900, 3600, 6 * 3600)
_SEGMENT_BYTES: Final = tuple(1024 * 4**power for power in range(9))  # 1 KiB to 64 MiB

# Each series would have a second one beside it, which nothing here asks for.
disable_created_metrics()  # type: ignore[no-untyped-call]  # theirs lacks the type


class ReceiverMetrics:
    """What came in and what was answered. What is counted with every request is for the event loop's thread alone."""

    def __init__(self, registry: CollectorRegistry) -> None:
        by_signal = {"signal": _RECEIVED}
        by_way = {**by_signal, "transport": TRANSPORTS}
        self.requests = _unlocked_counter(
            registry, "requests_total", "OTLP requests by outcome.", {**by_way, "outcome": _OUTCOMES}
        )
        self.request_seconds = _unlocked_histogram(
            registry,
            "request_duration_seconds",
            "From having an accepted request's body to its being durable.",
            _DISK_SECONDS,
            by_way,
        )
        self.request_bytes = _unlocked_counter(
            registry, "request_bytes_total", "Bytes of accepted OTLP requests after decompression.", by_signal
        )
        self.items = _unlocked_counter(
            registry, "items_total", "Spans, log records and data points acknowledged.", by_signal
        )
        self.items_rejected = _counter(
            registry, "items_rejected_total", "Spans and log records refused by partial success.", by_signal
        )
        self.texts_repaired = _counter(
            registry, "texts_repaired_total", "Texts with U+FFFD in place of what was not UTF-8.", by_signal
        )
        self.ratings = _counter(registry, "ratings_total", "Ratings taken over /v1/feedback.", {})


class QueueMetrics:
    """What was made durable, what was not, and what a start found. Groups are for their signal's thread alone."""

    def __init__(self, registry: CollectorRegistry) -> None:
        by_signal = {"signal": _STORED}
        self.duplicates_dropped = _counter(
            registry,
            "duplicates_dropped_total",
            "Requests that came again with the same bytes and were not appended again.",
            by_signal,
        )
        self.fsyncs = _unlocked_counter(registry, "fsyncs_total", "Groups of requests made durable.", by_signal)
        self.fsync_seconds = _unlocked_histogram(
            registry,
            "fsync_duration_seconds",
            "Write and fdatasync of one group of requests.",
            _DISK_SECONDS,
            by_signal,
        )
        self.write_failures = _counter(
            registry, "queue_write_failures_total", "Groups that the disk refused, not acknowledged.", by_signal
        )
        self.segments_damaged = _counter(
            registry, "segments_damaged_total", "Damaged stretches found at start, moved to rejected/.", by_signal
        )
        self.torn_bytes = _counter(
            registry, "torn_bytes_total", "Bytes of unacknowledged records cut at start.", by_signal
        )


class WriterMetrics:
    """What ClickHouse took and refused, and how soon."""

    def __init__(self, registry: CollectorRegistry) -> None:
        by_signal = {"signal": _STORED}
        self.segments_written = _counter(
            registry, "segments_written_total", "Segments stored in ClickHouse.", by_signal
        )
        self.segments_already_stored = _counter(
            registry, "segments_already_stored_total", "Segments found stored after an unclean stop.", by_signal
        )
        self.segments_split = _counter(
            registry, "segments_split_total", "Segments and parts of them that ClickHouse refused, split.", by_signal
        )
        self.segments_rejected = _counter(
            registry,
            "segments_rejected_total",
            "Requests, or parts of segments, that ClickHouse refuses for good, now in rejected/.",
            by_signal,
        )
        self.insert_failures = _counter(
            registry, "insert_failures_total", "INSERTs that failed and were tried again.", by_signal
        )
        self.insert_seconds = _histogram(
            registry, "insert_duration_seconds", "INSERT of a segment that was stored.", _INSERT_SECONDS, by_signal
        )
        self.segment_bytes = _histogram(
            registry, "segment_size_bytes", "Size of the segments that were stored.", _SEGMENT_BYTES, by_signal
        )
        self.freshness_seconds = _histogram(
            registry,
            "freshness_seconds",
            "From the arrival of a segment's oldest record until all of it can be asked for in SQL.",
            _FRESHNESS_SECONDS,
            by_signal,
        )


class RetentionMetrics:
    """What was deleted because its time had passed."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.rows = _counter(
            registry, "rows_expired_total", "Rows deleted because their time had passed.", {"table": DELETED_FROM}
        )
        self.failures = _counter(registry, "sweep_failures_total", "Sweeps that failed; the next one completes it.", {})
        self.last_sweep = Gauge(
            f"{NAMESPACE}_last_sweep_timestamp_seconds", "When a sweep succeeded last.", registry=registry
        )


class Telemetry:
    """The figures of one service. Any thread may add to them."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        build = Info(f"{NAMESPACE}_build", "What runs here.", registry=self._registry)
        build.info({"version": version("otel-feedback"), "python": platform.python_version()})
        self.receiver = ReceiverMetrics(self._registry)
        self.queue = QueueMetrics(self._registry)
        self.writer = WriterMetrics(self._registry)
        self.retention = RetentionMetrics(self._registry)

    def add_collector(self, collector: Collector) -> None:
        """Tell also what this knows at the moment of asking."""
        self._registry.register(collector)

    def exposition(self, accept: str = "") -> tuple[bytes, str]:
        """Everything in the format that an Accept header prefers (Prometheus' text or OpenMetrics), and its type."""
        try:
            encode, content_type = choose_encoder(accept)
        except (TypeError, ValueError):  # it asks for a version that is none
            encode, content_type = choose_encoder("")
        return encode(self._registry), content_type


_Labels = Mapping[str, tuple[str, ...]]
"""Each label with all of its values."""

_Metric = TypeVar("_Metric", Counter, Histogram, UnlockedCounter, UnlockedHistogram)


def _counter(registry: CollectorRegistry, name: str, description: str, labels: _Labels) -> Counter:
    return _from_zero(Counter(f"{NAMESPACE}_{name}", description, tuple(labels), registry=registry), labels)


def _histogram(
    registry: CollectorRegistry, name: str, description: str, bounds: Sequence[float], labels: _Labels
) -> Histogram:
    made = Histogram(f"{NAMESPACE}_{name}", description, tuple(labels), registry=registry, buckets=bounds)
    return _from_zero(made, labels)


def _unlocked_counter(registry: CollectorRegistry, name: str, description: str, labels: _Labels) -> UnlockedCounter:
    return _from_zero(UnlockedCounter(f"{NAMESPACE}_{name}", description, tuple(labels), registry), labels)


def _unlocked_histogram(
    registry: CollectorRegistry, name: str, description: str, bounds: Sequence[float], labels: _Labels
) -> UnlockedHistogram:
    made = UnlockedHistogram(f"{NAMESPACE}_{name}", description, tuple(labels), registry, bounds)
    return _from_zero(made, labels)


def _from_zero(metric: _Metric, labels: _Labels) -> _Metric:
    for values in product(*labels.values()) if labels else ():
        metric.labels(*values)
    return metric
