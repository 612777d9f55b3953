"""What may be wrong, by the answers of the questions people ask and by the service's own metrics.

The names are those of the Prometheus rules, so that one runbook serves both.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

RUNBOOK: Final = "https://github.com/otel-feedback/otel-feedback/blob/main/docs/runbooks.md#"
WIDER: Final = 3.29 / 1.96
"""From a 95 % interval to one of 99.9 %: many services are looked at, many times a day."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """When something is wrong; shares from 0 to 1."""

    drop: float = 0.1
    recent_votes: int = 100
    past_votes: int = 300
    expected_ratings: float = 14.0
    queue_seconds: float = 120.0
    waiting_share: float = 0.1
    waiting_ratings: int = 20


@dataclass(frozen=True, slots=True)
class Alert:
    """Something that is wrong. ``subject`` is the service it is about, or empty."""

    alert: str
    subject: str
    summary: str

    @property
    def key(self) -> str:
        """What makes it the same alert at the next look."""
        return f"{self.alert}/{self.subject}"

    @property
    def runbook_url(self) -> str:
        """The section that tells what to do."""
        return RUNBOOK + self.alert.lower()


def falling(rows: Iterable[Mapping[str, Any]], limits: Thresholds) -> list[Alert]:
    """Services whose last day is worse than their week before, by the rows of ``satisfaction_changes``.

    Both have enough votes, the fall is as large as ``drop``, and its 99.9 % interval holds nothing but falls.
    """
    found = []
    for row in rows:
        change = row["Change"]
        if row["Part"] != "service" or change is None or change > -limits.drop:
            continue
        recent = int(row["PositiveRecent"]) + int(row["NegativeRecent"])
        before = int(row["PositiveBefore"]) + int(row["NegativeBefore"])
        enough = recent >= limits.recent_votes and before >= limits.past_votes
        if enough and change + (row["ChangeHigh"] - change) * WIDER < 0:
            summary = (
                f"{row['SatisfactionRecent']:.0%} of the last day's {recent} votes on {row['Value']} are positive; "
                f"in the week before it were {row['SatisfactionBefore']:.0%}"
            )
            found.append(Alert("OtelFeedbackSatisfactionFalls", row["Value"], summary))
    return found


def silent(before: Iterable[Mapping[str, Any]], recent: Iterable[Mapping[str, Any]], limits: Thresholds) -> list[Alert]:
    """Services whose recent calls nobody rated, though ratings were to be expected by the rate of the time before.

    Rows are those of ``satisfaction_by_service``. Fourteen expected and none there is chance once in a million, if
    each rating came by itself; people rate several answers in a row, and even then it is rare.
    """
    rates = {row["ServiceName"]: int(row["Ratings"]) / max(int(row["Calls"]), 1) for row in before}
    found = []
    for row in recent:
        expected = int(row["Calls"]) * rates.get(row["ServiceName"], 0.0)
        if int(row["Ratings"]) == 0 and expected >= limits.expected_ratings:
            summary = (
                f"none of the last {row['Calls']} calls of {row['ServiceName']} was rated; {expected:.0f} used to be"
            )
            found.append(Alert("OtelFeedbackRatingsSilent", row["ServiceName"], summary))
    return found


def of_service(metrics: Mapping[str, float], limits: Thresholds) -> list[Alert]:
    """What the service tells of itself; ``metrics`` as ``service_metrics.read`` gives them."""
    found = []
    if (age := metrics.get("oldest_segment_age_seconds", 0.0)) > limits.queue_seconds:
        found.append(Alert("OtelFeedbackDatabaseBehind", "", f"records have waited for the database for {age:.0f} s"))
    if rejected := metrics.get("segments_rejected_total", 0.0):
        summary = f"ClickHouse refused {rejected:.0f} request(s) for good since the service started"
        found.append(Alert("OtelFeedbackSegmentRejected", "", summary))
    waiting, ratings = metrics.get("waiting", 0.0), metrics.get("ratings", 0.0)
    if waiting >= limits.waiting_ratings and waiting > limits.waiting_share * ratings:
        summary = f"{waiting:.0f} of {ratings:.0f} ratings wait for their calls"
        found.append(Alert("OtelFeedbackRatingsWait", "", summary))
    return found
