import re

from prometheus_client.openmetrics.parser import text_string_to_metric_families
from tests.support.figures import figure

from otel_feedback.service.telemetry import Telemetry


def test_what_is_added_is_told():
    telemetry = Telemetry()
    telemetry.receiver.requests.labels("traces", "grpc", "accepted").inc()
    telemetry.receiver.requests.labels("traces", "http", "accepted").inc(2)
    telemetry.writer.freshness_seconds.labels("logs").observe(1.2)
    assert figure(telemetry, "requests_total", signal="traces") == 3
    assert figure(telemetry, "freshness_seconds_bucket", signal="logs", le="1.0") == 0
    assert figure(telemetry, "freshness_seconds_bucket", signal="logs", le="1.5") == 1


def test_names_follow_the_conventions_of_prometheus():
    text, _ = Telemetry().exposition("application/openmetrics-text; version=1.0.0")
    for family in text_string_to_metric_families(text.decode()):
        assert re.fullmatch(r"(otel_feedback|process)_[a-z_]+", family.name), family.name
        assert family.documentation.endswith("."), family.name
        if family.type == "histogram":
            assert family.name.endswith(("_seconds", "_bytes")), family.name


def test_an_accept_header_that_can_not_be_read_gets_text():
    text, content_type = Telemetry().exposition("application/openmetrics-text; version=x, text/html")
    assert content_type.startswith("text/plain")
    assert text.startswith(b"# HELP")


def test_services_in_one_process_count_for_themselves():
    first, second = Telemetry(), Telemetry()
    first.receiver.ratings.inc()
    assert (figure(first, "ratings_total"), figure(second, "ratings_total")) == (1, 0)
