"""A segment's content in another form, where ClickHouse can read it, for the time of one INSERT."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from otel_feedback.service.durable_queue.files import write_all


@contextmanager
def readable_copy(content: bytes) -> Iterator[Path]:
    """A file with this content. On Linux it is in memory: a disk that the queue has filled must not keep it full."""
    if hasattr(os, "memfd_create"):
        with os.fdopen(os.memfd_create("segment"), "wb", buffering=0) as file:
            write_all(file.fileno(), content)
            yield Path(f"/proc/{os.getpid()}/fd/{file.fileno()}")
    else:
        with tempfile.NamedTemporaryFile(prefix="otel-feedback-") as file:
            write_all(file.fileno(), content)
            yield Path(file.name)
