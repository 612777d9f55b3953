"""A service and a real Collector write to a cluster, each through another node, and the dashboard shows it."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from tests.support.clickhouse_cluster import CLUSTER, OwnCluster
from tests.support.collector import needed_collector, running_collector
from tests.support.ratings import Call, Submission
from tests.support.service import RunningService, running_service
from tests.support.traffic import send_all

DOCS = Path(__file__).parents[3] / "docs" / "cluster.md"
CALLS = [Call(session=f"session-{number % 3}", user="user-1", prompt="Capital of France?") for number in range(12)]


@pytest.fixture(scope="module")
def database(clickhouse_cluster: OwnCluster) -> Iterator[str]:
    """The name of a database that no node has yet."""
    name = f"otel_feedback_test_{secrets.token_hex(6)}"
    yield name
    for each in (name, f"{name}_shard"):
        clickhouse_cluster.execute(f"DROP DATABASE IF EXISTS {each} SYNC")


@pytest.fixture(scope="module")
def service(
    clickhouse_cluster: OwnCluster, database: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningService]:
    url = clickhouse_cluster.url.rpartition("/")[0] + f"/{database}"
    environment = {"OTEL_FEEDBACK_DATABASE_URL": url, "OTEL_FEEDBACK_CLUSTER": CLUSTER}
    with running_service(tmp_path_factory.mktemp("service") / "data", environment) as service:
        yield service


def sent(calls: list[Call], comment: str) -> list[tuple[str, bytes]]:
    """Each call with a rating by both carriers."""
    also = {"gen_ai.evaluation.explanation": comment}
    requests = []
    for call in calls:
        submission = Submission(call, id=call.span_id.hex(), value=0.0, also=also)
        requests += [("traces", call.request()), ("traces", submission.carrier()), ("logs", submission.log())]
    return [(signal, request.SerializeToString()) for signal, request in requests]


def test_the_dashboard_shows_what_came(service: RunningService):
    send_all(service.grpc, sent(CALLS, "not the capital"))
    service.wait_for_rows("SELECT * FROM rated_llm_calls WHERE Comment = 'not the capital'", len(CALLS))
    service.wait_for_rows("SELECT * FROM rating_deliveries WHERE Carrier = 'log'", len(CALLS))
    (rating, *_) = httpx.get(f"{service.dashboard}/api/feedback", timeout=60).json()["rows"]
    ids = f"trace={rating['TraceId']}&span={rating['SpanId']}"
    for page, shown in (
        (f"/feedback/{rating['FeedbackId']}?model=gpt-4o", "Capital of France?"),
        ("/api/feedback/tail?after=1", "not the capital"),
        (f"/messages?{ids}", "Capital of France?"),
        (f"/spans?{ids}", "not the capital"),
        (f"/text?of=call&{ids}&field=Prompt", "Capital of France?"),
        (f"/text?of=rating&id={rating['FeedbackId']}&field=Comment", "not the capital"),
        (f"/text?of=span&{ids}&field=SpanAttributes&key=gen_ai.request.model", "gpt-4o"),
        (f"/logs?{ids}&time={rating['TimeUnixNano']}", "not the capital"),
        (
            f"/text?of=log&{ids}&time={rating['TimeUnixNano']}&field=LogAttributes&key=gen_ai.evaluation.explanation",
            "not the capital",
        ),
        ("/?range=all", "not the capital"),
        ("/feedback?range=all", "not the capital"),
        ("/feedback?range=all&user=user-1&model=gpt-4o&text=capital", "not the capital"),
        ("/sessions?range=all", "session-1"),
        ("/sessions/session-1", "Capital of France?"),
        ("/users?range=all", "user-1"),
        ("/users/user-1", "session-2"),
        (f"/traces/{CALLS[0].trace_id.hex()}", "chat gpt-4o"),
    ):
        answer = httpx.get(f"{service.dashboard}{page}", timeout=60)
        assert answer.status_code == 200, (page, answer.text.partition("<main")[2])
        assert shown in answer.text, page


def test_a_collector_writes_beside_the_service(
    clickhouse_cluster: OwnCluster, database: str, service: RunningService, tmp_path: Path
):
    calls = [Call(session="by the Collector") for _ in range(12)]
    node = clickhouse_cluster.nodes[1]
    told = re.findall(r"`connection_params: \{(.*)\}`", DOCS.read_text(encoding="utf-8"))
    with running_collector(
        needed_collector(), node, tmp_path, database, create_schema=False, connection_params=told[0]
    ) as collector:
        send_all(collector.address, sent(calls, "by the Collector"))
        rated = service.wait_for_rows("SELECT * FROM rated_llm_calls WHERE Comment = 'by the Collector'", len(calls))
    assert len(rated) == len(calls)
    (session,) = service.sql("SELECT Calls, Ratings, Negative FROM sessions WHERE SessionId = 'by the Collector'")
    assert {name: int(value) for name, value in session.items()} == {"Calls": 12, "Ratings": 12, "Negative": 12}
    shares = clickhouse_cluster.execute(
        f"SELECT uniqExact(TraceId) FROM {database}_shard.llm_call_spans WHERE SessionId = 'by the Collector'"  # noqa: S608
    )
    assert sum(map(int, shares)) == len(calls)
    assert "0" not in shares
