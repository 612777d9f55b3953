from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from otel_feedback.service.durable_queue.queue import DurableQueue
from otel_feedback.service.durable_queue.segment_log import Limits
from otel_feedback.service.telemetry import Telemetry


@pytest.fixture
def telemetry() -> Telemetry:
    return Telemetry()


@pytest.fixture
def make_queue(tmp_path: Path, telemetry: Telemetry) -> Iterator[Callable[[Limits], DurableQueue]]:
    made: list[DurableQueue] = []

    def make(limits: Limits) -> DurableQueue:
        queue = DurableQueue(
            tmp_path / "queue" / "traces", tmp_path / "rejected", signal="traces", telemetry=telemetry, limits=limits
        )
        queue.start()
        made.append(queue)
        return queue

    yield make
    for queue in made:
        queue.close(10)
