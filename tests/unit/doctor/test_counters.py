"""The doctor knows every counter that speaks of trouble by the name that the service gives it."""

from tests.support.figures import kinds

from otel_feedback.doctor.counters import TROUBLES, findings_of
from otel_feedback.service.telemetry import NAMESPACE, Telemetry


def test_every_trouble_is_a_counter_of_the_services():
    told = kinds(Telemetry().exposition()[0].decode())
    assert {told[f"{NAMESPACE}_{name}"] for name, *_ in TROUBLES} == {"counter"}


def test_a_calm_service_is_ok():
    telemetry = Telemetry()
    telemetry.receiver.requests.labels("traces", "grpc", "accepted").inc(5)
    telemetry.queue.fsyncs.labels("traces").inc(3)
    (finding,) = findings_of(telemetry.exposition()[0].decode())
    assert finding.state == "ok"


def test_counts_of_both_signals_are_told_together():
    telemetry = Telemetry()
    telemetry.writer.segments_rejected.labels("traces").inc(2)
    telemetry.writer.segments_rejected.labels("logs").inc(1)
    telemetry.receiver.requests.labels("logs", "http", "malformed").inc(4)
    telemetry.queue.write_failures.labels("logs").inc(1)
    found = {each.found.split()[4]: each for each in findings_of(telemetry.exposition()[0].decode())}
    assert {count: each.state for count, each in found.items()} == {"3": "warning", "4": "warning", "1": "failed"}
    assert "doctor rejected" in found["3"].advice
