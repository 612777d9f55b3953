"""What every list asks its query with: the filters, the time, and the row after which a page begins."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from otel_feedback.dashboard.cursor import Cursor
from otel_feedback.dashboard.filters import parse_period


def list_parameters(query: Mapping[str, str], chosen: Mapping[str, str], page_size: int) -> dict[str, Any]:
    """The parameters for a page of a list, one row more than it shows; ``chosen`` are its filters beside the time.

    Raises:
        FilterError: the time makes no sense.
        CursorError: the cursor was not made here.
    """
    cursor = Cursor.parse(query.get("cursor", ""))
    return {
        **chosen,
        **parse_period(query).parameters,
        "before_time": cursor.time_unix_nano,
        "before_id": cursor.row_id,
        "limit": page_size + 1,
    }
