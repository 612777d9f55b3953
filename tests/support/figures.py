"""Read a figure out of Prometheus' text, with the official parser."""

from __future__ import annotations

import re

from prometheus_client.parser import text_string_to_metric_families

from otel_feedback.service.telemetry import NAMESPACE, Telemetry


def figure(telemetry: Telemetry, name: str, **labels: str) -> float:
    """The sum over the series of ``otel_feedback_<name>`` that have these labels."""
    text = telemetry.exposition()[0].decode()
    return sum(
        sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == f"{NAMESPACE}_{name}" and labels.items() <= sample.labels.items()
    )


def kinds(text: str) -> dict[str, str]:
    """The type of each metric in the text, of those too that have no sample."""
    return dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE))
