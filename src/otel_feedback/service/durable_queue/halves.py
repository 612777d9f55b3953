"""A segment in two halves, each with a name of its own: how requests that ClickHouse refuses are told from the others.

A half is named after the segment that it was appended in and its place there, ``<name>.<first>-<end>`` (records,
``end`` not included). The same half always gets the same name and the same bytes, so that its name can be its
deduplication token.
"""

from __future__ import annotations

import re
from typing import Final

from otel_feedback.service.durable_queue.segment import scan

_HALF: Final = re.compile(r"(.+)\.(\d+)-\d+")


def halves_of(name: str, data: bytes) -> list[tuple[str, bytes]]:
    """The names and bytes of both halves; of one record (or stretch of damage) there are none."""
    places = [(found.start, found.end) for found in scan(data)]
    if len(places) < 2:
        return []
    match = _HALF.fullmatch(name)
    whole, first = (match[1], int(match[2])) if match else (name, 0)
    middle = len(places) // 2
    cut = places[middle][0]
    return [
        (f"{whole}.{first}-{first + middle}", data[:cut]),
        (f"{whole}.{first + middle}-{first + len(places)}", data[cut:]),
    ]
