"""The questions that people ask, each a file under ``sql/questions/``: what it asks, with what, and how to paste it.

A file opens with a comment that is read here, so that what people are told is what the file says::

    -- Question: how satisfied are people with each model's answers?
    -- Parameters:
    --   {since:DateTime('UTC')} [30d] calls from this moment on, e.g. 2026-11-01
    -- Cost: one pass over the narrow columns of the period's calls.

A parameter's default is in brackets; without them a value has to be given. Moments are in UTC.
"""

from __future__ import annotations

import difflib
import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from otel_feedback.clickhouse import statements
from otel_feedback.clickhouse.filled import MOMENT, PLACE, filled
from otel_feedback.errors import UsageError

FIRST_QUESTION: Final = "satisfaction_by_model"
"""The one to show where one is needed as an example."""

GRAFANA_TIMES: Final = {"since": "$__fromTime", "until": "$__toTime"}
"""What Grafana's ClickHouse data source fills with the ends of the time range that its user picked."""

_QUESTION: Final = re.compile(r"-- Question: (.*)")
_PARAMETER: Final = re.compile(r"--   \{(\w+):([^{}]+)\} (?:\[(.*?)\] )?(.*), e\.g\. (.*)")
_COST: Final = re.compile(r"-- Cost: (.*(?:\n--   .*)*)")
_COMMENT: Final = re.compile(r"(?:--.*\n)+")
_AGO: Final = re.compile(r"(\d{1,6})([mhdw])")
_UNITS: Final = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_UNSIGNED: Final = re.compile(r"UInt(\d+)")
_SQL_TIME: Final = "%Y-%m-%d %H:%M:%S"
_FIRST_MOMENT: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_MOMENT: Final = datetime(2106, 2, 7, tzinfo=UTC)
"""The ends of ClickHouse's DateTime, to the day."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A ``{name:Type}`` place; ``default`` is None where a value has to be given."""

    name: str
    type: str
    default: str | None
    about: str
    example: str

    def read(self, text: str, now: datetime) -> str:
        """The value as ClickHouse reads it. A moment may be 30d (ago), now, or as ISO 8601 writes it.

        Raises:
            UsageError: it is no value of the type.
        """
        value: str | None = text
        if self.type == MOMENT:
            value = _read_moment(text, now)
        elif match := _UNSIGNED.fullmatch(self.type):
            value = text if text.isascii() and text.isdigit() and int(text) < 1 << int(match[1]) else None
        if value is None:
            raise UsageError(f"{self.name}={text!r} is no {self.type}: {self.about}. Example: {self.as_typed()}")
        return value

    def as_typed(self) -> str:
        """The example as people type it in a shell."""
        is_plain = re.fullmatch(r"[\w.:/-]+", self.example)
        return f"--param {self.name}={self.example}" if is_plain else f"--param '{self.name}={self.example}'"


@dataclass(frozen=True, slots=True)
class Question:
    """A question with its statement."""

    name: str
    asks: str
    parameters: tuple[Parameter, ...]
    cost: str
    statement: str

    def values(self, given: Mapping[str, str], now: datetime) -> dict[str, str]:
        """A value for each parameter: what is given, else its default.

        Raises:
            UsageError: a parameter is unknown or missing, or its value can't be read.
        """
        known = {each.name: each for each in self.parameters}
        for name in given:
            if name not in known:
                raise UsageError(f"{self.name} has no parameter {name!r}; it has {', '.join(known)}")
        values = {}
        for name, parameter in known.items():
            text = given.get(name, parameter.default)
            if text is None:
                raise UsageError(
                    f"{self.name} needs {name}, a {parameter.type}: {parameter.about}. Example: {parameter.as_typed()}"
                )
            values[name] = parameter.read(text, now)
        return values

    def filled(self, values: Mapping[str, str], places: Mapping[str, str] | None = None) -> str:
        """The statement to paste where there are no parameters; ``places`` has SQL for some of them."""
        return filled(self.statement, values, places)


def names() -> tuple[str, ...]:
    """Every question's name, in alphabetical order."""
    return statements.names("questions")


def find(name: str) -> Question:
    """The question of that name; hyphens do as well as underscores.

    Raises:
        UsageError: there is none; the message has names that are near.
    """
    wanted = name.strip().lower().replace("-", "_")
    if wanted in names():
        return load(wanted)
    near = difflib.get_close_matches(wanted, names(), n=3, cutoff=0.5) or [each for each in names() if wanted in each]
    meant = f"Did you mean {' or '.join(near)}?" if near else "`otel-feedback report` lists them."
    raise UsageError(f"there is no question {name!r}. {meant}")


@functools.cache
def load(name: str) -> Question:
    """The question in ``sql/questions/{name}.sql``.

    Raises:
        ValueError: its comment is not as this module says.
    """
    statement = statements.load(f"questions/{name}.sql")
    opening = _COMMENT.match(statement)
    comment = opening[0] if opening else ""
    question, cost = _QUESTION.search(comment), _COST.search(comment)
    parameters = tuple(Parameter(*match.groups()) for match in _PARAMETER.finditer(comment))
    places = {(match[1], match[2]) for match in PLACE.finditer(statement)}
    if question is None or cost is None or places != {(each.name, each.type) for each in parameters}:
        raise ValueError(f"questions/{name}.sql must open with its question, each of its parameters, and its cost")
    return Question(name, question[1], parameters, re.sub(r"\n-- +", " ", cost[1]), statement)


def _read_moment(text: str, now: datetime) -> str | None:
    """None where it is no moment that a DateTime can hold. Now is the end of this second: what came in it counts."""
    moment = now.astimezone(UTC).replace(microsecond=0) + timedelta(seconds=1)
    try:
        if match := _AGO.fullmatch(text):
            moment -= timedelta(**{_UNITS[match[2]]: int(match[1])})
        elif text != "now":
            moment = datetime.fromisoformat(text)
            moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
    return moment.strftime(_SQL_TIME) if _FIRST_MOMENT <= moment < _LAST_MOMENT else None
