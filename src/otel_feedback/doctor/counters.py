"""What the running service counted since its start that speaks of trouble."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from otel_feedback.doctor.finding import Finding, State
from otel_feedback.doctor.ports import get
from otel_feedback.running_service import ServiceState

_SAMPLE: Final = re.compile(r"^otel_feedback_(\w+)(?:\{(.*)\})? (\S+)$", re.MULTILINE)
# Counter, a label that it must have, how bad that is, what it means, what to do.
TROUBLES: Final[tuple[tuple[str, str, State, str, str], ...]] = (
    (
        "queue_write_failures_total",
        "",
        "failed",
        "group(s) of requests could not be written to the disk; their clients were told",
        "Look at the disk of the data directory",
    ),
    (
        "segments_rejected_total",
        "",
        "warning",
        "request(s) are refused by ClickHouse and kept",
        "See: otel-feedback doctor rejected",
    ),
    (
        "segments_damaged_total",
        "",
        "warning",
        "damaged record(s) were found at the start and kept",
        "Look at the disk. See: otel-feedback doctor rejected",
    ),
    (
        "insert_failures_total",
        "",
        "warning",
        "INSERT(s) failed and were tried again",
        "See the service's log, and whether the queue shrinks",
    ),
    (
        "requests_total",
        'outcome="busy"',
        "warning",
        "request(s) were refused because the queue was full or the service stopped; clients send them again",
        "See why the queue does not shrink",
    ),
    (
        "requests_total",
        'outcome="malformed"',
        "warning",
        "request(s) were no OTLP and refused",
        "Look at the client; it got the reason",
    ),
    (
        "requests_total",
        'outcome="slow"',
        "warning",
        "request(s) were given up because their bodies came too slowly; clients send them again",
        "Look at the network between the clients and the service",
    ),
    (
        "requests_total",
        'outcome="unauthenticated"',
        "warning",
        "request(s) came without a bearer token or certificate that is known here",
        "Give the client a token of OTEL_FEEDBACK_INGEST_TOKENS, or find out who it is",
    ),
    (
        "requests_total",
        'outcome="too_large"',
        "warning",
        "request(s) were too large and refused",
        "Let the client send smaller batches, or raise OTEL_FEEDBACK_MAX_REQUEST_BYTES",
    ),
    (
        "requests_total",
        'outcome="unsupported"',
        "warning",
        "request(s) had a Content-Type or Content-Encoding that is not OTLP's",
        "Look at the client; it got the reason",
    ),
    (
        "items_rejected_total",
        "",
        "warning",
        "span(s) or log record(s) were refused, e.g. spans without an id",
        "Look at the client; it got the reason as a partial success",
    ),
)


def findings(service: ServiceState) -> Iterator[Finding]:
    """One finding a trouble; one in all where there is none."""
    try:
        metrics_text = get(f"{service.http}/metrics").decode()
    except OSError as error:
        yield Finding("counters", "failed", f"{service.http}/metrics does not answer: {error}", "See the service's log")
        return
    yield from findings_of(metrics_text)


def findings_of(metrics_text: str) -> Iterator[Finding]:
    """As ``findings``, of what ``/metrics`` answered."""
    samples = _SAMPLE.findall(metrics_text)
    is_calm = True
    for name, label, state, meaning, advice in TROUBLES:
        count = sum(float(value) for each, labels, value in samples if each == name and label in labels)
        if count:
            is_calm = False
            yield Finding("counters", state, f"since the service's start {count:g} {meaning}", advice)
    if is_calm:
        yield Finding("counters", "ok", "no failure since the service's start")
