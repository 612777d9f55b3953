"""The agent keeps what it took: over an absent service and its own death."""

from __future__ import annotations

from pathlib import Path

from tests.support.clickhouse_server import free_ports
from tests.support.collector_config import ConfiguredCollector
from tests.support.rated_app import SPANS, Plan, run_app
from tests.support.service import running_service

TOKEN = "a token for the agent"


def test_nothing_is_lost_while_the_service_is_away_and_the_agent_is_killed(tmp_path: Path):
    (port,) = free_ports(1)
    environment = {"OTEL_FEEDBACK_OTLP": f"http://127.0.0.1:{port}", "OTEL_FEEDBACK_INGEST_TOKEN": TOKEN}
    agent = ConfiguredCollector("agent.yaml", tmp_path, environment)
    try:
        agent.start()
        answers = run_app(agent.http, Plan(answers=20, rated=(0, 1, 2)))
        agent.kill()
        agent.start()
        run_app(agent.http, Plan(late=(answers[3].traceparent,)))
        settings = {"OTEL_FEEDBACK_HTTP_ADDRESS": f"127.0.0.1:{port}", "OTEL_FEEDBACK_INGEST_TOKENS": TOKEN}
        with running_service(tmp_path / "data", settings) as service:
            service.wait_for_rows("SELECT 1 FROM feedback WHERE State = 'linked'", 4)
            # Each rating is a span of its own, beside its log record.
            service.wait_for_rows("SELECT 1 FROM otel_traces", 20 * SPANS + 4)
            service.wait_for_rows("SELECT 1 FROM otel_logs", 4)
            (counted,) = service.sql("SELECT count() AS spans, uniqExact(TraceId) AS traces FROM otel_traces")
            assert counted == {"spans": 20 * SPANS + 4, "traces": 20}
            rated = service.sql("SELECT TraceId, RaterId, Prompt FROM rated_llm_calls ORDER BY RaterId")
            assert [(row["TraceId"], row["RaterId"]) for row in rated] == [
                (answers[3].trace_id, "late-rater"),
                *((answer.trace_id, answer.user) for answer in answers[:3]),
            ]
            assert {row["Prompt"] for row in rated} == {"Where is my order?"}
    finally:
        agent.stop()
