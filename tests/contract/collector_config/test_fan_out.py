"""Everything reaches both; what is rated late is kept whole by the service after a short full window."""

from __future__ import annotations

from pathlib import Path

from tests.support.clickhouse_server import free_ports
from tests.support.collector_config import configured_collector
from tests.support.commands import otel_feedback
from tests.support.otlp_sink import otlp_sink
from tests.support.rated_app import SPANS, Plan, run_app
from tests.support.service import running_service

ANSWERS = 30


def test_what_is_rated_days_later_stays_whole_when_the_short_window_ends(tmp_path: Path):
    window = {"OTEL_FEEDBACK_RETENTION": "3d", "OTEL_FEEDBACK_RETENTION_RATED": "400d"}
    with otlp_sink() as backend, running_service(tmp_path / "data", window) as service:
        environment = {"OTEL_FEEDBACK_OTLP": service.http, "BACKEND_OTLP": backend.url}
        with configured_collector("fan-out.yaml", tmp_path, environment) as collector:
            answers = run_app(collector.http, Plan(answers=ANSWERS, days_ago=5))
            service.wait_for_rows("SELECT 1 FROM otel_traces", ANSWERS * SPANS)
            rated = answers[::10]
            run_app(collector.http, Plan(late=tuple(answer.traceparent for answer in rated)))
            service.wait_for_rows("SELECT 1 FROM rated_llm_calls", len(rated))
            backend.wait_for(lambda sink: len(sink.spans) == ANSWERS * SPANS + len(rated))
            backend.wait_for(lambda sink: len(sink.logs) == len(rated))
        done = otel_feedback(tmp_path / "data", "erase", "--expired", environment=window)
        assert (done.returncode, done.stderr) == (0, "")
        query = (
            "SELECT TraceId, countIf(SpanName NOT LIKE 'user_feedback %') AS spans FROM otel_traces GROUP BY TraceId"
        )
        stored = {row["TraceId"]: int(row["spans"]) for row in service.sql(query)}
        assert stored == {answer.trace_id: SPANS for answer in rated}
        assert len(service.sql("SELECT 1 FROM rated_llm_calls WHERE Prompt != ''")) == len(rated)


def test_a_backend_that_is_away_holds_up_nothing_of_ours(tmp_path: Path):
    (nobody,) = free_ports(1)
    with running_service(tmp_path / "data") as service:
        environment = {"OTEL_FEEDBACK_OTLP": service.http, "BACKEND_OTLP": f"http://127.0.0.1:{nobody}"}
        with configured_collector("fan-out.yaml", tmp_path, environment) as collector:
            run_app(collector.http, Plan(answers=3, rated=(1,)))
            service.wait_for_rows("SELECT 1 FROM otel_traces", 3 * SPANS + 1)
            service.wait_for_rows("SELECT 1 FROM rated_llm_calls")
