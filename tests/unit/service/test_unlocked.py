from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.openmetrics.exposition import generate_latest

from otel_feedback.service.unlocked import UnlockedCounter, UnlockedHistogram

BOUNDS = (0.5, 1, 2.5)


def test_they_tell_what_the_locked_ones_tell():
    ours, theirs = CollectorRegistry(), CollectorRegistry()
    counters = (
        UnlockedCounter("requests_total", "Requests.", ["signal"], ours),
        Counter("requests_total", "Requests.", ["signal"], registry=theirs),
    )
    histograms = (
        UnlockedHistogram("took_seconds", "Time.", ["signal"], ours, BOUNDS),
        Histogram("took_seconds", "Time.", ["signal"], registry=theirs, buckets=BOUNDS),
    )
    for counter in counters:
        counter.labels("traces").inc()
        counter.labels("traces").inc(3)
        counter.labels("logs")
    for histogram in histograms:
        for seconds in (0, 0.5, 0.50001, 1, 2.5, 7):
            histogram.labels("traces").observe(seconds)
        histogram.labels("logs")
    assert generate_latest(ours) == generate_latest(theirs)


def test_labels_name_one_series():
    counter = UnlockedCounter("requests_total", "Requests.", ["signal"], CollectorRegistry())
    assert counter.labels("traces") is counter.labels("traces")
    assert counter.labels("traces") is not counter.labels("logs")
