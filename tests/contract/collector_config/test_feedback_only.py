"""We get the ratings, by whatever they are carried, and nothing else; the backend gets everything."""

from __future__ import annotations

from pathlib import Path

from tests.support.collector_config import configured_collector
from tests.support.otlp import attributes, log_request
from tests.support.otlp_sink import otlp_sink
from tests.support.rated_app import SPANS, Plan, run_app
from tests.support.ratings import Call, Submission, only_span
from tests.support.service import running_service
from tests.support.traffic import send_all


def test_ratings_reach_us_and_everything_the_backend(tmp_path: Path):
    event_on_the_call = Call(response_id="rated-by-event").request()
    Submission(id="on-the-call", rater="by event").add_event(only_span(event_on_the_call))
    by_attributes = Submission(Call(), id="by-attributes", rater="by span").carrier()
    only_span(by_attributes).name = "gen_ai.evaluation.result"
    only_span(by_attributes).ClearField("events")
    other_log = log_request("a line of the app's log", **{"event.name": "app.started"})
    older_log = Submission(Call(), id="by-attribute", rater="by older log").log()
    record = older_log.resource_logs[0].scope_logs[0].log_records[0]
    record.event_name = ""
    record.attributes.extend(attributes({"event.name": "gen_ai.evaluation.result"}))
    sent = [("traces", event_on_the_call), ("traces", by_attributes), ("logs", other_log), ("logs", older_log)]
    with otlp_sink() as backend, running_service(tmp_path / "data") as service:
        environment = {"OTEL_FEEDBACK_OTLP": service.http, "BACKEND_OTLP": backend.url}
        with configured_collector("feedback-only.yaml", tmp_path, environment) as collector:
            send_all(collector.grpc, [(signal, request.SerializeToString()) for signal, request in sent])
            run_app(collector.http, Plan(answers=10, rated=(0, 1)))
            backend.wait_for(lambda sink: len(sink.spans) == 10 * SPANS + 2 + 2)
            backend.wait_for(lambda sink: len(sink.logs) == 2 + 2)
            service.wait_for_rows("SELECT 1 FROM otel_traces", 4)
            service.wait_for_rows("SELECT 1 FROM otel_logs", 3)
            raters = service.wait_for_rows("SELECT RaterId, State FROM feedback ORDER BY RaterId", 5)
        assert [(row["RaterId"], row["State"]) for row in raters] == [
            ("by event", "linked"),
            ("by older log", "unmatched"),  # it is of some day before
            ("by span", "unmatched"),
            ("user-0", "waiting"),
            ("user-1", "waiting"),
        ]
        spans = service.sql("SELECT SpanName, SpanAttributes['otel_feedback.is_rating'] AS mark FROM otel_traces")
        assert {row["SpanName"] for row in spans} == {"user_feedback thumbs", "gen_ai.evaluation.result", "chat gpt-4o"}
        assert {row["mark"] for row in spans} == {""}
        assert (len(spans), len(service.sql("SELECT 1 FROM otel_logs"))) == (4, 3)
