"""How ingest is doing, as whoever runs the receiver tells it: the dashboard itself knows of none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol


class IngestHealth(Protocol):
    """Figures of this moment; counts are since the service started."""

    @property
    def spans(self) -> int:
        """Spans acknowledged."""

    @property
    def log_records(self) -> int:
        """Log records acknowledged."""

    @property
    def refused(self) -> int:
        """Spans and log records that were refused as they came."""

    @property
    def set_aside(self) -> int:
        """Requests, or parts of segments, that the database refuses for good."""

    @property
    def failed_writes(self) -> int:
        """Writes to the database that failed and were tried again."""

    @property
    def waiting_bytes(self) -> int:
        """What is on disk and not in the database yet."""

    @property
    def fullness(self) -> float:
        """How full the fuller queue is; at 1 it refuses requests."""

    @property
    def oldest_waiting_seconds(self) -> float:
        """For how long the oldest of it has waited."""

    @property
    def is_accepting(self) -> bool:
        """Whether requests are taken at all."""


TellHealth = Callable[[], IngestHealth]
"""Costs next to nothing; called from the event loop."""
