"""The INSERT that stores a segment of the durable queue: ClickHouse itself decodes the OTLP requests in the file."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

from otel_feedback.clickhouse import statements

Signal: TypeAlias = Literal["traces", "logs"]
TABLES: Final[dict[Signal, str]] = {"traces": "otel_traces", "logs": "otel_logs"}
TABLES_THAT_NAME_SEGMENTS: Final[dict[Signal, tuple[str, ...]]] = {
    "traces": ("otel_traces", "llm_call_spans", "rating_deliveries"),
    "logs": ("otel_logs", "rating_deliveries"),
}
"""Where rows tell which segment they came in. What a segment adds to the others comes twice without a difference."""
MESSAGES: Final[dict[Signal, str]] = {"traces": "ExportTraceServiceRequest", "logs": "ExportLogsServiceRequest"}


def structure(signal: Signal) -> str:
    """The columns of one OTLP request, as ClickHouse's table functions want them told."""
    return statements.load(f"ingest/{signal}.structure")


def schema(signal: Signal) -> str:
    """The protobuf schema that ClickHouse reads requests with; MESSAGES names the request in it."""
    return f"{statements.load('ingest/common.proto')}\n{statements.load(f'ingest/{signal}.proto')}\n"


def insert_statement(signal: Signal, token: str, source: str, schema_settings: str) -> str:
    """INSERT ... SELECT from ``source``, a table function over length-delimited requests.

    ``token`` is the deduplication token: the same segment inserted again under it adds nothing to any table.
    ``schema_settings`` are the settings that give the engine ``schema(signal)``.
    """
    return statements.render(
        f"ingest/insert_{signal}.sql",
        token=statements.literal(token),
        schema_settings=schema_settings,
        source=source,
    )
