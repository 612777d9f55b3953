"""Each rating is counted once, with bounded labels; scores are added up; and everything still reaches the service."""

from __future__ import annotations

from pathlib import Path

import httpx
from prometheus_client.parser import text_string_to_metric_families
from tests.support.clickhouse_server import free_ports
from tests.support.collector_config import configured_collector
from tests.support.ratings import Call, Submission
from tests.support.service import TRUST, running_service, wait_until
from tests.support.traffic import send_all

NAMED = ("name", "label", "source")
LABEL = "gen_ai.evaluation.score.label"


def submission(number: int, **values: object) -> Submission:
    return Submission(Call(), id=f"id-{number}", rater=f"rater-{number}", **values)  # type: ignore[arg-type]  # its fields


def samples(url: str, metric: str) -> dict[tuple[str, ...], float]:
    """The series of the service ``app`` by name, label and source."""
    text = httpx.get(url, verify=TRUST).text
    return {
        tuple(sample.labels[name] for name in NAMED): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == metric and sample.labels.get("service_name") == "app"
    }


def test_ratings_are_counted_and_their_scores_added_up(tmp_path: Path):
    (port,) = free_ports(1)
    url = f"http://127.0.0.1:{port}/metrics"
    first = [
        *(submission(number, also={LABEL: "positive"}) for number in range(7)),
        *(submission(number, value=0.0, also={LABEL: "negative"}) for number in range(7, 10)),
        submission(10, name="stars", value=4.0, also={LABEL: "positive"}),
        submission(11, name="stars", value=1.5, also={LABEL: "negative", "otel_feedback.source": "annotator"}),
        *(submission(number, name="tone", value=None, also={LABEL: f"label {number}"}) for number in range(12, 15)),
        submission(15, name="n" * 300, value=-1.0),
        submission(16).retracted("taken-back"),
    ]
    second = [submission(number, also={LABEL: "positive"}) for number in range(20, 25)]
    with running_service(tmp_path / "data") as service:
        environment = {"OTEL_FEEDBACK_OTLP": service.http, "METRICS_ADDRESS": f"127.0.0.1:{port}"}
        with configured_collector("metrics-from-feedback.yaml", tmp_path, environment) as collector:
            send_all(collector.grpc, both_carriers(first))
            wait_until(lambda: counted(url) == 16 or None, 20, "not counted")
            send_all(collector.grpc, both_carriers(second))
            wait_until(lambda: counted(url) == 21 or None, 20, "not counted")
            assert samples(url, "gen_ai_evaluation_results_total") == {
                ("thumbs", "positive", "end_user"): 12,
                ("thumbs", "negative", "end_user"): 3,
                ("stars", "positive", "end_user"): 1,
                ("stars", "negative", "annotator"): 1,
                ("tone", "other", "end_user"): 3,
                ("n" * 40, "none", "end_user"): 1,
            }
            assert samples(url, "gen_ai_evaluation_score_total") == {
                ("thumbs", "positive", "end_user"): 12,
                ("thumbs", "negative", "end_user"): 0,
                ("stars", "positive", "end_user"): 4,
                ("stars", "negative", "annotator"): 1.5,
            }
        service.wait_for_rows("SELECT 1 FROM otel_traces", len(first) + len(second))
        service.wait_for_rows("SELECT 1 FROM feedback", 21)


def counted(url: str) -> float:
    return sum(samples(url, "gen_ai_evaluation_results_total").values())


def both_carriers(submissions: list[Submission]) -> list[tuple[str, bytes]]:
    spans = [("traces", each.carrier().SerializeToString()) for each in submissions]
    return [*spans, *(("logs", each.log().SerializeToString()) for each in submissions)]
