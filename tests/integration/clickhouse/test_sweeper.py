"""The service's sweeps: one that fails is counted, and the next one does what it could not."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from prometheus_client import Counter, Gauge
from tests.support.ratings import Call
from tests.support.segments import store
from tests.support.service import wait_until

from otel_feedback.clickhouse.database import Database
from otel_feedback.service.sweeper import Sweeper
from otel_feedback.service.telemetry import Telemetry
from otel_feedback.settings import Settings


def value_of(metric: Counter | Gauge) -> float:
    return float(metric.collect()[0].samples[0].value)


def test_a_sweep_that_fails_is_told_and_the_next_one_succeeds(
    database: Database, caplog: pytest.LogCaptureFixture, request: pytest.FixtureRequest
):
    metrics = Telemetry().retention
    store(database, Call(at=1_500_000_000_000_000_000).request())
    database.command("RENAME TABLE deletions TO moved")
    sweeper = Sweeper(database, Settings.load({}), metrics, first_seconds=0.01, pause_seconds=0.1)
    request.addfinalizer(lambda: sweeper.stop(30))
    with caplog.at_level(logging.INFO, "otel_feedback.service.sweeper"):
        sweeper.start()
        failed: Any = wait_until(lambda: value_of(metrics.failures) or None, 30, "no sweep failed")
        database.command("RENAME TABLE moved TO deletions")
        wait_until(lambda: value_of(metrics.last_sweep) or None, 30, "no sweep succeeded")
    assert failed >= 1
    assert "trying again in an hour" in caplog.text
    assert "deleted what has expired: 1 of llm_call_spans, 1 of otel_traces_trace_id_ts, 1 of otel_traces row(s)" in (
        caplog.text
    )
    assert value_of(metrics.rows.labels("otel_traces")) == 1
    assert database.query("SELECT 1 FROM otel_traces") == []


def test_one_that_was_never_started_stops(database: Database):
    Sweeper(database, Settings.load({}), Telemetry().retention).stop(1)
