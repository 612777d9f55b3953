"""Without a service of ours: rows and ratings from the Collector's exporter into our tables."""

from __future__ import annotations

from pathlib import Path

from tests.support.clickhouse_server import own_clickhouse
from tests.support.collector_config import configured_collector
from tests.support.commands import otel_feedback
from tests.support.rated_app import SPANS, Plan, run_app
from tests.support.service import wait_until


def test_ratings_are_beside_their_calls_without_a_service(tmp_path: Path):
    with own_clickhouse(tmp_path) as server:
        settings = {"OTEL_FEEDBACK_DATABASE_URL": server.url, "OTEL_FEEDBACK_RETENTION": "3d"}
        assert otel_feedback(tmp_path / "data", "migrate", environment=settings).returncode == 0
        environment = {"CLICKHOUSE_ENDPOINT": f"tcp://127.0.0.1:{server.tcp_port}", "CLICKHOUSE_USER": "default"}
        with configured_collector("clickhouse-direct.yaml", tmp_path, environment) as collector:
            answers = run_app(collector.http, Plan(answers=10, rated=(0, 1), days_ago=5))

            def count(table: str) -> int:
                return int(server.execute(f"SELECT count() FROM otel.{table}"))  # noqa: S608  # our own names

            wait_until(lambda: count("otel_traces") == 10 * SPANS + 2 or None, 30, "spans are missing")
            wait_until(lambda: count("otel_logs") == 2 or None, 30, "log records are missing")
        rated = server.execute("SELECT TraceId FROM otel.rated_llm_calls WHERE Prompt != '' ORDER BY RaterId")
        assert rated.splitlines() == [answer.trace_id for answer in answers[:2]]
        done = otel_feedback(tmp_path / "data", "erase", "--expired", environment=settings)
        assert (done.returncode, done.stderr) == (0, "")
        left = server.execute("SELECT DISTINCT TraceId FROM otel.otel_traces").splitlines()
        assert sorted(left) == sorted(rated.splitlines())
