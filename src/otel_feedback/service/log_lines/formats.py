"""A log record as text for people, or as one line of JSON for machines."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

Redact = Callable[[str], str]

_OF_EVERY_RECORD: Final = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}
_SAID_TWICE: Final = frozenset({"color_message"})  # uvicorn's, the message once more


class TextFormatter(logging.Formatter):
    """Time, level, logger and message; an exception's trace on the lines that follow. Fields are in the message."""

    def __init__(self, redact: Redact) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")
        self._redact = redact

    def format(self, record: logging.LogRecord) -> str:
        """The record's lines."""
        return self._redact(super().format(record))


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time (RFC 3339, UTC), level, logger, message, exception, and the fields of ``extra``."""

    def __init__(self, redact: Redact) -> None:
        super().__init__()
        self._redact = redact

    def format(self, record: logging.LogRecord) -> str:
        """The record's line."""
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line = {
            "time": time.replace("+00:00", "Z"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        if record.stack_info:
            line["stack"] = record.stack_info
        fields = {name: value for name, value in vars(record).items() if name not in _OF_EVERY_RECORD | _SAID_TWICE}
        line = {**line, **{name: value for name, value in fields.items() if name not in line}}
        return json.dumps({name: self._plain(value) for name, value in line.items()}, ensure_ascii=False)

    def _plain(self, value: Any) -> Any:
        if value is None or isinstance(value, (bool, int)) or (isinstance(value, float) and math.isfinite(value)):
            return value
        return self._redact(str(value))
