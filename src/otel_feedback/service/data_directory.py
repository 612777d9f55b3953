"""The data directory: one service at a time uses it."""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import fcntl
import json
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from otel_feedback.errors import DataDirectoryError
from otel_feedback.running_service import LOCK_FILE, STATE_FILE, ServiceState


class DataDirectory:
    """Holds ``service.lock`` from ``with`` to its end; the lock goes with the process, however it dies."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor = -1

    def __enter__(self) -> Self:
        """Make the directory if need be, and lock it.

        Raises:
            DataDirectoryError: it can't be written, or another service has it.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self._descriptor = os.open(self.path / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise unusable(self.path, error) from None
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.pread(self._descriptor, 32, 0).decode(errors="replace").strip() or "unknown"
            self._release()
            raise DataDirectoryError(
                f"Another otel-feedback service (pid {owner}) uses {self.path}. "
                "Stop it, or set OTEL_FEEDBACK_DATA_DIR to another directory"
            ) from None
        try:
            os.ftruncate(self._descriptor, 0)
            os.pwrite(self._descriptor, f"{os.getpid()}\n".encode(), 0)
            (self.path / STATE_FILE).unlink(missing_ok=True)  # a killed service could not remove its own
        except OSError as error:
            self._release()
            raise unusable(self.path, error) from None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with contextlib.suppress(OSError):  # the disk became read-only; nobody believes it without the lock
            (self.path / STATE_FILE).unlink(missing_ok=True)
        self._release()

    def publish(self, state: ServiceState) -> None:
        """Write ``service.json``, for this user's eyes only; readers see all of it or nothing.

        Raises:
            DataDirectoryError: it can't be written.
        """
        unfinished = self.path / f"{STATE_FILE}.unfinished"
        try:
            descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                json.dump(dataclasses.asdict(state), file)
            unfinished.rename(self.path / STATE_FILE)
        except OSError as error:
            raise unusable(self.path, error) from None

    def _release(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def unusable(data_dir: Path, error: OSError) -> DataDirectoryError:
    """What to tell of a data directory in which something can't be read or written."""
    if error.errno == errno.ENOSPC:
        remedy = "Make room there, or set OTEL_FEEDBACK_DATA_DIR to another directory"
    else:
        remedy = "Set OTEL_FEEDBACK_DATA_DIR to a directory that this user may write"
    return DataDirectoryError(f"{data_dir} can't be used as the data directory: {error.strerror}. {remedy}")
