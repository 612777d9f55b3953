"""30 days of an LLM app's spans, calls and ratings, the same ones each time."""

from __future__ import annotations

from pathlib import Path
from string import Template
from typing import Final

from otel_feedback.clickhouse.database import Database

SPANS: Final = 10_000_000
RATINGS: Final = 200_000
UNTIL: Final = "2026-11-25 00:00:00"
SPANS_PER_INSERT: Final = 100_000
RATINGS_PER_INSERT: Final = 10_000
_FOLDER: Final = Path(__file__).parent


def fill(database: Database, *, spans: int = SPANS, ratings: int = RATINGS, until: str = UNTIL) -> None:
    """Put the history into a migrated database: a fifth of the spans are LLM calls; every rating has both carriers.

    Raises:
        DatabaseError: ClickHouse refused it.
    """
    sizes = {"total": spans, "ratings": ratings, "until": until}
    _insert(database, "spans", spans, SPANS_PER_INSERT, sizes)
    _insert(database, "ratings_as_spans", ratings, RATINGS_PER_INSERT, sizes)
    _insert(database, "ratings_as_logs", ratings, RATINGS_PER_INSERT, sizes)


def _insert(database: Database, name: str, rows: int, rows_per_insert: int, sizes: dict[str, int | str]) -> None:
    statement = Template(_text(name)).safe_substitute(ratings=_text("ratings"))
    for first in range(0, rows, rows_per_insert):
        count = min(rows_per_insert, rows - first)
        database.command(statement, {**sizes, "first": first, "count": count})


def _text(name: str) -> str:
    return (_FOLDER / f"{name}.sql").read_text(encoding="utf-8")
