"""The service, docs/metrics.md, the alert rules and the Grafana dashboard name the same metrics."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.support.figures import kinds as kinds_in

from otel_feedback.clickhouse.connect import connect
from otel_feedback.service.run import Service
from otel_feedback.settings import Settings

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs" / "metrics.md").read_text()
ALERTS = yaml.safe_load((ROOT / "deploy" / "prometheus" / "alerts.yml").read_text())
DASHBOARD = json.loads((ROOT / "deploy" / "grafana" / "otel-feedback.json").read_text())
NAME = re.compile(r"\b(?:otel_feedback|process)_[a-z_]+")
OF_HISTOGRAMS = ("_bucket", "_sum", "_count")


@pytest.fixture(scope="module")
def kinds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The type of each metric that a service tells; it need not run for that."""
    data_dir = tmp_path_factory.mktemp("metrics")
    settings = Settings.load({"OTEL_FEEDBACK_DATA_DIR": str(data_dir), "OTEL_FEEDBACK_SIGNING_KEYS": "key"})
    text, _ = Service(settings, connect(settings.database_url))._telemetry.exposition()
    return kinds_in(text.decode())


def rules() -> list[dict[str, Any]]:
    return [rule for group in ALERTS["groups"] for rule in group["rules"]]


def panel_queries() -> list[str]:
    return [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]


def of_nothing(queries: list[str], kinds: dict[str, str]) -> set[str]:
    """The metrics in these PromQL queries that nobody tells."""
    series = {
        name + suffix for name, kind in kinds.items() for suffix in (OF_HISTOGRAMS if kind == "histogram" else ("",))
    }
    return {name for query in queries for name in NAME.findall(query)} - series


def test_the_document_describes_each_metric_and_no_other(kinds: dict[str, str]):
    rows = [line for line in DOCUMENT.splitlines() if line.startswith("| `")]
    described = [name for row in rows for name in re.findall(r"`([a-z_]+)`", row.split("|")[1])]
    assert sorted(described) == sorted(kinds)


def test_its_links_lead_somewhere():
    for target in re.findall(r"\]\(([^)]+)\)", DOCUMENT):
        assert (ROOT / "docs" / target).exists(), target


def test_every_alert_is_about_metrics_that_are_told_and_says_what_to_do(kinds: dict[str, str]):
    assert of_nothing([rule["expr"] for rule in rules()], kinds) == set()
    for rule in rules():
        assert rule.keys() <= {"alert", "expr", "for", "labels", "annotations"}, rule
        assert rule["labels"]["severity"] in {"warning", "critical"}, rule["alert"]
        assert rule["annotations"].keys() == {"summary", "description", "runbook_url"}, rule["alert"]
    assert len({rule["alert"] for rule in rules()}) == len(rules())


def test_every_panel_shows_metrics_that_are_told(kinds: dict[str, str]):
    assert of_nothing(panel_queries(), kinds) == set()
    assert all(NAME.search(query) for query in panel_queries())
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])


def test_the_panels_do_not_overlap():
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        cells = {(place["x"] + column, place["y"] + row) for column in range(place["w"]) for row in range(place["h"])}
        assert not cells & taken, panel["title"]
        assert all(column < 24 for column, _ in cells), panel["title"]
        taken |= cells


def test_a_metric_that_nobody_tells_is_found(kinds: dict[str, str]):
    queries = ["rate(otel_feedback_reqests_total[5m])", "otel_feedback_freshness_seconds > 1", "process_open_fds"]
    assert of_nothing(queries, kinds) == {"otel_feedback_reqests_total", "otel_feedback_freshness_seconds"}
