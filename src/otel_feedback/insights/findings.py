"""Where results are kept: the table ``insight_findings``, with hashes of the query and of the data that made them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import pyarrow as pa

from otel_feedback.clickhouse import statements
from otel_feedback.insights.asking import Ask

_ROWS_AT_ONCE: Final = 500
"""A request to the service may have four megabytes."""


def query_hash(names: Sequence[str], values: Mapping[str, Any]) -> str:
    """SHA-256 of the statements in ``sql/{name}.sql`` with these values."""
    texts = [statements.load(f"{name}.sql") for name in names]
    return hashlib.sha256(json.dumps([texts, dict(values)], sort_keys=True).encode()).hexdigest()


def data_hash(*tables: pa.Table) -> str:
    """SHA-256 of what statements answered, row by row."""
    digest = hashlib.sha256()
    for table in tables:
        for row in zip(*(table.column(name).to_pylist() for name in table.column_names), strict=True):
            digest.update(json.dumps(row).encode())
    return digest.hexdigest()


def keep(ask: Ask, same: Mapping[str, Any], rows: Iterable[Mapping[str, Any]]) -> None:
    """Store rows, each with what all of them share.

    Columns are Run, Kind, QueryHash and DataHash (those shared), Position, Dimension, Value, Detail, SessionIds and
    TraceIds. By the ids an erasure finds rows that show somebody's calls.

    Raises:
        DatabaseError: ClickHouse refused them or can't be asked.
    """
    statement = statements.load("insights/store_findings.sql")
    texts = [json.dumps({**same, **row}, ensure_ascii=False) for row in rows]
    for start in range(0, len(texts), _ROWS_AT_ONCE):
        ask(statement, {"rows": texts[start : start + _ROWS_AT_ONCE]}, format_name="JSONEachRow", write=True)
