"""How ingest is doing at this moment, in a few figures for people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

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
        spans=telemetry.count("items_total", signal="traces"),
        log_records=telemetry.count("items_total", signal="logs"),
        refused=telemetry.count("items_rejected_total"),
        set_aside=telemetry.count("segments_rejected_total"),
        failed_writes=telemetry.count("insert_failures_total"),
        waiting_bytes=sum(each.waiting_bytes for each in depths),
        fullness=max(each.fullness for each in depths),
        oldest_waiting_seconds=max(each.oldest_age_seconds for each in depths),
        is_accepting=is_accepting,
    )
