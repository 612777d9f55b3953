"""What both receivers share: take one OTLP request, durably, or say why not."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from typing import Final

from otel_feedback.service.durable_queue.queue import DurableQueue
from otel_feedback.service.otlp_check import Checked, check, check_json, check_usual
from otel_feedback.service.otlp_request import REQUEST_CLASSES, OtlpSignal
from otel_feedback.service.telemetry import TRANSPORTS, Outcome, ReceiverMetrics, Telemetry, Transport

LARGE_BODY_BYTES: Final = 4 << 20
"""Protobuf bodies above this are looked at in a thread, as is JSON, and what has to be mended: others are answered."""


@dataclass(frozen=True, slots=True)
class Taken:
    """The request is durable, but for the refused items; ``reason`` says what was refused or mended, and why."""

    rejected: int = 0
    reason: str = ""


class _Accepted:
    """The series that every accepted request of one signal over one transport adds to."""

    def __init__(self, metrics: ReceiverMetrics, signal: OtlpSignal, transport: Transport) -> None:
        self._requests = metrics.requests.labels(signal, transport, "accepted")
        self._seconds = metrics.request_seconds.labels(signal, transport)
        self._bytes = metrics.request_bytes.labels(signal)
        self._items = metrics.items.labels(signal)

    def count(self, seconds: float, size_bytes: int, items: int) -> None:
        """Count one request; costs less than a microsecond."""
        self._requests.inc()
        self._seconds.observe(seconds)
        self._bytes.inc(size_bytes)
        self._items.inc(items)


class Intake:
    """Checks requests and appends them to the queue of their signal."""

    def __init__(self, queues: Mapping[OtlpSignal, DurableQueue], telemetry: Telemetry) -> None:
        self._queues = queues
        self._metrics = telemetry.receiver
        self._accepted = {way: _Accepted(telemetry.receiver, *way) for way in product(REQUEST_CLASSES, TRANSPORTS)}

    async def take(self, signal: OtlpSignal, body: bytes, *, transport: Transport, is_json: bool = False) -> Taken:
        """Take a request. Once this returns, a crash cannot lose it. Metrics are checked, counted and dropped.

        Raises:
            MalformedRequestError: it is not OTLP; the client must not send it again.
            QueueBusyError: nothing was taken; the client should come again later.
        """
        began = time.perf_counter()
        checked = await self._check(signal, body, is_json=is_json)
        if checked.body:
            await self._queues[signal].append(checked.body)
        self._accepted[signal, transport].count(time.perf_counter() - began, len(body), checked.items)
        if checked.rejected:
            self._metrics.items_rejected.labels(signal).inc(checked.rejected)
        if checked.repaired:
            self._metrics.texts_repaired.labels(signal).inc(checked.repaired)
        return Taken(checked.rejected, checked.reason)

    def count_refused(self, signal: OtlpSignal, transport: Transport, outcome: Outcome) -> None:
        """A receiver refused a request, here or before it came here."""
        self._metrics.requests.labels(signal, transport, outcome).inc()

    async def _check(self, signal: OtlpSignal, body: bytes, *, is_json: bool) -> Checked:
        if is_json:
            return await asyncio.to_thread(check_json, signal, body)
        if len(body) <= LARGE_BODY_BYTES and (usual := check_usual(signal, body)):
            return usual
        return await asyncio.to_thread(check, signal, body)
