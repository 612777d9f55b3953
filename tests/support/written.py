"""A queue's directory written to a store, as the service does it from its start to its end, in the calling thread."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from tests.support.segments import segment_bytes

from otel_feedback.clickhouse.segments import Signal
from otel_feedback.service.durable_queue import boot
from otel_feedback.service.durable_queue.queue import DurableQueue
from otel_feedback.service.durable_queue.segment import Record, scan
from otel_feedback.service.telemetry import Telemetry
from otel_feedback.service.writer import Writer

NAME: Final = "1764031557000000000-deadbeef"


def put_segment(folder: Path, bodies: Iterable[bytes], name: str = NAME) -> Path:
    """A closed segment of these requests in ``folder/queue``, which was last used in this boot."""
    queue_dir = folder / "queue"
    queue_dir.mkdir(exist_ok=True)
    boot.note_boot(queue_dir)
    path = queue_dir / f"{name}.segment"
    path.write_bytes(segment_bytes(bodies))
    return path


def write_everything(folder: Path, store: Any, signal: Signal = "traces") -> Telemetry:
    """One life of a service: recover, write everything, end."""
    telemetry = Telemetry()
    queue = DurableQueue(folder / "queue", folder / "rejected", signal=signal, telemetry=telemetry)
    queue.start()
    queue.close(10)
    Writer(signal, queue, store, telemetry)._write_segments()
    assert (queue.depth().segments, queue.depth().waiting_bytes) == (0, 0)
    assert [path.name for path in (folder / "queue").iterdir() if path.name != "boot"] == []
    return telemetry


def rejected_bodies(folder: Path) -> dict[str, list[bytes]]:
    """The requests in ``folder/rejected`` by the name of their file; each has its reason."""
    found = {path.stem: bodies_of(path) for path in (folder / "rejected").glob("*.segment")}
    reasons = {path.name.removesuffix(".segment.reason") for path in (folder / "rejected").glob("*.reason")}
    assert reasons == set(found)
    return found


def bodies_of(path: Path) -> list[bytes]:
    return [each.body for each in scan(path.read_bytes()) if isinstance(each, Record)]
