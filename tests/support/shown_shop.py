"""The shop's two weeks as tools that read OpenTelemetry's tables find them, with a line of the app's log."""

from __future__ import annotations

from opentelemetry.proto.trace.v1.trace_pb2 import Span
from tests.support.otlp import log_request
from tests.support.segments import store
from tests.support.shop import fill_with_shop, shop_request

from otel_feedback.clickhouse.database import Database

MILLISECOND = 1_000_000
SINCE, UNTIL = 1_772_409_600, 1_773_619_200  # 2 to 16 March 2026, UTC
SPANS = list(shop_request().resource_spans[0].scope_spans[0].spans)
RATED = next(span for span in SPANS if span.links)
TRACE = RATED.trace_id.hex()
LINE = "cache miss for order A-1010"
PERIOD = {"start": SINCE * 1000, "end": UNTIL * 1000}


def spans_of_trace() -> list[Span]:
    """In the order in which they began."""
    found = [span for span in SPANS if span.trace_id == RATED.trace_id]
    return sorted(found, key=lambda span: (span.start_time_unix_nano, span.span_id))


def store_shop(database: Database) -> None:
    """The shop's two weeks with a line of the app's log in a rated trace."""
    fill_with_shop(database)
    request = log_request(LINE, **{"log.iostream": "stderr"})
    record = request.resource_logs[0].scope_logs[0].log_records[0]
    record.time_unix_nano, record.severity_text, record.severity_number = (
        spans_of_trace()[0].start_time_unix_nano,
        "WARN",
        13,
    )
    record.trace_id, record.span_id = RATED.trace_id, spans_of_trace()[0].span_id
    store(database, request)
