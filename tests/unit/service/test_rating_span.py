from dataclasses import replace

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from otel_feedback.rating import Scope, Target, make_rating
from otel_feedback.service import rating_log, rating_span
from otel_feedback.service.otlp_check import check

TARGET = Target(Scope.SPAN, "5b8aa5a2d2c872e8321cf37308d69df2", "051581bf3cb55c13", "conversation", "chatcmpl-1")
RATING = make_rating(
    "review", False, TARGET, comment="no", rater_id="ines", source="annotator", time_unix_nano=1_700_000_000_000_000_001
)


def _span(rating):
    body = rating_span.export_request(rating)
    assert not check("traces", body).rejected
    (group,) = ExportTraceServiceRequest.FromString(body).resource_spans
    (span,) = group.scope_spans[0].spans
    return span


def test_a_rating_becomes_the_carrier_span_of_the_wire_format():
    span = _span(RATING)
    assert span.name == "user_feedback review"
    assert span.start_time_unix_nano == span.end_time_unix_nano == 1_700_000_000_000_000_001
    assert (span.trace_id.hex(), span.parent_span_id.hex()) == (TARGET.trace_id, TARGET.span_id)
    assert [(link.trace_id, link.span_id) for link in span.links] == [(span.trace_id, span.parent_span_id)]
    assert span.span_id not in {b"", span.parent_span_id}
    (event,) = span.events
    assert event.name == "gen_ai.evaluation.result"
    assert event.attributes == span.attributes


def test_span_and_log_record_tell_the_same():
    (group,) = ExportLogsServiceRequest.FromString(rating_log.export_request(RATING)).resource_logs
    assert group.scope_logs[0].log_records[0].attributes == _span(RATING).attributes


@pytest.mark.parametrize(
    "target", [Target(Scope.SESSION, session_id="s"), Target(Scope.SPAN, response_id="chatcmpl-1")], ids=str
)
def test_what_is_no_span_is_rated_in_a_trace_of_its_own(target):
    span = _span(replace(RATING, target=target))
    assert span.parent_span_id == b""
    assert len(span.trace_id) == 16
    assert list(span.links) == []


def test_a_trace_without_a_known_span_has_no_carrier_span():
    assert rating_span.export_request(replace(RATING, target=Target(Scope.TRACE, TARGET.trace_id))) is None
