"""What the overview and its charts are about: a time, and maybe one service, model or version of a prompt."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from otel_feedback.dashboard.filters import RANGES, parse_period, parse_text

DEFAULT_RANGE: Final = "7d"
FILTERS: Final = ("service", "model", "version")
HOUR_SECONDS: Final = 3600
DAY_SECONDS: Final = 86_400
_SQL_TIME: Final = "%Y-%m-%d %H:%M:%S"
EARLIEST_SECONDS: Final = DAY_SECONDS
"""Unix seconds of the second day of 1970: nodes of a cluster can't read the first as ClickHouse sends it to them."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A stretch of whole hours or days, [since, until) in UTC, and what is looked at in it; "" for all of it."""

    range_name: str
    since: datetime
    until: datetime
    step_seconds: int
    service: str
    model: str
    version: str
    days: tuple[str, str]
    """``from`` and ``to`` as they stand in the link."""

    @classmethod
    def parse(cls, query: Mapping[str, str], now: float | None = None) -> Choice:
        """What a query string chooses. The last hour or day is the one that is under way.

        Whole steps make bars that can be compared, and the same question for everybody who asks within one.

        Raises:
            FilterError: a filter makes no sense.
        """
        current = time.time() if now is None else now
        has_days = bool(query.get("from") or query.get("to"))
        period = parse_period(query, "all" if has_days else DEFAULT_RANGE, current)
        step = HOUR_SECONDS if period.name == "24h" else DAY_SECONDS
        end = (int(current) // step + 1) * step
        since = end - RANGES[period.name] if RANGES[period.name] else EARLIEST_SECONDS
        if query.get("from"):
            since = min(max(since, period.since_unix_nano // 10**9), end)
        until = max(min(end, period.until_unix_nano // 10**9), since)
        return cls(
            range_name=period.name,
            since=datetime.fromtimestamp(since, UTC),
            until=datetime.fromtimestamp(until, UTC),
            step_seconds=step,
            days=(query.get("from", ""), query.get("to", "")),
            **parse_text(query, FILTERS),
        )

    @property
    def narrowed(self) -> dict[str, str]:
        """The filters beside the time."""
        return {"service": self.service, "model": self.model, "version": self.version}

    @property
    def for_queries(self) -> dict[str, Any]:
        """The parameters of ``queries/overview_*``."""
        since, until = (int(moment.timestamp()) * 10**9 for moment in (self.since, self.until))
        return {"since": since, "until": until, **self.narrowed}

    @property
    def for_questions(self) -> dict[str, Any]:
        """The parameters of ``questions/satisfaction_*`` but those that only one of them has."""
        return {"since": _sql_time(self.since), "until": _sql_time(self.until), "name": "", **self.narrowed}

    @property
    def two_weeks(self) -> dict[str, Any]:
        """The parameters of ``questions/satisfaction_changes``: the last seven days and those before."""
        return {**self.for_questions, "since": _sql_time(self.until - timedelta(days=14)), "recent_days": 7}

    @property
    def link(self) -> dict[str, str]:
        """The query string of this choice."""
        return {"range": self.range_name, "from": self.days[0], "to": self.days[1], **self.narrowed}

    @property
    def link_of_ratings(self) -> dict[str, str]:
        """The query string of the same time and filters on the list of ratings."""
        has_days = self.step_seconds == DAY_SECONDS and self.range_name != "all"
        times = {"from": f"{self.since:%Y-%m-%d}", "to": self.days[1]} if has_days else {**self.link}
        return {**times, **self.narrowed}


def _sql_time(moment: datetime) -> str:
    return moment.strftime(_SQL_TIME)
