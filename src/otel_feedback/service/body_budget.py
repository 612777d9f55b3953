"""Bounds the memory of all requests that are being received or wait to be made durable, however many there are."""

from __future__ import annotations

from types import TracebackType
from typing import Final, Self

from otel_feedback.service.durable_queue.busy import QueueBusyError

LEAST_BYTES: Final = 256 << 20
REQUESTS_OF_FULL_SIZE: Final = 4
RETRY_SECONDS: Final = 1


class BodyBudget:
    """Bytes of request bodies that may be in memory at once; for one event loop."""

    def __init__(self, max_request_bytes: int) -> None:
        self._limit_bytes = max(LEAST_BYTES, REQUESTS_OF_FULL_SIZE * max_request_bytes)
        self._held_bytes = 0

    def hold(self) -> Held:
        """A request's share, empty at first; leaving its ``with`` block gives it back.

        Raises:
            QueueBusyError: all is taken; the client should come again.
        """
        self._refuse_beyond(self._limit_bytes - 1)
        return Held(self)

    def take(self, size_bytes: int) -> None:
        """Take so many bytes.

        Raises:
            QueueBusyError: they are more than are left; nothing was taken.
        """
        self._refuse_beyond(self._limit_bytes - size_bytes)
        self._held_bytes += size_bytes

    def _refuse_beyond(self, most_held_bytes: int) -> None:
        if self._held_bytes > most_held_bytes:
            raise QueueBusyError(
                f"requests of {self._held_bytes} bytes are being received, at most {self._limit_bytes} can be at once",
                RETRY_SECONDS,
            )

    def give_back(self, size_bytes: int) -> None:
        """The bytes are no longer in memory."""
        self._held_bytes -= size_bytes


class Held:
    """One request's share of the budget."""

    def __init__(self, budget: BodyBudget) -> None:
        self._budget = budget
        self._size_bytes = 0

    def grow(self, size_bytes: int) -> None:
        """Hold so many bytes more.

        Raises:
            QueueBusyError: all is taken; the client should come again.
        """
        self._budget.take(size_bytes)
        self._size_bytes += size_bytes

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._budget.give_back(self._size_bytes)
        self._size_bytes = 0
