"""What HyperDX asks of OpenTelemetry's tables is answered by ours.

Written by hand after what version 2.36.0 asks with its own defaults. No server of its own is needed: it sends SQL and
reads columns by name.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tests.integration.clickhouse.conftest import empty
from tests.support.shown_shop import LINE, PERIOD, RATED, SPANS, TRACE, spans_of_trace, store_shop

from otel_feedback.clickhouse.cluster import ClusterDatabase
from otel_feedback.clickhouse.database import Database

# Both ends of HyperDX's time range; the first two lines are what it adds for a sorting key that begins like ours.
IN_HYPERDX_TIME = """
    (toStartOfFiveMinutes(Timestamp) >= toStartOfFiveMinutes(fromUnixTimestamp64Milli({start:Int64}))
        AND toStartOfFiveMinutes(Timestamp) <= toStartOfFiveMinutes(fromUnixTimestamp64Milli({end:Int64})))
    AND (Timestamp >= fromUnixTimestamp64Milli({start:Int64}) AND Timestamp <= fromUnixTimestamp64Milli({end:Int64}))
"""


@pytest.fixture(scope="module")
def shop(engine: Database) -> Iterator[Database]:
    empty(engine)
    store_shop(engine)
    yield engine
    empty(engine)


def hyperdx(database: Database, statement: str, **parameters: Any) -> list[dict[str, Any]]:
    return [dict(row) for row in database.query(statement, parameters)]


@pytest.mark.parametrize(
    ("table", "columns"),
    [
        (
            "otel_traces",
            {
                "Timestamp", "SpanName", "Duration", "SpanKind", "TraceId", "SpanId", "ParentSpanId", "ServiceName",
                "SpanAttributes", "ResourceAttributes", "StatusCode", "StatusMessage", "Events.Timestamp",
                "Links.TraceId",
            },
        ),
        (
            "otel_logs",
            {
                "Timestamp", "Body", "SeverityText", "TraceId", "SpanId", "ServiceName", "LogAttributes",
                "ResourceAttributes",
            },
        ),
    ],
)  # fmt: skip
def test_hyperdx_recognizes_the_tables(shop: Database, table: str, columns: set[str]):
    """It fills a source's form by itself where these columns are, and takes the time from the sorting key."""
    assert columns <= {row["name"] for row in hyperdx(shop, f"DESCRIBE {table}")}
    (row,) = hyperdx(
        shop,
        "SELECT primary_key FROM system.tables WHERE database = currentDatabase() AND name = {table:String}",
        table=table,
    )
    # A table over all shards has no key; there people name the column of the time themselves.
    has_key = not isinstance(shop, ClusterDatabase)
    assert row["primary_key"].startswith("toStartOfFiveMinutes(Timestamp), ") == has_key


def test_hyperdx_searches_spans(shop: Database):
    rows = hyperdx(
        shop,
        f"""
        SELECT
            Timestamp, ServiceName AS service, StatusCode AS level, round(Duration / 1e6) AS duration, SpanName,
            TraceId, SpanId
        FROM otel_traces
        WHERE {IN_HYPERDX_TIME} AND ((hasToken(lower(SpanName), lower('chat'))))
            AND (`SpanAttributes`['gen_ai.request.model'] = 'shop-assistant-large')
        ORDER BY toStartOfFiveMinutes(Timestamp) DESC, Timestamp DESC LIMIT 200 OFFSET 0
        """,  # noqa: S608
        **PERIOD,
    )
    wanted = [span for span in SPANS if span.name == "chat shop-assistant-large"]
    assert sorted(row["SpanId"] for row in rows) == sorted(span.span_id.hex() for span in wanted)


def test_hyperdx_draws_a_trace_with_its_events_and_log_lines(shop: Database):
    spans = hyperdx(
        shop,
        f"""
        SELECT
            SpanName AS Body, Timestamp, SpanId, ServiceName, (Duration)/1e9 AS Duration, ParentSpanId, StatusCode,
            SpanAttributes, Events AS SpanEvents
        FROM otel_traces
        WHERE {IN_HYPERDX_TIME} AND (TraceId = {{trace:String}})
        ORDER BY Timestamp ASC, SpanId ASC LIMIT 50000
        """,  # noqa: S608
        trace=TRACE,
        **PERIOD,
    )
    assert [row["SpanId"] for row in spans] == [span.span_id.hex() for span in spans_of_trace()]
    (rating,) = (row for row in spans if row["SpanId"] == RATED.span_id.hex())
    (event,) = rating["SpanEvents"]
    assert event["Name"] == "gen_ai.evaluation.result"
    (line,) = hyperdx(
        shop,
        f"""
        SELECT Body, Timestamp, SpanId, ServiceName, SeverityText
        FROM otel_logs
        WHERE {IN_HYPERDX_TIME} AND (TraceId = {{trace:String}}) LIMIT 50000
        """,  # noqa: S608
        trace=TRACE,
        **PERIOD,
    )
    assert (line["Body"], line["SeverityText"]) == (LINE, "WARN")


def test_hyperdx_opens_a_row_and_its_exceptions(shop: Database):
    (row,) = hyperdx(
        shop,
        """
        SELECT
            *, Timestamp AS __hdx_timestamp, SpanName AS __hdx_body, TraceId AS __hdx_trace_id,
            Events.Attributes[indexOf(Events.Name, 'exception')] AS __hdx_events_exception_attributes,
            Events AS __hdx_span_events, Links AS __hdx_span_links
        FROM otel_traces
        WHERE TraceId = {trace:String} AND SpanId = {span:String} LIMIT 1
        """,
        trace=TRACE,
        span=RATED.span_id.hex(),
    )
    assert [link["SpanId"] for link in row["__hdx_span_links"]] == [RATED.links[0].span_id.hex()]


def test_hyperdx_opens_a_row_of_its_search_by_all_that_it_showed(shop: Database):
    """It has no key to ask by: the moment is compared to the nanosecond, and attributes as a whole."""
    (shown,) = hyperdx(
        shop,
        """
        SELECT
            concat(replaceOne(toString(Timestamp, 'UTC'), ' ', 'T'), 'Z') AS moment,
            toJSONString(SpanAttributes) AS attributes, toTypeName(SpanAttributes) AS type
        FROM otel_traces WHERE TraceId = {trace:String} AND SpanId = {span:String}
        """,
        trace=TRACE,
        span=RATED.span_id.hex(),
    )
    (row,) = hyperdx(
        shop,
        """
        SELECT SpanId FROM otel_traces
        WHERE Timestamp = parseDateTime64BestEffort({moment:String}, 9) AND ServiceName = 'shop-assistant'
            AND SpanName = 'user_feedback thumbs' AND StatusCode = 'Unset'
            AND SpanAttributes = JSONExtract({attributes:String}, {type:String})
        LIMIT 1
        """,
        **shown,
    )
    assert row["SpanId"] == RATED.span_id.hex()


def test_hyperdx_draws_counts_over_time(shop: Database):
    rows = hyperdx(
        shop,
        f"""
        SELECT
            count() AS spans, quantile(0.95)(Duration) AS p95, ServiceName,
            toStartOfInterval(toDateTime(Timestamp), INTERVAL 1 day) AS `__hdx_time_bucket`
        FROM otel_traces
        WHERE {IN_HYPERDX_TIME}
        GROUP BY ServiceName, toStartOfInterval(toDateTime(Timestamp), INTERVAL 1 day) AS `__hdx_time_bucket`
        ORDER BY toStartOfInterval(toDateTime(Timestamp), INTERVAL 1 day) AS `__hdx_time_bucket` LIMIT 100000
        """,  # noqa: S608
        **PERIOD,
    )
    assert sum(row["spans"] for row in rows) == len(SPANS)


def test_hyperdx_finds_attributes_and_their_values(shop: Database):
    (row,) = hyperdx(
        shop,
        """
        WITH sampledKeys AS (SELECT getSubcolumn(SpanAttributes, 'keys') AS keys FROM otel_traces LIMIT 1000000)
        SELECT groupUniqArrayArray(1000)(keys) AS keysArr FROM sampledKeys
        """,
    )
    assert {"gen_ai.request.model", "session.id"} <= set(row["keysArr"])
    (values,) = hyperdx(
        shop,
        f"""
        WITH sampledData AS (
            SELECT SpanAttributes['gen_ai.prompt.version'] AS param0, ServiceName AS param1 FROM otel_traces
            WHERE {IN_HYPERDX_TIME} LIMIT 1000000
        )
        SELECT groupUniqArray(20)(param0) AS param0, groupUniqArray(20)(param1) AS param1 FROM sampledData
        """,  # noqa: S608
        **PERIOD,
    )
    assert {"v1", "v2"} <= set(values["param0"])
    assert values["param1"] == ["shop-assistant"]


def test_hyperdx_draws_its_map_of_services(shop: Database):
    columns = "TraceId AS traceId, SpanId AS spanId, ServiceName AS serviceName, ParentSpanId AS parentSpanId, "
    rows = hyperdx(
        shop,
        f"""
        WITH
            ServerSpans AS (
                SELECT {columns} StatusCode AS statusCode, Duration AS duration FROM otel_traces
                WHERE {IN_HYPERDX_TIME} AND (cityHash64(TraceId) % 1 = 0) AND SpanKind IN ('Server', 'Consumer')
            ),
            ClientSpans AS (
                SELECT {columns} StatusCode AS statusCode, Duration AS duration FROM otel_traces
                WHERE {IN_HYPERDX_TIME} AND (cityHash64(TraceId) % 1 = 0) AND SpanKind IN ('Client', 'Producer')
            )
        SELECT
            ServerSpans.serviceName AS server, ClientSpans.serviceName AS client,
            GROUPING(ClientSpans.serviceName) AS isNodeLevel, count(*) AS requests,
            countIf(ServerSpans.statusCode = 'Error') AS errors, quantiles(0.5, 0.95)(ServerSpans.duration) AS quantiles
        FROM ServerSpans
        LEFT JOIN ClientSpans
            ON ServerSpans.traceId = ClientSpans.traceId AND ServerSpans.parentSpanId = ClientSpans.spanId
        WHERE (ClientSpans.serviceName IS NULL OR ServerSpans.serviceName != ClientSpans.serviceName)
        GROUP BY GROUPING SETS ((ServerSpans.serviceName, ClientSpans.serviceName), (ServerSpans.serviceName))
        ORDER BY server, isNodeLevel, client
        """,  # noqa: S608
        **PERIOD,
    )
    roots = [span for span in SPANS if span.name == "POST /api/chat"]
    assert {(row["server"], row["requests"]) for row in rows} == {("shop-assistant", len(roots))}
    assert {row["errors"] for row in rows} == {sum(span.status.code == 2 for span in roots)}


def test_hyperdx_reads_ratings_as_a_source_of_logs(shop: Database):
    """With the columns that docs/sql.md says to fill in."""
    rows = hyperdx(
        shop,
        """
        SELECT Time, ServiceName, Label, Name, Comment, TraceId, SpanId
        FROM feedback
        WHERE (Time >= fromUnixTimestamp64Milli({start:Int64}) AND Time <= fromUnixTimestamp64Milli({end:Int64}))
            AND ((hasToken(lower(Comment), lower('order'))))
        ORDER BY Time DESC LIMIT 200 OFFSET 0
        """,
        **PERIOD,
    )
    assert rows
    assert all("order" in row["Comment"].lower() for row in rows)
