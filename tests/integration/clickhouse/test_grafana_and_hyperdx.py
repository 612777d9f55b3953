"""What Grafana's ClickHouse data source and HyperDX ask of OpenTelemetry's tables is answered by ours.

Written by hand after what these ask with their own defaults: Grafana's plugin 4.20.0 (its OpenTelemetry columns 1.3.0
and the older 1.2.9) and HyperDX 2.36.0. No server of theirs is needed: both send SQL and read columns by name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from tests.integration.clickhouse.conftest import empty
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

# Both ends of HyperDX's time range; the first two lines are what it adds for a sorting key that begins like ours.
IN_HYPERDX_TIME = """
    (toStartOfFiveMinutes(Timestamp) >= toStartOfFiveMinutes(fromUnixTimestamp64Milli({start:Int64}))
        AND toStartOfFiveMinutes(Timestamp) <= toStartOfFiveMinutes(fromUnixTimestamp64Milli({end:Int64})))
    AND (Timestamp >= fromUnixTimestamp64Milli({start:Int64}) AND Timestamp <= fromUnixTimestamp64Milli({end:Int64}))
"""


@pytest.fixture(scope="module")
def shop(engine: Database) -> Iterator[Database]:
    """The shop's two weeks with a line of the app's log in a rated trace."""
    empty(engine)
    fill_with_shop(engine)
    request = log_request(LINE, **{"log.iostream": "stderr"})
    record = request.resource_logs[0].scope_logs[0].log_records[0]
    record.time_unix_nano, record.severity_text, record.severity_number = (
        spans_of_trace()[0].start_time_unix_nano,
        "WARN",
        13,
    )
    record.trace_id, record.span_id = RATED.trace_id, spans_of_trace()[0].span_id
    store(engine, request)
    yield engine
    empty(engine)


def spans_of_trace() -> list[Span]:
    """In the order in which they began."""
    found = [span for span in SPANS if span.trace_id == RATED.trace_id]
    return sorted(found, key=lambda span: (span.start_time_unix_nano, span.span_id))


def text_of(value: AnyValue) -> str:
    return value.string_value


def in_grafana(statement: str) -> str:
    """The statement as the plugin sends it: its macros filled with a time range, and steps of a day."""
    filled = statement.replace("$__fromTime", f"toDateTime({SINCE})").replace("$__toTime", f"toDateTime({UNTIL})")
    filled = re.sub(r"\$__timeFilter\((\w+)\)", rf"\1 >= toDateTime({SINCE}) AND \1 <= toDateTime({UNTIL})", filled)
    return re.sub(r"\$__timeInterval\((\w+)\)", r"toStartOfInterval(toDateTime(\1), INTERVAL 86400 second)", filled)


def grafana(database: Database, statement: str) -> list[dict[str, Any]]:
    return [dict(row) for row in database.query(in_grafana(statement))]


def hyperdx(database: Database, statement: str, **parameters: Any) -> list[dict[str, Any]]:
    return [dict(row) for row in database.query(statement, parameters)]


GRAFANA_TRACE_COLUMNS = """
    "TraceId" AS traceID,
    "SpanId" AS spanID,
    "ParentSpanId" AS parentSpanID,
    "ServiceName" AS serviceName,
    "SpanName" AS operationName,
    multiply(toUnixTimestamp64Nano("Timestamp"), 0.000001) AS startTime,
    multiply("Duration", 0.000001) AS duration,
    arrayMap(name -> map('key', name, 'value', "SpanAttributes"[name]), mapKeys("SpanAttributes")) AS tags,
    arrayMap(name -> map('key', name, 'value', "ResourceAttributes"[name]), mapKeys("ResourceAttributes"))
        AS serviceTags,
    if("StatusCode" IN ('Error', 'STATUS_CODE_ERROR'), 2, 0) AS statusCode,
    arrayMap(
        (event, moment, fields) -> tuple(
            event,
            toString(toUnixTimestamp64Milli(moment)),
            arrayMap(name -> map('key', name, 'value', fields[name]), mapKeys(fields))
        )::Tuple(name String, timestamp String, fields Array(Map(String, String))),
        "Events".Name, "Events".Timestamp, "Events".Attributes
    ) AS logs,
    arrayMap(
        (other, span, fields) -> tuple(
            other, span, arrayMap(name -> map('key', name, 'value', fields[name]), mapKeys(fields))
        )::Tuple(traceID String, spanID String, tags Array(Map(String, String))),
        "Links".TraceId, "Links".SpanId, "Links".Attributes
    ) AS references,
    "SpanKind" AS kind,
    "StatusMessage" AS statusMessage,
    "TraceState" AS traceState
"""


@pytest.mark.parametrize("is_narrowed", [True, False], ids=["with the table of trace times", "without it"])
def test_grafanas_trace_panel_shows_a_trace_with_its_ratings(shop: Database, is_narrowed: bool):
    narrowing = f"""
        WITH
            '{TRACE}' AS __gf_trace_id,
            (SELECT min(Start) FROM "otel_traces_trace_id_ts" WHERE TraceId = __gf_trace_id) AS __gf_trace_start,
            (SELECT max(End) + 1 FROM "otel_traces_trace_id_ts" WHERE TraceId = __gf_trace_id) AS __gf_trace_end
    """  # noqa: S608
    condition = (
        'traceID = __gf_trace_id AND "Timestamp" >= __gf_trace_start AND "Timestamp" <= __gf_trace_end'
        if is_narrowed
        else f"traceID = '{TRACE}'"
    )
    rows = grafana(
        shop,
        f'{narrowing if is_narrowed else ""} SELECT {GRAFANA_TRACE_COLUMNS} FROM "otel_traces" '  # noqa: S608
        f'WHERE {condition} ORDER BY "Timestamp" ASC, spanID ASC',
    )
    spans = spans_of_trace()
    assert [row["spanID"] for row in rows] == [span.span_id.hex() for span in spans]
    assert [row["parentSpanID"] for row in rows] == [span.parent_span_id.hex() for span in spans]
    for row, span in zip(rows, spans, strict=True):
        assert row["operationName"] == span.name
        assert row["startTime"] == pytest.approx(span.start_time_unix_nano / MILLISECOND, abs=1)
        assert row["duration"] == pytest.approx((span.end_time_unix_nano - span.start_time_unix_nano) / MILLISECOND)
        tags = {tag["key"]: tag["value"] for tag in row["tags"]}
        texts = {each.key: text_of(each.value) for each in span.attributes if each.value.HasField("string_value")}
        assert texts.items() <= tags.items()
        assert {"key": "service.name", "value": "shop-assistant"} in row["serviceTags"]
        assert len(row["logs"]) == len(span.events)
        assert [link["spanID"] for link in row["references"]] == [link.span_id.hex() for link in span.links]
    (rating,) = (row for row in rows if row["spanID"] == RATED.span_id.hex())
    (event,) = rating["logs"]
    assert event["name"] == "gen_ai.evaluation.result"
    assert {"key": "gen_ai.evaluation.name", "value": "thumbs"} in event["fields"]


def test_grafanas_trace_search_lists_root_spans(shop: Database):
    rows = grafana(
        shop,
        """
        SELECT
            "TraceId" AS traceID, "ServiceName" AS serviceName, "SpanName" AS operationName, "Timestamp" AS startTime,
            multiply("Duration", 0.000001) AS duration
        FROM "otel_traces"
        WHERE ( "Timestamp" >= $__fromTime AND "Timestamp" <= $__toTime ) AND ( "ParentSpanId" = '' )
            AND ( "SpanAttributes"['http.route'] = '/api/chat' ) AND ( "Duration" > 0 )
        ORDER BY "Timestamp" DESC, duration DESC LIMIT 1000
        """,
    )
    roots = [span for span in SPANS if span.name == "POST /api/chat"]
    assert sorted(row["traceID"] for row in rows) == sorted(span.trace_id.hex() for span in roots)


def test_grafanas_logs_panel_shows_the_lines_of_a_trace(shop: Database):
    (row,) = grafana(
        shop,
        f"""
        SELECT
            "Timestamp" AS "timestamp", "Body" AS "body", "SeverityText" AS "level", "TraceId" AS "traceID",
            "ResourceAttributes", "ScopeAttributes", "LogAttributes"
        FROM "otel_logs"
        WHERE ( "timestamp" >= $__fromTime AND "timestamp" <= $__toTime ) AND ( "traceID" = '{TRACE}' )
            AND ("body" LIKE '%cache miss%')
        ORDER BY "timestamp" DESC LIMIT 1000
        """,  # noqa: S608
    )
    assert list(row)[:4] == ["timestamp", "body", "level", "traceID"]
    assert (row["body"], row["level"]) == (LINE, "WARN")
    assert row["LogAttributes"] == {"log.iostream": "stderr"}


def test_grafanas_log_volume_counts_lines_by_level(shop: Database):
    rows = grafana(
        shop,
        """
        SELECT
            $__timeInterval(Timestamp) AS "time",
            sum(toString("SeverityText") IN ('warn', 'warning', 'WARN', 'WARNING', 'Warn', 'Warning')) AS warn,
            sum(toString("SeverityText") IN ('error', 'ERROR', 'Error')) AS error
        FROM "otel_logs"
        WHERE $__timeFilter(Timestamp)
        GROUP BY time ORDER BY time ASC
        """,
    )
    assert [(row["warn"], row["error"]) for row in rows] == [(1, 0)]


def test_grafana_sees_that_the_logs_are_of_the_newest_layout(shop: Database):
    """The column TimestampTime alone tells the older one, which the plugin would ask for it."""
    columns = {row["name"] for row in grafana(shop, "SELECT name FROM system.columns WHERE table = 'otel_logs'")}
    assert "Timestamp" in columns
    assert "TimestampTime" not in columns


def test_grafanas_editor_finds_attributes_and_their_values(shop: Database):
    keys = grafana(shop, 'SELECT DISTINCT arrayJoin(mapKeys("SpanAttributes")) AS keys FROM "otel_traces" LIMIT 1000')
    assert {"gen_ai.request.model", "session.id"} <= {row["keys"] for row in keys}
    values = grafana(
        shop,
        """
        SELECT DISTINCT "SpanAttributes"['gen_ai.request.model'] AS value FROM "otel_traces"
        WHERE mapContains("SpanAttributes", 'gen_ai.request.model') LIMIT 1000
        """,
    )
    assert {row["value"] for row in values} == {
        "shop-assistant-small",
        "shop-assistant-large",
        "shop-assistant-thinking",
    }


def test_a_grafana_panel_draws_satisfaction_over_time(shop: Database):
    rows = grafana(
        shop,
        """
        SELECT
            $__timeInterval(Time) AS time,
            countIf(Label = 'positive') / nullIf(countIf(Label IN ('positive', 'negative')), 0) AS satisfaction
        FROM feedback
        WHERE $__timeFilter(Time) AND Source = 'end_user'
        GROUP BY time ORDER BY time
        """,
    )
    assert len(rows) == 14
    assert all(0 <= row["satisfaction"] <= 1 for row in rows)


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
    assert row["primary_key"].startswith("toStartOfFiveMinutes(Timestamp), ")


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
