"""A statement with its parameters' values in it: to read, and to paste where there are no parameters."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from otel_feedback.clickhouse import statements

MOMENT: Final = "DateTime('UTC')"
PLACE: Final = re.compile(r"\{(\w+):([^{}]+)\}")
"""``{name:Type}`` in a statement."""

_ASKS: Final = re.compile(r"-- Question: (\S)(.*)")
_COMMENT: Final = re.compile(r"(?:--.*\n)+")
_NUMBER: Final = re.compile(r"U?Int\d+")


def filled(statement: str, values: Mapping[str, Any], places: Mapping[str, str] | None = None) -> str:
    """The statement of a file under ``sql/`` with its question as the only comment, and every place filled.

    ``values`` are as a query with parameters takes them; ``places`` has SQL for some places instead.

    Raises:
        KeyError: a place has neither.
    """
    given = dict(places or {})
    asks = _ASKS.search(statement)
    comment = f"-- {asks[1].upper()}{asks[2]}\n" if asks else ""
    return comment + PLACE.sub(
        lambda place: given.get(place[1]) or _literal(values[place[1]], place[2]), body_of(statement)
    )


def body_of(statement: str) -> str:
    """The statement without its opening comment."""
    return _COMMENT.sub("", statement, count=1) if statement.startswith("--") else statement


def _literal(value: Any, type_name: str) -> str:
    if type_name == MOMENT:
        return f"toDateTime({statements.literal(str(value))}, 'UTC')"
    if _NUMBER.fullmatch(type_name):
        return str(int(value))
    if isinstance(value, list | tuple):
        return f"[{', '.join(statements.literal(str(each)) for each in value)}]"
    return statements.literal(str(value))
