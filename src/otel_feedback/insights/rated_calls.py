"""Rated calls, one after the other by time, read in pages, so that a million of them need little memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final, Literal

from otel_feedback.insights import asking
from otel_feedback.insights.asking import Ask
from otel_feedback.insights.consent import Consent

PAGE_RATINGS: Final = 2000
"""Ratings that are read at once; more where one minute of calls has more."""
_MINUTE_SECONDS: Final = 60


@dataclass(frozen=True, slots=True)
class RatedCall:
    """A call with its current ratings.

    Attributes:
        row: the call's columns, as ``insights/export_calls.sql`` answers them.
        ratings: its ratings' columns, by FeedbackId.
        is_agreed: whether its person agreed that it is used; True where nobody asks for that.
    """

    row: Mapping[str, Any]
    ratings: tuple[Mapping[str, Any], ...]
    is_agreed: bool = True

    @property
    def label(self) -> Literal["positive", "negative", ""]:
        """``negative`` if one of the ratings is, else ``positive`` if one is, else ""."""
        labels = {each["Label"] for each in self.ratings}
        return "negative" if "negative" in labels else "positive" if "positive" in labels else ""

    @property
    def correction(self) -> str:
        """What should have been answered, as the first rating says that has a correction; or ""."""
        return next((str(each["Correction"]) for each in self.ratings if each["Correction"].strip()), "")

    @property
    def conversation(self) -> str:
        """Its session, or its trace where it has none."""
        return str(self.row["SessionId"] or self.row["TraceId"])


def minutes(ask: Ask, values: Mapping[str, str]) -> list[tuple[int, int]]:
    """The minutes (Unix seconds) of the filter's rated calls, in order, each with its number of ratings."""
    return [(int(row["Minute"]), int(row["Ratings"])) for row in asking.rows(ask, "insights/export_minutes", values)]


def rated_calls(
    ask: Ask,
    values: Mapping[str, str],
    told: list[tuple[int, int]],
    step: Callable[[int], object],
    consent: Consent | None = None,
) -> Iterator[RatedCall]:
    """Every rated call of these minutes, oldest first; ``step`` is called with the number of ratings of each page.

    With ``consent`` each tells whether its person agreed.
    """
    for first, last, ratings in _pages(told):
        page = {**values, "first": str(first), "last": str(last)}
        rows = asking.rows(ask, "insights/export_calls", page)
        agreed = consent.given(ask, rows, first, last) if consent and rows else set()
        for ids, same in groupby(rows, key=lambda row: (row["TraceId"], row["SpanId"])):
            found = tuple(same)
            yield RatedCall(found[0], found, consent is None or ids in agreed)
        step(ratings)


def _pages(told: list[tuple[int, int]]) -> Iterator[tuple[int, int, int]]:
    first, ratings = 0, 0
    for minute, count in told:
        if ratings and ratings + count > PAGE_RATINGS:
            yield first, minute, ratings
            ratings = 0
        first = minute if not ratings else first
        ratings += count
    if ratings:
        yield first, told[-1][0] + _MINUTE_SECONDS, ratings
