"""The digests of taken requests, on disk: what a start knows of requests whose segments are stored and gone.

It is not fsynced. A killed process leaves it whole; after a power loss its end may be missing, and what came last is
then known from the segments that still wait.
"""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Sequence
from pathlib import Path

from otel_feedback.service.durable_queue.digest import DIGEST_BYTES
from otel_feedback.service.durable_queue.files import UNFINISHED_SUFFIX, write_all
from otel_feedback.service.durable_queue.request_window import MOST_REQUESTS

logger = logging.getLogger(__name__)


class RequestLog:
    """Two files beside a queue's directory, each of a window's length at the most. For one thread at a time."""

    def __init__(self, directory: Path) -> None:
        self._file = directory.with_name(f"{directory.name}-requests")
        self._file_before = directory.with_name(f"{directory.name}-requests-before")
        self._descriptor = -1
        self._length_bytes = 0

    def read(self) -> list[bytes]:
        """The digests that former processes noted, oldest first. What can't be read is left out."""
        digests: list[bytes] = []
        for file in (self._file_before, self._file):
            with contextlib.suppress(OSError):
                data = file.read_bytes()
                ends = range(DIGEST_BYTES, len(data) + 1, DIGEST_BYTES)
                digests += [data[end - DIGEST_BYTES : end] for end in ends]
        return digests

    def begin(self, digests: Sequence[bytes]) -> None:
        """Begin with these, in place of what was noted before.

        Raises:
            OSError: the disk refused; what was noted before is there still.
        """
        unfinished = self._file.with_suffix(UNFINISHED_SUFFIX)
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            write_all(descriptor, b"".join(digests[-MOST_REQUESTS:]))
        finally:
            os.close(descriptor)
        unfinished.rename(self._file_before)
        self._open()

    def note(self, digests: Sequence[bytes]) -> None:
        """The requests are durable. Never raises: without it they are only not recognised after a restart."""
        if self._descriptor < 0:
            return
        try:
            if self._length_bytes >= MOST_REQUESTS * DIGEST_BYTES:
                self._file.rename(self._file_before)
                self._open()
            write_all(self._descriptor, b"".join(digests))
            self._length_bytes += len(digests) * DIGEST_BYTES
        except OSError as error:
            logger.warning("%s can't be written: %s", self._file, error)
            self._cut()

    def close(self) -> None:
        """Note nothing more."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _cut(self) -> None:
        """After a failure: what follows must begin where a digest does."""
        try:
            os.ftruncate(self._descriptor, self._length_bytes)
        except OSError:
            self.close()

    def _open(self) -> None:
        self.close()
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC
        self._descriptor = os.open(self._file, flags, 0o600)
        self._length_bytes = 0
