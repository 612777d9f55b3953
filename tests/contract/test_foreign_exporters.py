"""The official exporters of JavaScript, Java and Go against the receiver: what they send is in SQL, value by value."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import pytest
from tests.support import foreign_exporters
from tests.support.foreign_exporters import Sender
from tests.support.service import RunningService

SENDERS: dict[str, Callable[[], Sender]] = {
    "js": foreign_exporters.javascript,
    "java": foreign_exporters.java,
    "go": foreign_exporters.go,
}
WAYS = [
    *(("js", way) for way in ("grpc", "http-protobuf", "http-json")),
    *((language, way) for language in ("java", "go") for way in ("grpc", "http-protobuf")),
]
LARGE = {"js": "9007199254740991", "java": "-9223372036854775808", "go": "-9223372036854775808"}
SPANS = """
SELECT SpanName, SpanKind, SpanId, ParentSpanId, ScopeName, ScopeVersion, ResourceAttributes['resource.list'] AS List,
       ServiceName, SpanAttributes, Duration, Events.Name AS Events, Events.Attributes AS EventAttributes,
       Links.TraceId AS LinkedTraces, Links.SpanId AS LinkedSpans, Links.Attributes AS LinkAttributes,
       StatusCode, StatusMessage, abs(dateDiff('second', Timestamp, now())) < 600 AS IsRecent
FROM otel_traces WHERE TraceId = {trace_id:String} ORDER BY SpanName
"""
LOGS = """
SELECT Body, SeverityText, SeverityNumber, EventName, TraceId, SpanId, LogAttributes, ServiceName, ScopeName,
       abs(dateDiff('second', Timestamp, now())) < 600 AS IsRecent
FROM otel_logs WHERE LogAttributes['test.id'] = {test_id:String} ORDER BY EventName
"""


@pytest.mark.parametrize("compression", ["none", "gzip"])
@pytest.mark.parametrize(("language", "way"), WAYS, ids=["-".join(way) for way in WAYS])
def test_what_an_exporter_sends_is_in_sql(service: RunningService, language: str, way: str, compression: str):
    test_id = uuid.uuid4().hex
    endpoint = f"http://{service.grpc}" if way == "grpc" else service.http
    trace_id = SENDERS[language]().send(way, compression, endpoint, test_id)

    parent, child = service.wait_for_rows(SPANS, 2, trace_id=trace_id)
    assert (
        parent.items()
        >= {
            "SpanName": "a parent",
            "SpanKind": "Server",
            "ParentSpanId": "",
            "ScopeName": "contract",
            "ScopeVersion": "1.0",
            "ServiceName": f"{language}-{test_id}",
            "List": '["a","b"]',
            "StatusCode": "Unset",
            "IsRecent": 1,
        }.items()
    )
    assert parent["SpanAttributes"] == {
        "test.id": test_id,
        "text": "é\n'\"\u2028 🙂",
        "empty": "",
        "integer": "-7",
        "large": LARGE[language],
        "double": "0.5",
        "yes": "true",
        "no": "false",
        "texts": '["a",""]',
        "integers": "[1,-2]",
        "doubles": "[0.5,1e+21]",
        "booleans": "[true,false]",
    }
    assert (parent["Events"], parent["EventAttributes"]) == (["happened"], [{"n": "1", "list": '["x"]'}])
    assert (child["SpanKind"], child["ParentSpanId"]) == ("Client", parent["SpanId"])
    assert (child["StatusCode"], child["StatusMessage"]) == ("Error", "it broke")
    assert (child["LinkedTraces"], child["LinkedSpans"]) == ([trace_id], [parent["SpanId"]])
    assert child["LinkAttributes"] == [{"why": "test"}]

    text, event = service.wait_for_rows(LOGS, 2, test_id=test_id)
    assert (
        text.items()
        >= {
            "Body": "a text",
            "SeverityText": "WARN",
            "SeverityNumber": 13,
            "TraceId": trace_id,
            "SpanId": parent["SpanId"],
            "ServiceName": f"{language}-{test_id}",
            "ScopeName": "contract",
            "IsRecent": 1,
        }.items()
    )
    assert text["LogAttributes"] == {"test.id": test_id, "bytes": "AP8="}
    assert (event["Body"], event["EventName"]) == ('{"a":"x","b":[1,{"c":null}]}', "an.event")
    assert event["LogAttributes"] == {"test.id": test_id, "nested": '{"k":[1,[2]]}'}
