"""Lays the spans of one trace out as a waterfall: a tree by parent, each bar placed on one time axis."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from otel_feedback.semconv import CARRIER_SPAN_PREFIX

AXIS_UNITS: Final = 1000
MAX_SHOWN_DEPTH: Final = 12
SMALLEST_BAR_UNITS: Final = 3


@dataclass(slots=True)
class Bar:
    """One span in the waterfall. ``left`` and ``width`` are in AXIS_UNITS; a carrier span has no bar.

    ``anchor`` is its element's id, "" for a span whose id an earlier one has, too.
    """

    span: dict[str, Any]
    depth: int
    left: float = 0.0
    width: float = 0.0
    is_carrier: bool = False
    after_end_nanoseconds: int = 0
    is_orphan: bool = False
    anchor: str = ""
    ratings: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Waterfall:
    """The bars from top to bottom, and the length of the axis."""

    bars: list[Bar]
    start_unix_nano: int
    duration_nanoseconds: int

    @property
    def has_work(self) -> bool:
        """Whether there is more than spans that carry ratings."""
        return any(not bar.is_carrier for bar in self.bars)


def lay_out(spans: list[dict[str, Any]], ratings: Iterable[dict[str, Any]]) -> Waterfall:
    """Order spans parents first, siblings by start, and place them between the trace's first and last moment.

    A rating may come weeks after the answer: carrier spans are listed, but the axis ends where the work ended.
    Spans whose parent is not there stand at the root; a loop of parents is cut where it is entered.
    """
    work = [span for span in spans if not is_carrier(span)]
    start = min((_start(span) for span in work), default=0)
    end = max((_end(span) for span in work), default=start)
    by_span: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for rating in ratings:
        if rating["Scope"] == "span":
            by_span[rating["SpanId"]].append(rating)
    bars = [_bar(span, depth, is_orphan, start, end) for span, depth, is_orphan in _walk(spans)]
    anchored: set[str] = set()
    for bar in bars:
        span_id = bar.span["SpanId"]
        bar.ratings = by_span.get(span_id, [])
        if span_id not in anchored:
            bar.anchor = f"span-{span_id}"
            anchored.add(span_id)
    return Waterfall(bars, start, end - start)


def is_carrier(span: dict[str, Any]) -> bool:
    """Whether the span only carries a rating."""
    return str(span["SpanName"]).startswith(CARRIER_SPAN_PREFIX)


def _walk(spans: list[dict[str, Any]]) -> list[tuple[dict[str, Any], int, bool]]:
    ids = {span["SpanId"] for span in spans}
    children: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for span in spans:
        children[span["ParentSpanId"] if span["ParentSpanId"] in ids else ""].append(span)
    for siblings in children.values():
        siblings.sort(key=lambda span: (is_carrier(span), _start(span), span["SpanId"]))
    walked: list[tuple[dict[str, Any], int, bool]] = []
    seen: set[int] = set()
    # Roots first; what is left after them hangs in a loop of parents, and is entered at its earliest span.
    entries = children[""] + sorted(spans, key=lambda span: (is_carrier(span), _start(span)))
    for entry in entries:
        stack = [(entry, 0)]
        while stack:
            span, depth = stack.pop()
            if id(span) in seen:
                continue
            seen.add(id(span))
            walked.append((span, depth, depth == 0 and bool(span["ParentSpanId"])))
            below = children.get(span["SpanId"], []) if span["SpanId"] else []
            stack.extend((child, depth + 1) for child in reversed(below))
    return walked


def _bar(span: dict[str, Any], depth: int, is_orphan: bool, start: int, end: int) -> Bar:  # noqa: FBT001  # one caller
    shown_depth = min(depth, MAX_SHOWN_DEPTH)
    if is_carrier(span):
        return Bar(span, shown_depth, is_carrier=True, after_end_nanoseconds=max(0, _start(span) - end))
    whole = max(end - start, 1)
    width = max((_end(span) - _start(span)) / whole * AXIS_UNITS, SMALLEST_BAR_UNITS)
    left = min((_start(span) - start) / whole * AXIS_UNITS, AXIS_UNITS - min(width, AXIS_UNITS))
    return Bar(span, shown_depth, round(left, 1), round(width, 1), is_orphan=is_orphan)


def _start(span: dict[str, Any]) -> int:
    return int(span["StartUnixNano"])


def _end(span: dict[str, Any]) -> int:
    return int(span["StartUnixNano"]) + int(span["Duration"])
