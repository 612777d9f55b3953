"""How insights reach the database: through the running service, or directly where none has it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import pyarrow as pa
import pyarrow.ipc

from otel_feedback.clickhouse import statements
from otel_feedback.dashboard import sql_client
from otel_feedback.settings import Settings

Values: TypeAlias = Mapping[str, Any]
Ask: TypeAlias = Callable[..., bytes]
"""``ask(statement, values, *, format_name, write=False)``: the answer's bytes in a ClickHouse format."""


def asker(settings: Settings | None = None) -> Ask:
    """Asks the database that the settings name; those of the environment where None are given.

    What it returns raises DatabaseError where ClickHouse refuses a statement or can't be asked.
    """
    known = settings or Settings.load()

    def ask(statement: str, values: Values, *, format_name: str, write: bool = False) -> bytes:
        return sql_client.ask(known, statement, values, format_name=format_name, write=write)

    return ask


def table(ask: Ask, name: str, values: Values) -> pa.Table:
    """What the statement in ``sql/{name}.sql`` answers, as Arrow; no columns where it answers no row."""
    answer = ask(statements.load(f"{name}.sql"), values, format_name="ArrowStream")
    if not answer:
        return pa.table({})
    with pa.ipc.open_stream(answer) as stream:
        found: pa.Table = stream.read_all()
        return found


def rows(ask: Ask, name: str, values: Values) -> list[dict[str, Any]]:
    """What the statement in ``sql/{name}.sql`` answers, row by row."""
    answer = ask(statements.load(f"{name}.sql"), values, format_name="JSONEachRow")
    return [json.loads(line) for line in answer.splitlines()]
