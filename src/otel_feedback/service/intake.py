"""What both receivers share: take one OTLP request, durably, or say why not."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from otel_feedback.service.durable_queue.queue import DurableQueue, QueueBusyError
from otel_feedback.service.otlp_check import Checked, check, check_json, check_usual
from otel_feedback.service.otlp_request import MalformedRequestError, OtlpSignal
from otel_feedback.service.telemetry import Counters

LARGE_BODY_BYTES: Final = 4 << 20
"""Protobuf bodies above this are looked at in a thread, as is JSON, and what has to be mended: others are answered."""


@dataclass(frozen=True, slots=True)
class Taken:
    """The request is durable, but for the refused items; ``reason`` says what was refused or mended, and why."""

    rejected: int = 0
    reason: str = ""


class Intake:
    """Checks requests and appends them to the queue of their signal."""

    def __init__(self, queues: Mapping[OtlpSignal, DurableQueue], counters: Counters) -> None:
        self._queues = queues
        self._counters = counters

    async def take(self, signal: OtlpSignal, body: bytes, *, transport: str, is_json: bool = False) -> Taken:
        """Take a request. Once this returns, a crash cannot lose it. Metrics are checked, counted and dropped.

        Raises:
            MalformedRequestError: it is not OTLP; the client must not send it again.
            QueueBusyError: nothing was taken; the client should come again later.
        """
        outcome = "accepted"
        try:
            checked = await self._check(signal, body, is_json=is_json)
            if checked.body:
                await self._queues[signal].append(checked.body)
        except MalformedRequestError:
            outcome = "malformed"
            raise
        except QueueBusyError:
            outcome = "busy"
            raise
        finally:
            self._counters.add("requests_total", signal=signal, transport=transport, outcome=outcome)
        self._counters.add("request_bytes_total", len(body), signal=signal)
        if checked.items:
            self._counters.add("items_total", checked.items, signal=signal)
        if checked.rejected:
            self._counters.add("items_rejected_total", checked.rejected, signal=signal)
        if checked.repaired:
            self._counters.add("texts_repaired_total", checked.repaired, signal=signal)
        return Taken(checked.rejected, checked.reason)

    async def _check(self, signal: OtlpSignal, body: bytes, *, is_json: bool) -> Checked:
        if is_json:
            return await asyncio.to_thread(check_json, signal, body)
        if len(body) <= LARGE_BODY_BYTES and (usual := check_usual(signal, body)):
            return usual
        return await asyncio.to_thread(check, signal, body)
