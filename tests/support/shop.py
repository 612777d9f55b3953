"""The demo's two weeks of a shop's chat, always on the same days, so that what is told of them can be printed."""

from __future__ import annotations

from datetime import date
from typing import Final

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from tests.support.segments import store

from otel_feedback.clickhouse.database import Database
from otel_feedback.clickhouse.migrate import migrate
from otel_feedback.demo.history import make_history
from otel_feedback.settings import Settings

FIRST_DAY: Final = date(2026, 3, 2)
KEPT_FOR_GOOD: Final = {"OTEL_FEEDBACK_RETENTION": "36500d", "OTEL_FEEDBACK_RETENTION_RATED": "36500d"}
"""Settings under which days of any past stay."""


def shop_request(first_day: date = FIRST_DAY) -> ExportTraceServiceRequest:
    return ExportTraceServiceRequest.FromString(make_history(first_day).serialize())


def fill_with_shop(database: Database, first_day: date = FIRST_DAY) -> None:
    """Migrate the database and store the two weeks."""
    migrate(database, Settings.load(KEPT_FOR_GOOD))
    store(database, shop_request(first_day), token="the shop")
