"""How ingest is doing at this moment, in a few figures for people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from prometheus_client.registry import Collector

from otel_feedback.clickhouse.segments import Signal
from otel_feedback.service.durable_queue.queue import DurableQueue
from otel_feedback.service.telemetry import Telemetry


@dataclass(frozen=True, slots=True)
class IngestHealth:
    """Counts are since the service started; what waits is on disk and not in the database yet."""

    spans: int
    log_records: int
    refused: int
    set_aside: int
    failed_writes: int
    waiting_bytes: int
    fullness: float
    oldest_waiting_seconds: float
    is_accepting: bool


def tell_health(telemetry: Telemetry, queues: Mapping[Signal, DurableQueue], *, is_accepting: bool) -> IngestHealth:
    """Read the figures; a look at numbers in memory."""
    depths = [queue.depth() for queue in queues.values()]
    return IngestHealth(
        spans=_count(telemetry.receiver.items, signal="traces"),
        log_records=_count(telemetry.receiver.items, signal="logs"),
        refused=_count(telemetry.receiver.items_rejected),
        set_aside=_count(telemetry.writer.segments_rejected),
        failed_writes=_count(telemetry.writer.insert_failures),
        waiting_bytes=sum(each.waiting_bytes for each in depths),
        fullness=max(each.fullness for each in depths),
        oldest_waiting_seconds=max(each.oldest_age_seconds for each in depths),
        is_accepting=is_accepting,
    )


def _count(counter: Collector, **labels: str) -> int:
    samples = [sample for metric in counter.collect() for sample in metric.samples]
    counted = [each for each in samples if each.name.endswith("_total") and labels.items() <= each.labels.items()]
    return int(sum(each.value for each in counted))
