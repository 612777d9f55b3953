"""A durable queue as its tests use it: append, claim, and what is in a segment."""

from __future__ import annotations

import asyncio
from pathlib import Path

from otel_feedback.service.durable_queue.queue import DurableQueue
from otel_feedback.service.durable_queue.segment import Record, scan
from otel_feedback.service.durable_queue.segment_log import Claimed, Limits

QUICK = Limits(segment_age_seconds=0.05)
PATIENT = Limits(segment_age_seconds=3600)


def append_all(queue: DurableQueue, *bodies: bytes) -> None:
    async def append() -> None:
        await asyncio.gather(*(queue.append(body) for body in bodies))

    asyncio.run(append())


def claim(queue: DurableQueue) -> Claimed:
    claimed = queue.claim()
    assert claimed is not None
    return claimed


def bodies_of(path: Path) -> list[bytes]:
    return [found.body for found in scan(path.read_bytes()) if isinstance(found, Record)]
