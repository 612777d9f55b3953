"""What the overview tells and its charts draw: rows of the named queries, and the same rows as charts want them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from otel_feedback.dashboard.kept_answers import Answer
from otel_feedback.dashboard.overview_choice import DAY_SECONDS, HOUR_SECONDS, Choice
from otel_feedback.dashboard.questions import Questions
from otel_feedback.dashboard.satisfaction import Change, Share, change, share
from otel_feedback.dashboard.shown_text import plain

LABELS: Final = ("positive", "neutral", "other", "negative")
"""From the top of a bar to its ground: what went wrong stands on the base line, where lengths compare best."""
MOST_GROUPS: Final = 12
MOST_BARS: Final = 400


@dataclass(frozen=True, slots=True)
class ChartKind:
    """A chart: its title, what its picture shows in words, the file of its specification, and where its rows are from.

    ``part`` is that of ``queries/overview_satisfaction``, which answers all of them in one pass; ``told_by`` is the
    query that gives the same rows alone, for people to run.
    """

    name: str
    title: str
    about: str
    specification: str
    part: str
    told_by: str

    @property
    def asks(self) -> str:
        """The query that the dashboard asks for it."""
        return "overview_satisfaction" if self.part else self.told_by

    def parameters(self, choice: Choice) -> dict[str, Any]:
        """The values with which the dashboard asks."""
        return choice.for_questions if self.part else {**choice.for_queries, "step": choice.step_seconds}

    def told_parameters(self, choice: Choice) -> dict[str, Any]:
        """The values with which ``told_by`` gives these rows."""
        return {**self.parameters(choice), **({"timezone": "UTC"} if self.part == "day" else {})}

    async def ask(self, questions: Questions, choice: Choice) -> Answer:
        """The rows of all that is asked with it, maybe kept ones.

        Raises:
            DatabaseError: ClickHouse refused it or gave up at a limit.
        """
        return await questions.kept(self.asks, **self.parameters(choice))

    def own(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Those of the rows that are this chart's."""
        return [row for row in rows if row["Part"] == self.part] if self.part else rows

    def data(self, rows: list[dict[str, Any]], choice: Choice) -> list[dict[str, Any]]:
        """Its own rows as its specification names them."""
        if not self.part:
            return _bars(rows, choice)
        if self.part == "day":
            return [{"start": f"{row['Value']}T00:00:00Z", **_interval(row)} for row in rows if row["Low"] is not None]
        return [
            {"group": named(row["Value"]), "response": row["ResponseRate"], **_interval(row)}
            for row in rows[:MOST_GROUPS]
        ]


KINDS: Final[Mapping[str, ChartKind]] = {
    each.name: each
    for each in (
        ChartKind(
            "ratings_over_time",
            "Ratings over time",
            "Bars of the ratings given in each step of time, stacked by label",
            "ratings_over_time",
            "",
            "overview_ratings_by_time",
        ),
        ChartKind(
            "satisfaction_over_time",
            "Satisfaction over time",
            "A line of the share of satisfied people, day by day, with its interval",
            "satisfaction_over_time",
            "day",
            "questions/satisfaction_by_day",
        ),
        ChartKind(
            "satisfaction_by_model",
            "By model",
            "The share of satisfied people for each model with its interval, and how many of its calls were rated",
            "satisfaction_by_group",
            "model",
            "questions/satisfaction_by_model",
        ),
        ChartKind(
            "satisfaction_by_prompt_version",
            "By prompt version",
            "The share of satisfied people for each prompt version with its interval, and how many calls were rated",
            "satisfaction_by_group",
            "prompt",
            "questions/satisfaction_by_prompt_version",
        ),
        ChartKind(
            "satisfaction_by_service",
            "By service",
            "The share of satisfied people for each service with its interval, and how many of its calls were rated",
            "satisfaction_by_group",
            "service",
            "questions/satisfaction_by_service",
        ),
    )
}
"""By name, in the order in which the overview shows them."""


@dataclass(frozen=True, slots=True)
class Changed:
    """A service, model or prompt (or everything) in two weeks; ``change`` is None where nothing can be said."""

    part: str
    value: str
    calls: tuple[int, int]
    rated_calls: tuple[int, int]
    judged: tuple[int, int]
    change: Change | None


@dataclass(frozen=True, slots=True)
class Changes:
    """What two weeks have in common and what not, as far as it is more than chance."""

    everything: Changed | None
    worse: list[Changed]
    better: list[Changed]
    compared: int
    too_few: int


def changes_of(rows: list[dict[str, Any]]) -> Changes:
    """What the rows of ``questions/satisfaction_changes`` tell. Rows that are compared at once share one confidence."""
    can_tell = sum(1 for row in rows if _change_of(row) is not None)
    all_of_them = [_changed(row, can_tell) for row in rows]
    parts = [each for each in all_of_them if each.part != "all"]
    return Changes(
        everything=next((each for each in all_of_them if each.part == "all"), None),
        worse=[each for each in parts if each.change is not None and each.change.is_worse],
        better=[each for each in parts if each.change is not None and each.change.is_better],
        compared=can_tell,
        too_few=sum(1 for each in parts if each.change is None),
    )


def named(text: str) -> str:
    """A model, service or prompt in a line; some calls tell none."""
    return plain(text, 60) or "not told"


def starts(choice: Choice, rows: list[dict[str, Any]]) -> list[int]:
    """The Unix seconds at which each hour or day begins, those without a rating included; MOST_BARS at most."""
    step = choice.step_seconds
    first = max(int(choice.since.timestamp()), int(rows[0]["Start"]) if choice.range_name == "all" and rows else 0)
    last = int(choice.until.timestamp())
    first = max(first // step * step, last - MOST_BARS * step)
    return list(range(first, last, step))


def _bars(rows: list[dict[str, Any]], choice: Choice) -> list[dict[str, Any]]:
    by_start = {int(row["Start"]): row for row in rows}
    bars = []
    for start in starts(choice, rows):
        row = by_start.get(start, {})
        moment = datetime.fromtimestamp(start, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        bars += [
            {"start": moment, "label": label, "ratings": counts_of(row)[label], "place": place}
            for place, label in enumerate(reversed(LABELS))
        ]
    return bars


def counts_of(row: Mapping[str, Any]) -> dict[str, int]:
    """The ratings of a row by label, what has none of the three under ``other``."""
    known = {label: int(row.get(label.capitalize(), 0)) for label in LABELS if label != "other"}
    return {**known, "other": int(row.get("Ratings", 0)) - sum(known.values())}


def step_word(choice: Choice) -> str:
    """``hour`` or ``day``."""
    return {HOUR_SECONDS: "hour", DAY_SECONDS: "day"}[choice.step_seconds]


def _interval(row: Mapping[str, Any]) -> dict[str, Any]:
    return {"share": row["Satisfaction"], "low": row["Low"], "high": row["High"]}


def _change_of(row: Mapping[str, Any], comparisons: int = 1) -> Change | None:
    before, recent = (
        (int(row[f"Positive{when}"]), int(row[f"Positive{when}"]) + int(row[f"Negative{when}"]))
        for when in ("Before", "Recent")
    )
    return change(before, recent, comparisons)


def _changed(row: Mapping[str, Any], comparisons: int) -> Changed:
    def both(name: str) -> tuple[int, int]:
        return int(row[f"{name}Before"]), int(row[f"{name}Recent"])

    judged = (both("Positive")[0] + both("Negative")[0], both("Positive")[1] + both("Negative")[1])
    value = named(str(row["Value"]))
    return Changed(row["Part"], value, both("Calls"), both("RatedCalls"), judged, _change_of(row, comparisons))


def response_rate(by_service: list[dict[str, Any]]) -> Share:
    """Rated calls of all calls, over the services of ``queries/overview_satisfaction``."""
    return share(sum(int(row["RatedCalls"]) for row in by_service), sum(int(row["Calls"]) for row in by_service))
