"""Requests that protobuf refuses as a whole: what of them is kept, what is changed, and what is told."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf import text_format
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from tests.support.otlp import any_value, log_request, nested_bytes, trace_request

from otel_feedback.service.otlp_mend import mend
from otel_feedback.service.otlp_request import Findings, MalformedRequestError

CULPRIT = b"CULPRIT"
TOO_DEEP = 60


def spans_of(request: Any) -> Any:
    return request.resource_spans[0].scope_spans[0].spans


def with_bad_text(request: Any, bad: bytes = b"\xff\xfe") -> bytes:
    body: bytes = request.SerializeToString()
    assert CULPRIT in body
    return body.replace(CULPRIT, bad + CULPRIT[len(bad) :])


def test_a_text_cut_in_the_middle_of_a_character_ends_in_a_replacement_character():
    findings = Findings()
    body = with_bad_text(trace_request({"a": "é CULPRIT"}, {"b": 1}), "CULPR€".encode()[:-1])
    request = mend("traces", body, findings)
    values = [{each.key: each.value.string_value for each in span.attributes} for span in spans_of(request)]
    assert values[0] == {"a": "é CULPR\ufffd"}
    assert (findings.rejected, findings.repaired) == (0, 1)
    assert findings.reason == (
        "1 text(s) were not UTF-8 and have U+FFFD in place of what was not; "
        "resource_spans[0].scope_spans[0].spans[0].attributes[0].value.string_value"
    )


@pytest.mark.parametrize(
    "spoil",
    [
        lambda request: request.resource_spans[0].resource.attributes.add(key="CULPRIT"),
        lambda request: setattr(request.resource_spans[0].scope_spans[0].scope, "name", "CULPRIT"),
        lambda request: setattr(request.resource_spans[0], "schema_url", "CULPRIT"),
        lambda request: setattr(spans_of(request)[0], "name", "CULPRIT"),
        lambda request: setattr(spans_of(request)[0], "trace_state", "CULPRIT"),
        lambda request: setattr(spans_of(request)[0].status, "message", "CULPRIT"),
        lambda request: spans_of(request)[0].events.add(name="CULPRIT"),
        lambda request: spans_of(request)[0].links.add(trace_state="CULPRIT"),
        lambda request: spans_of(request)[0].attributes.add(key="k", value=any_value(["x", "CULPRIT"])),
        lambda request: spans_of(request)[0].attributes.add(key="k", value=any_value({"m": [{"CULPRIT": 1}]})),
    ],
    ids=["resource", "scope", "schema", "name", "state", "status", "event", "link", "array", "map"],
)
def test_a_bad_text_anywhere_costs_no_span(spoil: Any):
    expected = trace_request({"a": "good"}, {"b": {"m": [1, {"k": "good"}]}})
    spoil(expected)
    findings = Findings()
    mended = mend("traces", with_bad_text(expected), findings)
    shown = text_format.MessageToString(mended, as_utf8=True).replace("\ufffd\ufffd", "CU")
    assert shown == text_format.MessageToString(expected)
    assert (findings.rejected, findings.repaired) == (0, 1)


def test_what_is_binary_is_left_alone():
    request = trace_request({"b": b"\xff\xfe", "t": "CULPRIT"})
    spans_of(request)[0].parent_span_id = b"\xff" * 8
    mended = mend("traces", with_bad_text(request), Findings())
    assert spans_of(mended)[0].attributes[0].value.bytes_value == b"\xff\xfe"
    assert spans_of(mended)[0].parent_span_id == b"\xff" * 8


def test_fields_that_this_version_does_not_know_are_kept():
    body = with_bad_text(trace_request({"a": "CULPRIT"})) + b"\xca\x3e\x03new"
    assert mend("traces", body, Findings()).SerializeToString().endswith(b"\xca\x3e\x03new")


def test_only_the_record_that_nests_too_deeply_is_refused():
    request = trace_request({}, {"a": b"DEEP"}, {})
    findings = Findings()
    mended = mend("traces", with_nested(request.SerializeToString(), TOO_DEEP), findings)
    assert [span.name for span in spans_of(mended)] == ["span 0", "span 2"]
    assert (findings.rejected, findings.repaired) == (1, 0)
    assert findings.reason == (
        "1 span(s) refused; resource_spans[0].scope_spans[0].spans[1] 'span 1': "
        "a value in it, in its scope or its resource nests deeper than 100 levels, or is not OTLP"
    )


def test_only_the_log_record_that_nests_too_deeply_is_refused():
    request = log_request("good", b"DEEP", "good")
    findings = Findings()
    mended: ExportLogsServiceRequest = mend("logs", with_nested(request.SerializeToString(), TOO_DEEP), findings)
    assert len(mended.resource_logs[0].scope_logs[0].log_records) == 2
    assert findings.rejected == 1


def test_a_resource_that_nests_too_deeply_costs_its_own_spans_only():
    bad, good = trace_request({}), trace_request({"good": 1})
    bad.resource_spans[0].resource.attributes.add(key="k", value=any_value(b"DEEP"))
    body = with_nested(bad.SerializeToString(), TOO_DEEP) + good.SerializeToString()
    findings = Findings()
    mended = mend("traces", body, findings)
    assert [len(scope.spans) for group in mended.resource_spans for scope in group.scope_spans] == [1]
    assert findings.rejected == 1


def test_a_request_of_which_no_record_can_be_decoded_is_malformed():
    body = with_nested(trace_request({"a": b"DEEP"}).SerializeToString(), TOO_DEEP)
    with pytest.raises(MalformedRequestError, match="no record of this ExportTraceServiceRequest can be decoded"):
        mend("traces", body, Findings())


def test_metrics_are_mended_like_the_rest():
    request = ExportMetricsServiceRequest()
    request.resource_metrics.add().scope_metrics.add().metrics.add(name="CULPRIT").gauge.data_points.add(as_int=1)
    findings = Findings()
    mend("metrics", with_bad_text(request), findings)
    assert findings.repaired == 1


@given(st.binary(max_size=200))
def test_no_bytes_do_harm(body: bytes):
    for signal in ("traces", "logs", "metrics"):
        try:
            request = mend(signal, body, Findings())
        except MalformedRequestError:
            continue
        assert type(request).FromString(request.SerializeToString()) == request


@given(st.binary(min_size=7, max_size=7))
def test_any_text_of_any_bytes_is_mended_to_what_python_makes_of_it(text: bytes):
    body = trace_request({"a": "CULPRIT"}).SerializeToString().replace(CULPRIT, text)
    request: ExportTraceServiceRequest = mend("traces", body, Findings())
    assert spans_of(request)[0].attributes[0].value.string_value == text.decode("utf-8", "replace")


def with_nested(body: bytes, levels: int) -> bytes:
    """The request with the bytes value DEEP replaced by maps in maps, as no library will write it."""
    return nested_bytes(body, b"DEEP", levels)
