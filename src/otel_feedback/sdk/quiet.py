"""Telemetry that fails must not hurt the app: the first failure of a kind is a warning, the rest is debug output."""

from __future__ import annotations

import logging
from typing import Final

logger = logging.getLogger("otel_feedback")
_told: Final[set[str]] = set()


def report_failure(what_failed: str, error: BaseException) -> None:
    """Log the error: as a warning the first time for ``what_failed``, at debug level afterwards."""
    if what_failed in _told:
        logger.debug("%s failed again", what_failed, exc_info=error)
        return
    _told.add(what_failed)
    logger.warning("%s failed; further failures are logged at debug level", what_failed, exc_info=error)


def warn_once(message: str, *, kind: str = "") -> None:
    """Log a warning the first time it is given in this process; or the first one of its kind, where one is named."""
    kind = kind or message
    if kind not in _told:
        _told.add(kind)
        logger.warning("%s", message)


def forget() -> None:
    """Tell everything again; for tests."""
    _told.clear()
