"""Stacked bars as plain SVG geometry, so that they need no script and no inline style."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

HEIGHT: Final = 120
STEP: Final = 20
BAR_WIDTH: Final = 12
MOST_BARS: Final = 400
STACK: Final = ("negative", "neutral", "other", "positive")
"""From the ground up: what went wrong stands on the base line, where lengths compare best."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One label's part of a bar."""

    label: str
    count: int
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class ChartBar:
    """One hour or day."""

    day: str
    x: int
    width: int
    counts: dict[str, int]
    pieces: list[Piece]


@dataclass(frozen=True, slots=True)
class Chart:
    """The bars from left to right; ``top`` is the number that the full height stands for."""

    bars: list[ChartBar]
    width: int
    top: int
    unit: str


def draw(rows: list[dict[str, Any]], *, since: datetime, until: datetime, unit: str) -> Chart:
    """Bars for every ``hour`` or ``day`` from ``since`` to ``until``, those without ratings included.

    ``rows`` hold Start (Unix seconds), Positive, Neutral, Negative and Ratings.
    """
    step = timedelta(hours=1) if unit == "hour" else timedelta(days=1)
    by_start = {int(row["Start"]): _counts(row) for row in rows}
    nothing = dict.fromkeys(STACK, 0)
    moment = _floor(since, unit)
    starts: list[datetime] = []
    while moment <= until:
        starts.append(moment)
        moment += step
    starts = starts[-MOST_BARS:]
    counts = [by_start.get(int(start.timestamp()), nothing) for start in starts]
    top = max((sum(each.values()) for each in counts), default=0) or 1
    pattern = "%Y-%m-%d %H:00" if unit == "hour" else "%Y-%m-%d"
    bars = [
        ChartBar(start.strftime(pattern), index * STEP + (STEP - BAR_WIDTH) // 2, BAR_WIDTH, each, _stack(each, top))
        for index, (start, each) in enumerate(zip(starts, counts, strict=True))
    ]
    return Chart(bars, max(len(bars), 1) * STEP, top, unit)


def _counts(row: dict[str, Any]) -> dict[str, int]:
    counts = {label: int(row[label.capitalize()]) for label in ("negative", "neutral", "positive")}
    return {**counts, "other": int(row["Ratings"]) - sum(counts.values())}


def _stack(counts: dict[str, int], top: int) -> list[Piece]:
    pieces: list[Piece] = []
    ground = float(HEIGHT)
    for label in STACK:
        height = counts[label] / top * HEIGHT
        if height:
            ground -= height
            pieces.append(Piece(label, counts[label], round(ground, 2), round(height, 2)))
    return pieces


def _floor(moment: datetime, unit: str) -> datetime:
    floored = moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    return floored if unit == "hour" else floored.replace(hour=0)
