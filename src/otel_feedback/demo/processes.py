"""The processes of the demo: started one by one, watched, and ended together."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from otel_feedback.demo import tied
from otel_feedback.errors import OtelFeedbackError

STOP_SECONDS: Final = 40.0


class DemoError(OtelFeedbackError):
    """The demo can't go on. The text says what to do."""


@dataclass(frozen=True, slots=True)
class Child:
    """A process of the demo; what it says goes to the end of its log."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path
    log_start: int

    def last_words(self) -> str:
        """The last line that it wrote, "" if none."""
        with self.log.open("rb") as file:
            file.seek(self.log_start)
            lines = file.read().decode(errors="replace").strip().splitlines()
        return lines[-1].strip() if lines else ""


class Children:
    """Ends them all when its ``with`` block ends, the one started last first.

    Each has a process group of its own, so that a Ctrl-C in the terminal reaches this process alone and the order is
    kept. They are ended with SIGINT: uvicorn would answer a SIGTERM by killing itself, and with it the spans that
    OpenTelemetry's exit handlers still have to export.
    """

    def __init__(self) -> None:
        self._children: list[Child] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def start(
        self,
        name: str,
        command: Sequence[str],
        environment: Mapping[str, str],
        log: Path,
        *,
        descriptors: Sequence[int] = (),
    ) -> Child:
        """Start a process that dies with this one; ``descriptors`` stay open in it."""
        with log.open("ab") as file:
            process = subprocess.Popen(  # noqa: S603  # the command is put together here
                [sys.executable, "-I", "-S", tied.__file__, str(os.getpid()), *command],
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                pass_fds=tuple(descriptors),
                process_group=0,
            )
            child = Child(name, process, log, file.tell())
        self._children.append(child)
        return child

    def check(self) -> None:
        """Do nothing as long as all of them run.

        Raises:
            DemoError: names the one that has ended, and its last words.
        """
        for child in self._children:
            code = child.process.poll()
            if code is not None:
                raise DemoError(_how_it_ended(child, code))

    def stop(self) -> None:
        """Ask each to end, the last one first, and wait until it has; kill what does not end in time."""
        while self._children:
            child = self._children[-1]
            with contextlib.suppress(ProcessLookupError):
                child.process.send_signal(signal.SIGINT)
            try:
                child.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                child.process.kill()
                child.process.wait()
            self._children.pop()


def _how_it_ended(child: Child, code: int) -> str:
    words = child.last_words()
    _, is_ours, message = words.partition("otel-feedback serve: ")
    if is_ours:  # it has said itself what to do
        return message
    how = f"exit code {code}" if code >= 0 else f"signal {-code}"
    said = f': "{words}"' if words else ""
    return f"{child.name} ended unexpectedly ({how}){said}. See {child.log}"
