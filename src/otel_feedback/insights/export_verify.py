"""Whether exports that were made earlier still hold what has been taken back since: erased, expired, or changed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final

from otel_feedback.errors import DataDirectoryError
from otel_feedback.insights import asking
from otel_feedback.insights.asking import Ask
from otel_feedback.insights.export_files import DATA, MANIFEST, PROVENANCE

_ROWS_AT_ONCE: Final = 5000


@dataclass(frozen=True, slots=True)
class Stale:
    """A file with rows of which the database holds the source no more.

    Attributes:
        file: its path.
        rows: the numbers of these rows, from 1.
        calls: rows of which a call is gone: its person was erased, or it expired.
        ratings: rows of which a rating is gone: its rater was erased, or took it back.
    """

    file: str
    rows: tuple[int, ...]
    calls: int
    ratings: int


def verify(directory: Path, ask: Ask | None = None) -> list[Stale]:
    """The files of all exports at or below this directory that must not be used any more, or only without these rows.

    Evaluators tell what they learned from in the same way, and are among them.

    Raises:
        DataDirectoryError: there is no export, or it can't be read.
        DatabaseError: ClickHouse refused a statement or can't be asked.
    """
    ask = ask or asking.asker()
    manifests = sorted(directory.rglob(MANIFEST)) if directory.is_dir() else []
    exports = [each.parent for each in manifests if (each.parent / PROVENANCE).is_dir()]
    if not exports:
        raise DataDirectoryError(f"There is no export in {directory}: none of its directories has a {MANIFEST}")
    found = []
    for export in exports:
        for provenance in sorted((export / PROVENANCE).glob("*.jsonl")):
            # What was trained, and not exported, has no file of rows: then the whole of it must go.
            file = next((export / DATA).glob(f"{provenance.stem}.*"), export)
            stale = _look(provenance, str(file), ask)
            if stale.rows:
                found.append(stale)
    return found


def _look(provenance: Path, file: str, ask: Ask) -> Stale:
    rows: list[int] = []
    calls = ratings = 0
    for first, page in _pages(provenance):
        sources = [source for each in page for source in each]
        gone_calls = _missing(ask, "calls", {f"{each['trace_id']}/{each['span_id']}" for each in sources})
        gone_ratings = _missing(ask, "ratings", {rating for each in sources for rating in each["rating_ids"]})
        for number, each in enumerate(page, first):
            has_call = any(f"{source['trace_id']}/{source['span_id']}" in gone_calls for source in each)
            has_rating = any(rating in gone_ratings for source in each for rating in source["rating_ids"])
            calls += has_call
            ratings += has_rating
            rows += [number] if has_call or has_rating else []
    return Stale(file, tuple(rows), calls, ratings)


def _missing(ask: Ask, kind: str, ids: set[str]) -> set[str]:
    found = asking.rows(ask, f"insights/missing_{kind}", {kind: sorted(ids)})
    return {str(value) for row in found for value in row.values()}


def _pages(provenance: Path) -> Iterator[tuple[int, list[list[dict[str, Any]]]]]:
    number = 1
    try:
        with provenance.open(encoding="utf-8") as file:
            while page := [json.loads(line) for line in islice(file, _ROWS_AT_ONCE)]:
                yield number, page
                number += len(page)
    except (OSError, ValueError) as error:
        raise DataDirectoryError(f"{provenance} can't be read: {error}") from None
