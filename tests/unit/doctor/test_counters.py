"""The doctor knows every counter that speaks of trouble by the name that the service gives it."""

from otel_feedback.doctor.counters import TROUBLES, findings_of
from otel_feedback.service.telemetry import COUNTERS, Counters, Gauge


def test_every_trouble_is_a_counter_of_the_services():
    assert {name for name, *_ in TROUBLES} <= set(COUNTERS)


def test_a_calm_service_is_ok():
    counters = Counters()
    counters.add("requests_total", 5, signal="traces", transport="grpc", outcome="accepted")
    counters.add("fsyncs_total", 3, signal="traces")
    (finding,) = findings_of(counters.text([Gauge("queue_bytes", "Bytes.", 7)]))
    assert finding.state == "ok"


def test_counts_of_both_signals_are_told_together():
    counters = Counters()
    counters.add("segments_rejected_total", 2, signal="traces")
    counters.add("segments_rejected_total", 1, signal="logs")
    counters.add("requests_total", 4, signal="logs", transport="http", outcome="malformed")
    counters.add("queue_write_failures_total", 1, signal="logs")
    found = {each.found.split()[4]: each for each in findings_of(counters.text())}
    assert {count: each.state for count, each in found.items()} == {"3": "warning", "4": "warning", "1": "failed"}
    assert "doctor rejected" in found["3"].advice
