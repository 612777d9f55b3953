"""What Grafana's ClickHouse data source asks of OpenTelemetry's tables is answered by ours.

Written by hand after what version 4.20.0 asks with its own defaults (its OpenTelemetry columns 1.3.0 and the older
1.2.9). No server of Grafana's is needed: it sends SQL and reads columns by name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from tests.integration.clickhouse.conftest import empty
from tests.support.shown_shop import LINE, MILLISECOND, RATED, SINCE, SPANS, TRACE, UNTIL, spans_of_trace, store_shop

from otel_feedback.clickhouse.database import Database


@pytest.fixture(scope="module")
def shop(engine: Database) -> Iterator[Database]:
    empty(engine)
    store_shop(engine)
    yield engine
    empty(engine)


def text_of(value: AnyValue) -> str:
    return value.string_value


def in_grafana(statement: str) -> str:
    """The statement as the plugin sends it: its macros filled with a time range, and steps of a day."""
    filled = statement.replace("$__fromTime", f"toDateTime({SINCE})").replace("$__toTime", f"toDateTime({UNTIL})")
    filled = re.sub(r"\$__timeFilter\((\w+)\)", rf"\1 >= toDateTime({SINCE}) AND \1 <= toDateTime({UNTIL})", filled)
    return re.sub(r"\$__timeInterval\((\w+)\)", r"toStartOfInterval(toDateTime(\1), INTERVAL 86400 second)", filled)


def grafana(database: Database, statement: str) -> list[dict[str, Any]]:
    return [dict(row) for row in database.query(in_grafana(statement))]


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
