from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from tests.support.otlp import attributes

from otel_feedback.rating import Action, Scope, Target, make_rating
from otel_feedback.service.otlp_check import check
from otel_feedback.service.rating_log import export_request

TARGET = Target(Scope.SPAN, "5b8aa5a2d2c872e8321cf37308d69df2", "051581bf3cb55c13", "conversation", "chatcmpl-1")


def test_a_rating_becomes_the_log_record_of_the_wire_format():
    rating = make_rating(
        "stars",
        4,
        TARGET,
        comment="fine",
        correction="better",
        reasons=["a", "b"],
        minimum=1,
        maximum=5,
        rater_id="u-7",
        time_unix_nano=1_700_000_000_000_000_001,
    )
    (group,) = ExportLogsServiceRequest.FromString(export_request(rating)).resource_logs
    (record,) = group.scope_logs[0].log_records
    assert record.event_name == "gen_ai.evaluation.result"
    assert record.time_unix_nano == 1_700_000_000_000_000_001
    assert (record.trace_id.hex(), record.span_id.hex()) == (TARGET.trace_id, TARGET.span_id)
    expected = {
        "gen_ai.evaluation.name": "stars",
        "gen_ai.evaluation.score.value": 4.0,
        "gen_ai.evaluation.score.label": "positive",
        "gen_ai.evaluation.explanation": "fine",
        "gen_ai.response.id": "chatcmpl-1",
        "session.id": "conversation",
        "enduser.pseudo.id": "u-7",
        "otel_feedback.id": rating.id,
        "otel_feedback.action": "submit",
        "otel_feedback.source": "end_user",
        "otel_feedback.scope": "span",
        "otel_feedback.score.min": 1.0,
        "otel_feedback.score.max": 5.0,
        "otel_feedback.reasons": ["a", "b"],
        "otel_feedback.correction": "better",
        "otel_feedback.via": "http",
    }
    assert list(record.attributes) == attributes(expected)


def test_what_is_not_known_is_left_out():
    target = Target(Scope.SESSION, session_id="conversation")
    rating = make_rating("thumbs", None, target, action=Action.RETRACT)
    (group,) = ExportLogsServiceRequest.FromString(export_request(rating)).resource_logs
    (record,) = group.scope_logs[0].log_records
    assert (record.trace_id, record.span_id) == (b"", b"")
    assert {attribute.key for attribute in record.attributes} == {
        "gen_ai.evaluation.name",
        "session.id",
        "otel_feedback.id",
        "otel_feedback.action",
        "otel_feedback.source",
        "otel_feedback.scope",
        "otel_feedback.via",
    }


def test_a_score_of_zero_is_a_score():
    rating = make_rating("thumbs", False, TARGET)
    body = export_request(rating)
    (group,) = ExportLogsServiceRequest.FromString(body).resource_logs
    values = {attribute.key: attribute.value for attribute in group.scope_logs[0].log_records[0].attributes}
    assert values["gen_ai.evaluation.score.value"].HasField("double_value")
    assert check("logs", body).body is body
