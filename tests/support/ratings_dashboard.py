"""``deploy/grafana/ratings.json``: the questions of ``otel-feedback report`` as panels of Grafana, asked of ClickHouse.

``OTEL_FEEDBACK_WRITE_GRAFANA=1 pytest tests/integration/clickhouse/test_grafana_ratings.py`` writes the file anew.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from otel_feedback.clickhouse import questions

FILE: Final = Path(__file__).parents[2] / "deploy" / "grafana" / "ratings.json"
PLUGIN: Final = "grafana-clickhouse-datasource"
SERVICE: Final = "${service:sqlstring}"
"""What the reader types, a service or nothing for all, as Grafana writes it into SQL: quoted and escaped."""
_WIDTH: Final = 24
_TABLE: Final = 1
"""The data source's number for a table; 2 is a time series' in wide form."""

_TOTALS: Final = """\
-- How satisfied are people, how many of them said so, and how many answers were rated?
SELECT
    countIf(Label = 'positive') / nullIf(countIf(Label IN ('positive', 'negative')), 0) AS Satisfaction,
    count() AS Ratings,
    uniqExact(TraceId, SpanId) / nullIf((
        SELECT count()
        FROM llm_calls
        WHERE Timestamp >= $__fromTime
            AND Timestamp < $__toTime
            AND (${service:sqlstring} = '' OR ServiceName = ${service:sqlstring})
    ), 0) AS ResponseRate
FROM rated_llm_calls
WHERE Timestamp >= $__fromTime
    AND Timestamp < $__toTime
    AND Source = 'end_user'
    AND (${service:sqlstring} = '' OR ServiceName = ${service:sqlstring})
"""
_STATES: Final = """\
-- Do ratings find what they rate?
SELECT State, count() AS Ratings
FROM feedback
WHERE Time >= $__fromTime
    AND Time < $__toTime
    AND (${service:sqlstring} = '' OR ServiceName = ${service:sqlstring})
GROUP BY State
ORDER BY State
"""


def dashboard() -> dict[str, Any]:
    """The whole of the file."""
    panels = [
        _stat("Satisfaction", "Satisfaction", "percentunit", 0),
        _stat("Ratings", "Ratings", "short", 1),
        _stat("Answers that were rated", "ResponseRate", "percentunit", 2),
        _table("Do ratings find what they rate?", _STATES, 18, 0, 6, 5),
        _by_day(),
        _of_question("satisfaction_changes", 0, 14, _WIDTH, 8),
        _of_question("satisfaction_by_model", 0, 22, 12, 8),
        _of_question("satisfaction_by_prompt_version", 12, 22, 12, 8),
        _of_question("satisfaction_by_service", 0, 30, 12, 8),
        _of_question("users_turning_unhappy", 12, 30, 12, 8),
        _negatives(),
    ]
    return {
        "title": "otel-feedback: ratings",
        "uid": "otel-feedback-ratings",
        "description": "What people think of the answers, with 95 % intervals (Low, High) and how many said so.",
        "tags": ["otel-feedback"],
        "schemaVersion": 39,
        "editable": True,
        "refresh": "5m",
        "time": {"from": "now-14d", "to": "now"},
        "timezone": "browser",
        "templating": {
            "list": [
                {"name": "datasource", "label": "Data source", "type": "datasource", "query": PLUGIN},
                {"name": "service", "label": "Service (empty: all)", "type": "textbox", "query": ""},
                {
                    "name": "dashboard",
                    "label": "otel-feedback's dashboard",
                    "type": "textbox",
                    "query": "http://127.0.0.1:4380",
                },
            ]
        },
        "panels": [{**panel, "id": number} for number, panel in enumerate(panels, 1)],
    }


def panel_statements() -> dict[str, str]:
    """What each panel asks, by its title."""
    return {panel["title"]: panel["targets"][0]["rawSql"] for panel in dashboard()["panels"]}


def _panel(title: str, kind: str, sql: str, place: tuple[int, int, int, int], **also: Any) -> dict[str, Any]:
    x, y, width, height = place
    source = {"type": PLUGIN, "uid": "${datasource}"}
    target = {
        "refId": "A",
        "datasource": source,
        "editorType": "sql",
        "queryType": "timeseries" if kind == "timeseries" else "table",
        "format": 0 if kind == "timeseries" else _TABLE,
        "rawSql": sql,
    }
    position = {"x": x, "y": y, "w": width, "h": height}
    return {"title": title, "type": kind, "datasource": source, "gridPos": position, "targets": [target], **also}


def _stat(title: str, column: str, unit: str, number: int) -> dict[str, Any]:
    shown = {"reduceOptions": {"calcs": ["lastNotNull"], "fields": f"/^{column}$/"}, "colorMode": "none"}
    return _panel(
        title, "stat", _TOTALS, (number * 6, 0, 6, 5), options=shown, fieldConfig={"defaults": {"unit": unit}}
    )


def _table(title: str, sql: str, x: int, y: int, width: int, height: int, **also: Any) -> dict[str, Any]:
    shares = {
        "matcher": {"id": "byRegexp", "options": "Satisfaction.*|Low|High|ResponseRate|Change.*|Share.*"},
        "properties": [{"id": "unit", "value": "percentunit"}],
    }
    return _panel(
        title, "table", sql, (x, y, width, height), fieldConfig={"defaults": {}, "overrides": [shares]}, **also
    )


def _of_question(name: str, x: int, y: int, width: int, height: int) -> dict[str, Any]:
    return _table(_asks(name), _statement(name), x, y, width, height)


def _by_day() -> dict[str, Any]:
    shown = {"defaults": {"unit": "percentunit", "min": 0, "max": 1, "custom": {"showPoints": "always"}}}
    hidden = {
        "id": "filterFieldsByName",
        "options": {"include": {"names": ["Day", "Satisfaction", "Low", "High", "ResponseRate"]}},
    }
    return _panel(
        _asks("satisfaction_by_day"),
        "timeseries",
        _statement("satisfaction_by_day"),
        (0, 5, _WIDTH, 9),
        fieldConfig=shown,
        transformations=[hidden],
    )


def _negatives() -> dict[str, Any]:
    """Each leads to its trace on our own dashboard, where the rating stands beside the answer."""
    panel = _table(_asks("negatives"), _statement("negatives"), 0, 38, _WIDTH, 12)
    link = {
        "title": "Open in otel-feedback",
        "url": "${dashboard}/traces/${__data.fields.TraceId}",
        "targetBlank": True,
    }
    panel["fieldConfig"]["overrides"].append(
        {"matcher": {"id": "byName", "options": "TraceId"}, "properties": [{"id": "links", "value": [link]}]}
    )
    return panel


def _asks(name: str) -> str:
    asks = questions.find(name).asks
    return asks[0].upper() + asks[1:]


def _statement(name: str) -> str:
    """As ``otel-feedback report NAME --grafana`` prints it, with the service that the reader types."""
    question = questions.find(name)
    given = {"service": SERVICE} if any(each.name == "service" for each in question.parameters) else {}
    told = question.filled(question.values(given, datetime(2026, 1, 1, tzinfo=UTC)), questions.GRAFANA_TIMES)
    return told.replace(f"'{SERVICE}'", SERVICE)
