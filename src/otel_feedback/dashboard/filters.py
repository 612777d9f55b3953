"""Filters in the query string: every view of a list has an address that can be kept and shared."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

RANGES: Final = {"24h": 86_400, "7d": 7 * 86_400, "30d": 30 * 86_400, "90d": 90 * 86_400, "all": 0}
RANGE_WORDS: Final = {
    "24h": "Last 24 hours",
    "7d": "Last 7 days",
    "30d": "Last 30 days",
    "90d": "Last 90 days",
    "all": "All time",
}
STATES: Final = ("linked", "waiting", "unmatched")
MAX_FILTER_CHARACTERS: Final = 1024
MINUTE_SECONDS: Final = 60
_END_OF_TIME: Final = 2**63 - 1
_NANOSECONDS: Final = 1_000_000_000


class FilterError(ValueError):
    """A filter in a link has a value that makes no sense; the message names it."""


@dataclass(frozen=True, slots=True)
class Period:
    """A stretch of time, [since, until) in Unix nanoseconds, and the words it was chosen by."""

    since_unix_nano: int
    until_unix_nano: int
    name: str

    @property
    def parameters(self) -> dict[str, Any]:
        """The query parameters ``since`` and ``until``."""
        return {"since": self.since_unix_nano, "until": self.until_unix_nano}


def parse_period(query: Mapping[str, str], default: str = "all", now: float | None = None) -> Period:
    """The period of ``range``, cut further by the days ``from`` and ``to`` (UTC, both included).

    Raises:
        FilterError: one of them can't be read.
    """
    name = query.get("range") or default
    if name not in RANGES:
        raise FilterError(f"range={name[:40]!r} is not one of {', '.join(RANGES)}")
    seconds = RANGES[name]
    current = (time.time() if now is None else now) // MINUTE_SECONDS * MINUTE_SECONDS  # one question for many readers
    since = int(current - seconds) * _NANOSECONDS if seconds else 0
    until = _END_OF_TIME
    if query.get("from"):
        since = max(since, _day_unix_nano("from", query["from"]))
    if query.get("to"):
        until = min(until, _day_unix_nano("to", query["to"], days_later=1))
    return Period(since, until, name)


def parse_text(query: Mapping[str, str], names: tuple[str, ...]) -> dict[str, str]:
    """The filters of these names, empty where they are not set.

    Raises:
        FilterError: one is longer than any name can be.
    """
    values = {name: query.get(name, "").strip() for name in names}
    for name, value in values.items():
        if len(value) > MAX_FILTER_CHARACTERS:
            raise FilterError(f"the filter {name} has {len(value)} characters; at most {MAX_FILTER_CHARACTERS} work")
    return values


def _day_unix_nano(name: str, text: str, days_later: int = 0) -> int:
    try:
        day = datetime.combine(date.fromisoformat(text), datetime.min.time(), UTC) + timedelta(days=days_later)
    except (ValueError, OverflowError):
        raise FilterError(f"{name}={text[:40]!r} is not a day like 2026-05-31") from None
    unix_nano = int(day.timestamp()) * _NANOSECONDS
    if not 0 <= unix_nano <= _END_OF_TIME:
        raise FilterError(f"{name}={text[:40]!r} is outside the years 1970 to 2262")
    return unix_nano
