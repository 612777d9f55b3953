"""Keyset paging: an opaque cursor names the last row shown, so rows that arrive meanwhile shift nothing."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Any, Final

FIRST_PAGE_TIME: Final = 2**63 - 1
MAX_CURSOR_CHARACTERS: Final = 4096


class CursorError(ValueError):
    """The ``cursor`` in a link can't be read."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """The last row shown, in descending order of (time, id). The default stands before the first row."""

    time_unix_nano: int = FIRST_PAGE_TIME
    row_id: str = ""

    @classmethod
    def parse(cls, text: str) -> Cursor:
        """The cursor in a query string; empty text means the first page.

        Raises:
            CursorError: it is no cursor that this dashboard made.
        """
        if not text:
            return cls()
        if len(text) > MAX_CURSOR_CHARACTERS:
            raise CursorError("the cursor in this link is too long; start again from the first page")
        try:
            padded = text + "=" * (-len(text) % 4)
            time_unix_nano, row_id = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        except (binascii.Error, ValueError, TypeError, RecursionError):
            raise CursorError("the cursor in this link can't be read; start again from the first page") from None
        if type(time_unix_nano) is not int or not isinstance(row_id, str) or abs(time_unix_nano) >= 2**63:
            raise CursorError("the cursor in this link can't be read; start again from the first page")
        return cls(time_unix_nano, row_id)

    def __str__(self) -> str:
        encoded = json.dumps([self.time_unix_nano, self.row_id], separators=(",", ":")).encode()
        return base64.urlsafe_b64encode(encoded).decode().rstrip("=")


@dataclass(frozen=True, slots=True)
class Page:
    """The rows to show and the cursor of the next page, "" on the last one."""

    rows: list[dict[str, Any]]
    next_cursor: str


def cut_page(rows: list[dict[str, Any]], size: int, time_column: str, id_column: str) -> Page:
    """Cut rows that were asked for with a limit of ``size + 1`` to one page."""
    shown = rows[:size]
    if len(rows) <= size:
        return Page(shown, "")
    last = shown[-1]
    return Page(shown, str(Cursor(int(last[time_column]), str(last[id_column]))))
