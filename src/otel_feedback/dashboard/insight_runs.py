"""What the table ``insight_findings`` holds, as the Insights page shows it.

Commands write it as JSON, of this version or of another. What is not there, or is no number, is shown as not told.
"""

from __future__ import annotations

import difflib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from otel_feedback.dashboard.links import answer_link
from otel_feedback.dashboard.shown_text import plain

MOST_DRAWN: Final = 12
MOST_DIFFERING_LINES: Final = 400
_NAME_CHARACTERS: Final = 48
_SECOND: Final = 1_000_000_000


class Told:
    """A JSON object that somebody else wrote. Nothing in it is sure to be there, or to be of its type."""

    def __init__(self, content: object) -> None:
        self._content: Mapping[str, Any] = content if isinstance(content, Mapping) else {}

    @classmethod
    def read(cls, text: str) -> Told:
        """What this text says; nothing where it is no JSON object."""
        try:
            return cls(json.loads(text))
        except (ValueError, RecursionError):
            return cls({})

    def __bool__(self) -> bool:
        return bool(self._content)

    def text(self, name: str) -> str:
        """A text, or ""."""
        value = self._content.get(name)
        return value if isinstance(value, str) else ""

    def number(self, name: str) -> float | None:
        """A finite number, or None."""
        value = self._content.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            return None
        return value

    def part(self, name: str) -> Told:
        """An object in it, empty where there is none."""
        return Told(self._content.get(name))

    def parts(self, name: str) -> list[Told]:
        """The objects of a list."""
        return [Told(each) for each in self._list(name)]

    def numbers(self) -> list[tuple[str, float]]:
        """Its own entries that are numbers, with their names."""
        return [(name, number) for name in self._content if (number := self.number(name)) is not None]

    def objects(self) -> list[tuple[str, Told]]:
        """Its own entries that are objects, with their names."""
        return [(name, part) for name in self._content if (part := self.part(name))]

    def texts(self, name: str) -> list[str]:
        """The texts of a list."""
        return [each for each in self._list(name) if isinstance(each, str)]

    def interval(self, name: str) -> tuple[float, float, float] | None:
        """A number with its ends ``low`` and ``high``, or None where one of the three is not told."""
        value, low, high = self.number(name), self.number("low"), self.number("high")
        return None if value is None or low is None or high is None else (value, low, high)

    def figure(self, name: str) -> tuple[float, float, float] | None:
        """A number with its interval, written as a list of three; or None."""
        three = [Told({"each": each}).number("each") for each in self._list(name)]
        value, low, high = three if len(three) == 3 else (None, None, None)
        return None if value is None or low is None or high is None else (value, low, high)

    def is_true(self, name: str) -> bool:
        """Whether it is told to be so."""
        return self._content.get(name) is True

    @property
    def answer(self) -> str:
        """The page of the answer whose ids are in it, or ""."""
        names = {"SessionId": "session_id", "TraceId": "trace_id", "SpanId": "span_id"}
        return answer_link({column: self.text(name) for column, name in names.items()})

    def _list(self, name: str) -> list[Any]:
        value = self._content.get(name)
        return value if isinstance(value, list) else []


@dataclass(frozen=True, slots=True)
class StoredRun:
    """One run of a command.

    Attributes:
        id: its name in the table.
        kind: ``contrast``, ``experiment``, ``history``, ``proposal``, ``evaluator``, ``export``, or another version's.
        at: Unix nanoseconds.
        dimension: what it is about; ``value`` likewise, both as the command stored them.
        told: what its first row says.
    """

    id: str
    kind: str
    at: int
    dimension: str
    value: str
    told: Told

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> StoredRun:
        """The run that a row of ``queries/insight_runs`` tells of."""
        at = int(row["TimeUnixSeconds"]) * _SECOND
        return cls(row["Run"], row["Kind"], at, row["Dimension"], row["Value"], Told.read(row["Detail"]))

    @property
    def title(self) -> str:
        """What it is, in a line."""
        about, value = plain(self.dimension, 60), plain(self.value, 60)
        of_value = f" of {value}" if value else ""
        titles = {
            "contrast": self._title_of_contrast,
            "experiment": f"Which {about.replace('_', ' ')}{of_value} is better",
            "history": f"The versions{of_value}, each beside the one before",
            "proposal": f"A draft to follow {value} of {about}",
            "evaluator": f"Evaluator {about}, version {plain(self.value, 12)}",
            "export": f"Data set {value}, as {about}",
        }
        return titles.get(self.kind) or plain(self.kind, 60) or "not told"

    @property
    def _title_of_contrast(self) -> str:
        rated = self.told.text("compared") == "rated"
        service = plain(self.told.part("filter").text("service"), 60)
        return f"What sets {'rated' if rated else 'disliked'} answers{f' of {service}' if service else ''} apart"

    @property
    def difference(self) -> list[str]:
        """Of a draft: how it differs from the instructions it is to follow, line by line."""
        before, after = self.told.text("instructions").splitlines(), self.told.text("draft").splitlines()
        lines = difflib.unified_diff(before, after, "now", "draft", lineterm="")
        return list(islice(lines, MOST_DIFFERING_LINES))


def findings(rows: Sequence[Mapping[str, Any]]) -> list[Told]:
    """What the rows of ``queries/insight_findings_of_run`` say."""
    return [Told.read(row["Detail"]) for row in rows]


def drawn(found: Sequence[Told]) -> list[dict[str, Any]]:
    """The strongest findings of a contrast as its chart names them."""
    whole = ((each, each.interval("difference")) for each in found)
    return [
        {
            "group": plain(f"{each.text('dimension').replace('_', ' ')}: {each.text('value')}", _NAME_CHARACTERS),
            **dict(zip(("difference", "low", "high"), interval, strict=True)),
        }
        for each, interval in islice(((each, interval) for each, interval in whole if interval), MOST_DRAWN)
    ]
