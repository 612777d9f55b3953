"""Row for row, the official tables hold what the Collector's ClickHouse exporter writes of the same requests.

The differences are in DIFFERENT and in docs/rows.md, each with its reason; there are no others.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from tests.benchmarks.loads import LOADS
from tests.support.clickhouse_server import OwnClickHouse, own_clickhouse
from tests.support.collector import needed_collector, running_collector
from tests.support.dialects import FOLDER, recorded
from tests.support.otlp import attributes, log_request, trace_request
from tests.support.service import running_service, wait_until
from tests.support.traffic import send_all
from tests.support.value_kinds import EVERY_KIND

OURS = "ours"
THEIRS = "theirs"
WRITTEN_SECONDS = 60.0
NAMES = {"otel_traces": "SpanName", "otel_logs": "LogAttributes['name']"}
DIFFERENT = {
    "otel_traces": {"no time", "no start", "no end", "ends before it starts"},
    "otel_logs": {"no time"},
}


def test_every_row_is_the_exporters_but_those_that_are_told(tmp_path: Path):
    binary = needed_collector()
    with own_clickhouse(tmp_path) as server:
        for database in (OURS, THEIRS):
            server.execute(f"CREATE DATABASE {database}")
        url = f"clickhouse://default:@127.0.0.1:{server.http_port}/{OURS}"
        with (
            running_service(tmp_path / "data", {"OTEL_FEEDBACK_DATABASE_URL": url}) as service,
            running_collector(binary, server, tmp_path, THEIRS) as exporter,
        ):
            sent = list(requests())
            for address in (service.grpc, exporter.address):
                send_all(address, sent)
            for table, name in NAMES.items():
                wait_until(
                    lambda table=table: rows_are_equally_many(server, table), WRITTEN_SECONDS, "rows are missing"
                )
                columns = columns_of(server, table)
                assert columns_of(server, table, OURS) >= columns
                shown = ", ".join(f"`{column}`" for column, _, kind in sorted(columns) if kind != "MATERIALIZED")
                for here, there in ((OURS, THEIRS), (THEIRS, OURS)):
                    query = f"SELECT {shown} FROM {here}.{table} EXCEPT ALL SELECT {shown} FROM {there}.{table}"  # noqa: S608
                    found = server.execute(f"SELECT DISTINCT {name} FROM ({query})")  # noqa: S608  # our own names
                    assert set(found.splitlines()) == DIFFERENT[table], (table, here)


def requests() -> Iterator[tuple[str, Any]]:
    """Signal and body: an LLM app's spans and logs, what real instrumentations sent, and what is at the edges."""
    for load in (LOADS["spans-512"][0](2048), LOADS["logs-512"][0](1024)):
        yield from ((load.signal, body) for body in load.requests)
    for path in sorted(FOLDER.glob("*.json")):
        traces, logs = recorded(path.stem)
        yield "traces", traces.SerializeToString()
        if logs.resource_logs:
            yield "logs", logs.SerializeToString()
    yield from every_kind_of_value()
    yield from odd_spans()
    yield from odd_records()


def every_kind_of_value() -> Iterator[tuple[str, bytes]]:
    for name, value in EVERY_KIND.items():
        request, span = one_span(name)
        held = attributes({"k": value})
        span.attributes.extend(held)
        span.events.add(name="e", time_unix_nano=5).attributes.extend(held)
        span.links.add(trace_id=b"t" * 16, span_id=b"s" * 8, trace_state="a=b").attributes.extend(held)
        request.resource_spans[0].resource.attributes.extend(held)
        yield "traces", request.SerializeToString()
        yield "logs", log_request(value, k=value, name=name).SerializeToString()


def odd_spans() -> Iterator[tuple[str, bytes]]:
    times = {
        "no time": (0, 0),
        "no start": (0, 5 * 10**18),
        "no end": (10**18, 0),
        "ends before it starts": (2 * 10**18, 10**18),
        "beyond 2262": (2**63 + 5, 2**63 + 9),
        "the last time": (2**64 - 1, 2**64 - 1),
    }
    for name, (start, end) in times.items():
        request, span = one_span(name)
        span.start_time_unix_nano, span.end_time_unix_nano = start, end
        yield "traces", request.SerializeToString()
    for number in (*range(6), 9):
        request, span = one_span(f"kind and status {number}")
        span.kind = number  # type: ignore[assignment]  # numbers of newer versions, too
        span.status.code, span.status.message = number, "m"  # type: ignore[assignment]
        yield "traces", request.SerializeToString()
    request, span = one_span("equal keys, out of order")
    span.attributes.extend(attributes({"b": "1", "a": "2"}))
    span.attributes.extend(attributes({"b": "3"}))
    span.parent_span_id = bytes(8)
    request.resource_spans[0].resource.ClearField("attributes")
    yield "traces", request.SerializeToString()


def odd_records() -> Iterator[tuple[str, bytes]]:
    for number in (0, 1, 24, 25, 255, -1):
        request, record = one_record(f"severity {number}")
        record.severity_number = number  # type: ignore[assignment]
        yield "logs", request.SerializeToString()
    for name, observed in (("no time", 0), ("observed", 5 * 10**17)):
        request, record = one_record(name)
        record.time_unix_nano, record.observed_time_unix_nano = 0, observed
        record.flags, record.event_name = 0x1FF, "event"
        yield "logs", request.SerializeToString()
    request, record = one_record("no body")
    record.ClearField("body")
    request.resource_logs[0].schema_url, request.resource_logs[0].scope_logs[0].schema_url = "one", "two"
    yield "logs", request.SerializeToString()


def one_span(name: str) -> tuple[Any, Span]:
    request = trace_request({})
    span = request.resource_spans[0].scope_spans[0].spans[0]
    span.name = name
    return request, span


def one_record(name: str) -> tuple[Any, LogRecord]:
    request = log_request("body", name=name)
    return request, request.resource_logs[0].scope_logs[0].log_records[0]


def rows_are_equally_many(server: OwnClickHouse, table: str) -> bool | None:
    ours, theirs = (int(server.execute(f"SELECT count() FROM {each}.{table}")) for each in (OURS, THEIRS))  # noqa: S608
    return (ours == theirs > 0) or None


def columns_of(server: OwnClickHouse, table: str, database: str = THEIRS) -> set[tuple[str, ...]]:
    """Name, type, and whether the exporter's table computes it."""
    query = f"SELECT name, type, default_kind FROM system.columns WHERE database = '{database}' AND table = '{table}'"  # noqa: S608
    told = server.execute(query)
    computed = {"MATERIALIZED", "ALIAS"}
    return {
        (name, kind, "MATERIALIZED" if default in computed else "")
        for name, kind, default in ((*line.split("\t"), "")[:3] for line in told.splitlines())
    }
