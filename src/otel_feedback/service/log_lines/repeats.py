"""What goes wrong again and again is told sparingly: a database that is away for a day must not fill the disk."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import Final, TextIO

TOLD_AT_ONCE: Final = 5
PERIOD_SECONDS: Final = 60.0

_Kind = tuple[str, int, str, int]


@dataclass(slots=True)
class _Period:
    began: float
    told: int = 0
    left_out: int = 0
    latest: logging.LogRecord | None = None


class SparingHandler(logging.StreamHandler[TextIO]):
    """Writes the first five warnings or errors of a kind in a minute, then how many more came and the latest of them.

    Of a kind are records from the same line of code. What was left out is told with the next record of any kind after
    the minute, or at the end. Records below WARNING are all written.
    """

    def __init__(self, stream: TextIO, *, period_seconds: float = PERIOD_SECONDS) -> None:
        super().__init__(stream)
        self._period_seconds = period_seconds
        self._periods: dict[_Kind, _Period] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Write the record, or count it."""
        now = time.monotonic()
        self._tell_what_was_left_out(before=now - self._period_seconds)
        if record.levelno >= logging.WARNING:
            kind = (record.name, record.levelno, record.pathname, record.lineno)
            period = self._periods.setdefault(kind, _Period(now))
            if period.told >= TOLD_AT_ONCE:
                period.left_out += 1
                period.latest = record
                return
            period.told += 1
        super().emit(record)

    def close(self) -> None:
        """Tell what is untold, and end."""
        self.acquire()
        try:
            self._tell_what_was_left_out(before=time.monotonic())
        finally:
            self.release()
        super().close()

    def _tell_what_was_left_out(self, *, before: float) -> None:
        for kind in [kind for kind, period in self._periods.items() if period.began <= before]:
            period = self._periods.pop(kind)
            if period.latest is not None:
                super().emit(_summary(period.latest, period.left_out))


def _summary(latest: logging.LogRecord, left_out: int) -> logging.LogRecord:
    """The latest record, saying how many it stands for."""
    summary = logging.makeLogRecord(vars(latest))
    summary.msg = f"{left_out} more like this, the latest: {latest.getMessage()}"
    summary.args = None
    summary.left_out = left_out
    return summary
