"""Why a queue takes nothing at the moment; whoever is told comes again later."""

from __future__ import annotations

from typing import Final

from otel_feedback.errors import OtelFeedbackError

BUSY_RETRY_SECONDS: Final = 5


class QueueBusyError(OtelFeedbackError):
    """The queue is full, or closing: nothing was taken; ``retry_after_seconds`` says when to come again."""

    def __init__(self, message: str, retry_after_seconds: int = BUSY_RETRY_SECONDS) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class QueueWriteError(QueueBusyError):
    """The disk refused (full, read-only, broken): the record is not durable and must not be acknowledged."""
