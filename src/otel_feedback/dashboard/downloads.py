"""Lists as files: CSV that spreadsheets may open, and JSON Lines; row by row, so that memory never holds all of it."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

TYPES: Final = {"csv": "text/csv; charset=utf-8", "jsonl": "application/x-ndjson"}
MOST_NAME_CHARACTERS: Final = 80
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NANOSECONDS: Final = "UnixNano"
_FORMULA: Final = re.compile(r"[\s\x00-\x1f]*[=+\-@\uff1d\uff0b\uff0d\uff20]|[\t\r\n]")
"""What spreadsheets may take for the beginning of a formula, as CSV has no way to say that a cell is text."""


def head(columns: Iterable[str], file_format: str) -> bytes:
    """The first line of a file: the columns' names, which only CSV has."""
    return _csv_line([_name(each) for each in columns]) if file_format == "csv" else b""


def lines(rows: list[dict[str, Any]], columns: Iterable[str], file_format: str) -> bytes:
    """These rows as lines of the file, in UTF-8. What ends in ``UnixNano`` becomes a time as ISO 8601 writes it."""
    columns = tuple(columns)
    shown = ({_name(each): _value(row[each], each) for each in columns} for row in rows)
    if file_format == "csv":
        return b"".join(_csv_line([_cell(value) for value in row.values()]) for row in shown)
    return b"".join((json.dumps(row, ensure_ascii=False) + "\n").encode("utf-8", "replace") for row in shown)


def file_name(collection: str, chosen: Mapping[str, str], now: datetime, file_format: str) -> str:
    """``feedback-negative-7d-2026-11-25.csv``: what it holds, the filters, the day (UTC)."""
    words = [re.sub(r"[^A-Za-z0-9]+", "-", value).strip("-") for value in chosen.values()]
    named = "-".join([collection, *(word for word in words if word)])[:MOST_NAME_CHARACTERS]
    return f"{named}-{now:%Y-%m-%d}.{file_format}"


def defused(text: str) -> str:
    """The text as a cell that no spreadsheet runs: with an apostrophe before it where it might be a formula."""
    return f"'{text}" if _FORMULA.match(text) else text


def _name(column: str) -> str:
    return column.replace(_NANOSECONDS, "Time" if not column.startswith("Time") else "")


def _value(value: Any, column: str) -> Any:
    if column.endswith(_NANOSECONDS):
        seconds, nanoseconds = divmod(int(value), 10**9)
        return f"{_EPOCH + timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%S}.{nanoseconds:09}Z"
    return value


def _cell(value: Any) -> Any:
    if isinstance(value, list | tuple):
        value = json.dumps(value, ensure_ascii=False)
    return defused(value) if isinstance(value, str) else value


def _csv_line(cells: list[Any]) -> bytes:
    buffer = io.StringIO()
    csv.writer(buffer).writerow(cells)
    return buffer.getvalue().encode("utf-8", "replace")
