import threading

import pytest

from otel_feedback.service.telemetry import Counters, Gauge


def test_counters_and_gauges_are_told_in_prometheus_text():
    counters = Counters()
    counters.add("requests_total", signal="traces", transport="grpc", outcome="accepted")
    counters.add("requests_total", 2, signal="traces", transport="http", outcome="accepted")
    text = counters.text([Gauge("segments_waiting", "Waiting.", 3, (("signal", "logs"),))])
    lines = text.splitlines()
    assert "# TYPE otel_feedback_requests_total counter" in lines
    assert 'otel_feedback_requests_total{outcome="accepted",signal="traces",transport="http"} 2' in lines
    assert lines[-3:] == [
        "# HELP otel_feedback_segments_waiting Waiting.",
        "# TYPE otel_feedback_segments_waiting gauge",
        'otel_feedback_segments_waiting{signal="logs"} 3',
    ]
    assert counters.value("requests_total", signal="traces") == 3


def test_threads_lose_no_count():
    counters = Counters()

    def add() -> None:
        for _ in range(2000):
            counters.add("fsyncs_total", signal="traces")

    threads = [threading.Thread(target=add) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counters.value("fsyncs_total") == 16_000


def test_a_counter_that_is_not_described_can_not_be_added_to():
    with pytest.raises(KeyError):
        Counters().add("typo_total")
