"""What waits in the queues, read when Prometheus asks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from otel_feedback.clickhouse.segments import Signal
from otel_feedback.service.durable_queue.queue import DurableQueue
from otel_feedback.service.telemetry import NAMESPACE


class QueueDepths(Collector):
    """Gauges over the queues, by signal."""

    def __init__(self, queues: Mapping[Signal, DurableQueue]) -> None:
        self._queues = queues

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """The gauges as they are now; costs one look at a few numbers in memory."""
        segments = _gauge("segments_waiting", "Closed segments that ClickHouse does not have yet.")
        waiting = _gauge("queue_bytes", "Bytes that ClickHouse does not have yet.")
        limit = _gauge("queue_limit_bytes", "Bytes that may wait; beyond them requests are refused.")
        oldest = _gauge("oldest_segment_age_seconds", "Age of the oldest waiting segment.")
        for signal, queue in self._queues.items():
            depth = queue.depth()
            segments.add_metric([signal], depth.segments)
            waiting.add_metric([signal], depth.waiting_bytes)
            limit.add_metric([signal], depth.limit_bytes)
            oldest.add_metric([signal], depth.oldest_age_seconds)
        return segments, waiting, limit, oldest


def _gauge(name: str, description: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"{NAMESPACE}_{name}", description, labels=["signal"])
