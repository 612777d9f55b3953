"""Two shards: what belongs to a trace is on one of them, what is counted is counted once, and repeats add nothing."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from tests.integration.clickhouse.conftest import empty
from tests.support.clickhouse_cluster import CLUSTER, SHARDS, OwnCluster
from tests.support.otlp import NOON, SECOND
from tests.support.ratings import LINKED, Call, Submission, only_span
from tests.support.segments import segment_bytes, store

from otel_feedback.clickhouse.cluster import ClusterDatabase
from otel_feedback.clickhouse.connect import connect
from otel_feedback.clickhouse.erasure import erase
from otel_feedback.clickhouse.migrate import migrate
from otel_feedback.clickhouse.retention import sweep
from otel_feedback.errors import ConfigurationError, DatabaseError
from otel_feedback.settings import Settings

COUNT: Final = 24
DAY: Final = 86_400 * SECOND
FOLDED: Final = {"llm_call_spans", "rating_deliveries", "otel_traces_trace_id_ts"}
"""Tables to be read with FINAL: of a row that is there twice one stays."""
EXPORTED: Final = (
    "Timestamp, TraceId, SpanId, ParentSpanId, TraceState, SpanName, SpanKind, ServiceName, ResourceAttributes, "
    "ScopeName, ScopeVersion, SpanAttributes, Duration, StatusCode, StatusMessage, "
    "Events.Timestamp, Events.Name, Events.Attributes, Links.TraceId, Links.SpanId, Links.TraceState, Links.Attributes"
)
"""What the Collector's exporter names in its INSERT."""
EXPORT: Final = f"SELECT {EXPORTED} FROM otel.otel_traces FORMAT Native"  # noqa: S608
INSERT_AS_EXPORTER: Final = f"INSERT INTO otel.otel_traces ({EXPORTED}) FORMAT Native"
FORGET_TOKENS: Final = (
    "ALTER TABLE otel_shard.{} MODIFY SETTING non_replicated_deduplication_window = 0",
    "ALTER TABLE otel_shard.{} MODIFY SETTING non_replicated_deduplication_window = 10000",
)


@pytest.fixture(scope="module")
def migrated(clickhouse_cluster: OwnCluster) -> Iterator[ClusterDatabase]:
    database = connect(clickhouse_cluster.url, CLUSTER)
    assert isinstance(database, ClusterDatabase)
    migrate(database, Settings.load({}))
    yield database
    database.close()


@pytest.fixture
def database(migrated: ClusterDatabase) -> ClusterDatabase:
    empty(migrated)
    return migrated


@pytest.fixture
def cluster(clickhouse_cluster: OwnCluster) -> OwnCluster:
    """The servers of the database."""
    return clickhouse_cluster


def calls_and_ratings() -> tuple[list[Any], list[Any]]:
    """Requests of calls, each with a rating by a carrier in a trace of its own, and of the ratings' log records."""
    traces, logs = [], []
    for number in range(COUNT):
        call = Call(session=f"session-{number}", user=f"user-{number}")
        submission = Submission(call, id=f"id-{number}")
        carrier = submission.carrier(has_parent=False)
        only_span(carrier).trace_id = os.urandom(16)
        traces += [call.request(), carrier]
        logs.append(submission.log())
    return traces, logs


def each_shard(cluster: OwnCluster, expression: str, table: str) -> list[set[str]]:
    return [set(answer.split()) for answer in cluster.execute(f"SELECT {expression} FROM otel_shard.{table}")]  # noqa: S608


def rows(cluster: OwnCluster) -> dict[str, list[int]]:
    """How many rows each shard has in each table; merges decide nothing."""
    tables = ("otel_traces", "otel_logs", "llm_call_spans", "otel_traces_trace_id_ts", "rating_deliveries")
    return {
        table: [
            int(count)
            for count in cluster.execute(
                f"SELECT count() FROM otel_shard.{table} {'FINAL' if table in FOLDED else ''}"  # noqa: S608
            )
        ]
        for table in tables
    }


def test_what_belongs_to_a_trace_is_on_its_shard(cluster: OwnCluster, database: ClusterDatabase):
    traces, logs = calls_and_ratings()
    store(database, *traces)
    store(database, *logs)
    called = each_shard(cluster, "TraceId", "llm_call_spans")
    assert all(called)
    assert not called[0] & called[1]
    for expression, table in (
        ("TargetTraceId", "rating_deliveries"),
        ("TraceId", "otel_logs"),
        ("TraceId", "llm_calls"),
        ("TraceId", "rated_llm_calls"),
        ("TraceId", "rated_traces"),
    ):
        assert each_shard(cluster, expression, table) == called, table
    carried = each_shard(cluster, "TraceId", "otel_traces")
    assert sum(map(len, carried)) == 2 * COUNT


def test_a_rating_that_comes_by_two_shards_is_counted_once(database: ClusterDatabase):
    traces, logs = calls_and_ratings()
    store(database, *logs)
    store(database, *traces)
    assert database.query("SELECT State, count() AS Ratings FROM feedback GROUP BY State") == [
        {"State": LINKED, "Ratings": COUNT}
    ]
    for view in ("feedback_events", "rated_llm_calls", "rated_traces", "rated_sessions"):
        (row,) = database.query(f"SELECT count() AS Rows, uniqExact(FeedbackId) AS Ratings FROM {view}")  # noqa: S608
        assert row == {"Rows": COUNT, "Ratings": COUNT}, view
    counted = "SELECT sum(Calls) AS Calls, sum(Ratings) AS Ratings, sum(Positive) AS Positive FROM {}"
    for view in ("traces", "sessions"):
        assert database.query(counted.format(view)) == [{"Calls": COUNT, "Ratings": COUNT, "Positive": COUNT}], view


def test_both_shards_send_ratings_to_each_other_in_one_insert(cluster: OwnCluster, database: ClusterDatabase):
    traces, _ = calls_and_ratings()
    store(database, *traces)
    called = each_shard(cluster, "TraceId", "llm_call_spans")
    assert each_shard(cluster, "TargetTraceId", "rating_deliveries") == called
    assert database.query("SELECT count() AS Ratings FROM rated_llm_calls") == [{"Ratings": COUNT}]


def test_every_node_answers_the_same(cluster: OwnCluster, database: ClusterDatabase):
    traces, logs = calls_and_ratings()
    store(database, *traces)
    store(database, *logs)
    for view in ("feedback", "rated_llm_calls", "traces", "sessions", "users", "rated_sessions"):
        one, other = cluster.execute(f"SELECT * FROM otel.{view} ORDER BY ALL")  # noqa: S608
        assert one == other != "", view


def test_the_same_segments_again_add_nothing_to_any_shard(cluster: OwnCluster, database: ClusterDatabase):
    traces, logs = calls_and_ratings()
    for _ in range(3):
        store(database, *traces, token="spans")
        store(database, *logs, token="records")
        stored = rows(cluster)
        assert {table: sum(counts) for table, counts in stored.items()} == {
            "otel_traces": 2 * COUNT,
            "otel_logs": COUNT,
            "llm_call_spans": COUNT,
            "otel_traces_trace_id_ts": 2 * COUNT,
            "rating_deliveries": COUNT,
        }


def test_a_refused_segment_is_forgotten_by_every_shard(cluster: OwnCluster, database: ClusterDatabase):
    traces, logs = calls_and_ratings()
    kept = store(database, Call().request())
    store(database, *traces, token="spans")
    store(database, *logs, token="records")
    database.forget_segment("traces", "spans")
    database.forget_segment("logs", "records")
    assert {row["Segment"] for row in database.query("SELECT Segment FROM otel_traces")} == {kept}
    assert sum(rows(cluster)["llm_call_spans"]) == 1
    assert rows(cluster)["otel_logs"] == rows(cluster)["rating_deliveries"] == [0, 0]


@pytest.mark.parametrize("signal", ["traces", "logs"])
@pytest.mark.parametrize("shard", SHARDS)
def test_a_shard_that_has_a_segment_and_forgot_its_token_is_left_out(
    cluster: OwnCluster, database: ClusterDatabase, signal: str, shard: int
):
    """As after the power loss of a whole cluster while a segment was on its way to the other shard."""
    requests = dict(zip(("traces", "logs"), calls_and_ratings(), strict=True))[signal]
    # A log record without a trace goes where its time says.
    requests += (
        [Submission(id=f"of-no-trace-{n}", at=n + 10**18).log() for n in range(COUNT)] if signal == "logs" else []
    )
    table = f"otel_{signal}"
    store(database, *requests, token="in-doubt")
    assert database.segment_is_stored(signal, "in-doubt")
    complete = rows(cluster)[table]
    assert all(complete)
    for statement in FORGET_TOKENS:
        cluster.execute(statement.format(table))
    cluster.nodes[2 - shard].execute(f"TRUNCATE TABLE otel_shard.{table}")
    assert not database.segment_is_stored(signal, "in-doubt")
    store(database, *requests, token="in-doubt")
    assert rows(cluster)[table] == complete
    assert database.segment_is_stored(signal, "in-doubt")


def test_a_trace_can_be_looked_up_on_its_shard_alone(database: ClusterDatabase):
    call = Call()
    store(database, call.request(), Submission(call).carrier())
    only = {"optimize_skip_unused_shards": 1, "force_optimize_skip_unused_shards": 2}
    for table in ("otel_traces", "llm_calls", "traces", "rated_llm_calls"):
        found = f"SELECT count() AS Rows FROM {table} WHERE TraceId = {{trace:String}}"  # noqa: S608
        (row,) = database.query(found, {"trace": call.trace_id.hex()})
        assert row["Rows"] == (2 if table == "otel_traces" else 1)
        # The ratings that a view asks for beside the trace are those of all traces.
        needed = only if table in {"otel_traces", "llm_calls"} else {"optimize_skip_unused_shards": 1}
        assert database.query(found, {"trace": call.trace_id.hex()}, settings=needed) == [row]
    with pytest.raises(DatabaseError, match="UNABLE_TO_SKIP_UNUSED_SHARDS"):
        database.query("SELECT count() FROM otel_traces", settings=only)


def test_a_trace_on_another_shard_than_its_key_says_is_found_with_its_rating(
    cluster: OwnCluster, database: ClusterDatabase
):
    """As after a shard was added: what was there stays where it is, and new ratings of it go elsewhere."""
    call = Call(session="s")
    store(database, call.request())
    places = rows(cluster)["otel_traces"]
    home, other = (1, 0) if places[1] else (0, 1)
    moving = "INSERT INTO otel_shard.otel_traces SELECT * FROM otel.otel_traces"
    cluster.nodes[other].execute(moving)
    for table in ("otel_traces", "otel_traces_trace_id_ts", "llm_call_spans"):
        cluster.nodes[home].execute(f"TRUNCATE TABLE otel_shard.{table}")
    store(database, Submission(call).log())
    assert rows(cluster)["rating_deliveries"] == places
    assert database.query("SELECT State FROM feedback") == [{"State": LINKED}]
    trace = {"trace": call.trace_id.hex()}
    for view in ("rated_llm_calls", "rated_traces", "traces"):
        counted = f"SELECT count() AS Rows FROM {view} WHERE TraceId = {{trace:String}}"  # noqa: S608
        assert database.query(counted, trace) == [{"Rows": 1}], view


def test_carriers_of_one_submission_that_name_different_traces_are_two_ratings(database: ClusterDatabase):
    """What docs/cluster.md says of something that takes the trace from a carrier on its way."""
    carriers = []
    for n in range(10):
        submission = Submission(Call(), id=f"id-{n}", session="s", rater=f"rater-{n}")
        carriers.append(submission)
        store(database, submission.carrier())
        log = submission.log()
        log.resource_logs[0].scope_logs[0].log_records[0].trace_id = b""
        store(database, log)
    (row,) = database.query("SELECT count() AS Ratings FROM feedback")
    assert len(carriers) < row["Ratings"] < 2 * len(carriers), "those of which both are on one shard are one"


def test_what_a_collector_inserts_over_all_shards_is_as_what_the_service_does(
    cluster: OwnCluster, database: ClusterDatabase
):
    traces, _ = calls_and_ratings()
    store(database, *traces)
    all_rows = "SELECT * FROM {} ORDER BY ALL"
    shown = [all_rows.format(view) for view in ("llm_calls", "rated_llm_calls", "sessions", "traces")]
    shown.append("SELECT * EXCEPT (ReceivedTime) FROM feedback ORDER BY ALL")
    through_us = [database.query(each) for each in shown]
    assert all(through_us)
    node = cluster.nodes[1]
    exported = httpx.post(node.http_url, content=EXPORT).content
    empty(database)
    answer = httpx.post(node.http_url, params={"query": INSERT_AS_EXPORTER}, content=exported)
    assert answer.status_code == 200, answer.text
    for table in ("otel_traces", "rating_deliveries"):
        cluster.execute(f"SYSTEM FLUSH DISTRIBUTED otel.{table}")
    assert [database.query(each) for each in shown] == through_us


def test_a_part_of_a_trace_that_comes_later_finds_its_shard(cluster: OwnCluster, database: ClusterDatabase):
    first = Call(session="s")
    for _ in range(5):
        later = Call(trace_id=first.trace_id, session="s")
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "segment"
            path.write_bytes(segment_bytes([later.request().SerializeToString()]))
            database.insert_segment("traces", path, f"segment-{later.span_id.hex()}")
    store(database, first.request())
    assert sorted(rows(cluster)["llm_call_spans"]) == [0, 6]
    assert database.query("SELECT Calls, Traces FROM sessions") == [{"Calls": 6, "Traces": 1}]


def test_each_shard_deletes_what_has_expired_and_keeps_what_any_shard_has_rated(database: ClusterDatabase):
    now = NOON // SECOND
    old = [Call(at=NOON - 40 * DAY) for _ in range(COUNT)]
    in_session = [Call(at=NOON - 40 * DAY, session="rated") for _ in range(COUNT)]
    young = [Call(at=NOON - DAY) for _ in range(COUNT)]
    rated = Call(at=NOON - 40 * DAY, response_id="r-1")
    store(database, *(call.request() for call in [*old, *in_session, *young, rated]))
    store(
        database,
        Submission(None, id="by response", response_id="r-1", at=NOON).log(),
        Submission(None, id="of session", scope="session", session="rated", at=NOON).log(),
    )
    counted = {each.table: each.removed for each in sweep(database, Settings.load({}), now_unix=now, dry_run=True)}
    removed = {each.table: each.removed for each in sweep(database, Settings.load({}), now_unix=now)}
    assert removed == counted
    assert {table: rows for table, rows in removed.items() if rows} == {
        "llm_call_spans": COUNT,
        "otel_traces_trace_id_ts": COUNT,
        "otel_traces": COUNT,
    }
    left = {row["TraceId"] for row in database.query("SELECT TraceId FROM otel_traces")}
    assert left == {call.trace_id.hex() for call in [*in_session, *young, rated]}
    assert not any(each.removed for each in sweep(database, Settings.load({}), now_unix=now))


def test_erasing_a_person_is_refused_with_what_to_do(database: ClusterDatabase):
    with pytest.raises(ConfigurationError, match=r"docs/cluster\.md"):
        erase(database, ["u-7"])
