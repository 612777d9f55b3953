"""Recognises a request that comes again: a client that saw no answer sends the same bytes once more."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from typing import Final

WINDOW_SECONDS: Final = 600.0
MOST_REQUESTS: Final = 1 << 16


class RequestWindow:
    """The requests that were taken in the last ten minutes, at most 65,536 of them. For one thread at a time.

    Each is known by its digest, with a future that tells whether it is durable yet, or None if it was before this
    process began. One that could not be made durable is not in the window: when it comes again, it is new.
    """

    def __init__(self, *, seconds: float = WINDOW_SECONDS, most: int = MOST_REQUESTS) -> None:
        self._seconds = seconds
        self._most = most
        self._requests: OrderedDict[bytes, tuple[float, asyncio.Future[None] | None]] = OrderedDict()

    def __contains__(self, digest: bytes) -> bool:
        self._forget_old()
        if digest not in self._requests:
            return False
        done = self._requests[digest][1]
        return done is None or not done.done() or done.exception() is None

    def outcome(self, digest: bytes) -> asyncio.Future[None] | None:
        """What becomes of a request that is in the window; None: it is durable."""
        done = self._requests[digest][1]
        return None if done is None or done.done() else done

    def note(self, digest: bytes, done: asyncio.Future[None] | None = None) -> None:
        """The request is being taken, or was."""
        self._requests[digest] = (time.monotonic(), done)
        self._requests.move_to_end(digest)  # one that failed may be there already

    def _forget_old(self) -> None:
        too_old = time.monotonic() - self._seconds
        while self._requests:
            digest, (noted, _) = next(iter(self._requests.items()))
            if noted >= too_old and len(self._requests) <= self._most:
                return
            del self._requests[digest]
