"""The table of docs/otlp.md, row by row: what unusual records are answered with, and what of them is in SQL."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from tests.support.otlp import any_value, attributes, log_request, nested_bytes, trace_request
from tests.support.service import RunningService

TABLE: Final = Path(__file__).parents[2] / "docs" / "otlp.md"
RESPONSES: Final = {
    "traces": (ExportTraceServiceResponse, "rejected_spans"),
    "logs": (ExportLogsServiceResponse, "rejected_log_records"),
    "metrics": (ExportMetricsServiceResponse, "rejected_data_points"),
}
DAY: Final = 86_400 * 10**9
GOOD: Final = "good"
SPANS: Final = (
    "SELECT {columns} FROM otel_traces WHERE SpanAttributes['test.id'] = {{test_id:String}} ORDER BY SpanName"
)
LOGS: Final = "SELECT {columns} FROM otel_logs WHERE LogAttributes['test.id'] = {{test_id:String}}"


@dataclass(frozen=True)
class Sent:
    """A request, and what SQL should say; ``rows`` None: nothing of it is stored, so there is nothing to ask."""

    body: bytes
    rows: list[dict[str, Any]] | None
    columns: str = "SpanName"
    signal: str = "traces"
    content_type: str = "application/x-protobuf"


def two_spans(test_id: str) -> tuple[Any, Any]:
    """A request with a good span after one to spoil, and that one."""
    request = trace_request({"test.id": test_id}, {"test.id": test_id})
    bad, good = request.resource_spans[0].scope_spans[0].spans
    bad.name, good.name = "bad", GOOD
    return request, bad


def spoiled(spoil: Callable[[Any], None], rows: list[dict[str, Any]], columns: str = "SpanName") -> Any:
    def send(test_id: str) -> Sent:
        request, bad = two_spans(test_id)
        spoil(bad)
        return Sent(request.SerializeToString(), rows, columns)

    return send


def one_log(spoil: Callable[[Any], None], row: dict[str, Any], columns: str) -> Any:
    def send(test_id: str) -> Sent:
        request = log_request("body", **{"test.id": test_id})
        spoil(request.resource_logs[0].scope_logs[0].log_records[0])
        return Sent(request.SerializeToString(), [row], columns, "logs")

    return send


def in_json(bad: dict[str, Any], rows: list[dict[str, Any]], columns: str = "SpanName") -> Any:
    def send(test_id: str) -> Sent:
        span = {
            "traceId": os.urandom(16).hex(),
            "spanId": os.urandom(8).hex(),
            "name": GOOD,
            "startTimeUnixNano": str(time.time_ns()),
            "attributes": [{"key": "test.id", "value": {"stringValue": test_id}}],
        }
        spans = [{**span, "name": "bad", **bad, "attributes": span["attributes"] + bad.get("attributes", [])}, span]
        body = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}).encode()
        return Sent(body, rows, columns, content_type="application/json")

    return send


def not_utf8(test_id: str) -> Sent:
    request, bad = two_spans(test_id)
    bad.status.message = "CULPRIT"
    body = request.SerializeToString().replace(b"CULPRIT", b"CULP\xe2\x82\xff")
    return Sent(body, [{"M": "CULP\ufffd\ufffd"}, {"M": ""}], "StatusMessage AS M")


def too_deep(test_id: str) -> Sent:
    request, bad = two_spans(test_id)
    bad.attributes.add(key="deep", value=any_value(b"DEEP"))
    return Sent(nested_bytes(request.SerializeToString(), b"DEEP", 60), [{"SpanName": GOOD}])


def many_days(test_id: str) -> Sent:
    request = trace_request(*({"test.id": test_id} for _ in range(160)))
    for index, span in enumerate(request.resource_spans[0].scope_spans[0].spans):
        span.start_time_unix_nano = span.end_time_unix_nano = time.time_ns() - index * DAY
    return Sent(request.SerializeToString(), [{"SpanName": name} for name in sorted(f"span {n}" for n in range(100))])


def newer_fields(test_id: str) -> Sent:
    request, _ = two_spans(test_id)
    return Sent(request.SerializeToString() + b"\xca\x3e\x03new", [{"SpanName": "bad"}, {"SpanName": GOOD}])


def some_metrics(_: str) -> Sent:
    request = ExportMetricsServiceRequest()
    request.resource_metrics.add().scope_metrics.add().metrics.add(name="m").gauge.data_points.add(as_int=1)
    return Sent(request.SerializeToString(), None, signal="metrics")


def with_attributes(*pairs: tuple[str, Any]) -> Callable[[Any], None]:
    def spoil(span: Any) -> None:
        for key, value in pairs:
            span.attributes.add(key=key, value=any_value(value))

    return spoil


def with_time(start: int, end: int) -> Callable[[Any], None]:
    def spoil(span: Any) -> None:
        span.start_time_unix_nano, span.end_time_unix_nano = start, end

    return spoil


TIME: Final = "toUnixTimestamp64Nano(Timestamp) AS T, Duration AS D"
AT: Final = "if(SpanName = 'bad', toUnixTimestamp64Nano(Timestamp), 0) AS T, if(SpanName = 'bad', Duration, 0) AS D"
NOTHING: Final = {"T": 0, "D": 0}
CASES: Final[dict[str, Callable[[str], Sent]]] = {
    "a span whose trace id is missing, zero or not 16 bytes": spoiled(
        lambda span: setattr(span, "trace_id", b"short"), [{"SpanName": GOOD}]
    ),
    "a span whose span id is missing, zero or not 8 bytes": spoiled(
        lambda span: setattr(span, "span_id", bytes(8)), [{"SpanName": GOOD}]
    ),
    "a text that is not UTF-8": not_utf8,
    "a value that nests deeper than protobuf's 100 levels (some 30 maps)": too_deep,
    "records of more than 100 different days in one request": many_days,
    "a parent or link with an id of another length": spoiled(
        lambda span: span.links.add(trace_id=b"\xab", span_id=b"\xcd"),
        [{"L": ["ab"]}, {"L": []}],
        "Links.TraceId AS L",
    ),
    "a log record with an id of another length": one_log(
        lambda record: setattr(record, "trace_id", b"short"), {"TraceId": ""}, "TraceId"
    ),
    "a span without a start": spoiled(with_time(0, 1_790_000_000), [{"T": 1_790_000_000, "D": 0}, NOTHING], AT),
    "a log record without a time": one_log(
        lambda record: (record.ClearField("time_unix_nano"), record.ClearField("observed_time_unix_nano"))[0],
        {"IsRecent": 1},
        "abs(dateDiff('second', Timestamp, now())) < 600 AS IsRecent",
    ),
    "a span that ends before it starts": spoiled(with_time(DAY + 9, 5), [{"T": DAY + 9, "D": 0}, NOTHING], AT),
    "a time long ago, or years from now": spoiled(
        with_time(4_200_000_000 * 10**9, 4_200_000_000 * 10**9), [{"T": 4_200_000_000 * 10**9, "D": 0}, NOTHING], AT
    ),
    "a time beyond the year 2262": spoiled(with_time(2**64 - 9, 2**64 - 9), [{"T": -9, "D": 0}, NOTHING], AT),
    "an attribute without a value": spoiled(
        with_attributes(("k", None)),
        [{"V": "", "Has": 1}, {"V": "", "Has": 0}],
        "SpanAttributes['k'] AS V, mapContains(SpanAttributes, 'k') AS Has",
    ),
    "an attribute without a key": spoiled(
        with_attributes(("", "v")), [{"V": "v"}, {"V": ""}], "SpanAttributes[''] AS V"
    ),
    "the same key twice": spoiled(
        with_attributes(("k", "first"), ("k", "second")), [{"V": "first"}, {"V": ""}], "SpanAttributes['k'] AS V"
    ),
    "a kind or status that is not known here": spoiled(
        lambda span: setattr(span, "kind", 77), [{"SpanKind": ""}, {"SpanKind": "Internal"}], "SpanKind"
    ),
    "fields of newer versions of OTLP": newer_fields,
    "metrics": some_metrics,
    "a request without records": lambda _: Sent(b"", None),
    "bytes that are no protobuf": lambda _: Sent(b"hello", None),
    "JSON: an id of a span that is not hex": in_json({"spanId": "not hex"}, [{"SpanName": GOOD}]),
    "JSON: a value of the wrong type": in_json({"startTimeUnixNano": "soon"}, [{"SpanName": GOOD}]),
    "JSON: half of a surrogate pair": in_json({"name": "a\ud800"}, [{"SpanName": "a\ufffd"}, {"SpanName": GOOD}]),
    "JSON: names of enum values, fields in snake_case": in_json(
        {"kind": "SPAN_KIND_SERVER", "trace_state": "a=b"},
        [{"K": "Server", "S": "a=b"}, {"K": "Unspecified", "S": ""}],
        "SpanKind AS K, TraceState AS S",
    ),
    "JSON: an intValue beyond 64 bits, as JavaScript writes 1e21": in_json(
        {"attributes": [{"key": "n", "value": {"intValue": 1e21}}]},
        [{"N": "1e+21"}, {"N": ""}],
        "SpanAttributes['n'] AS N",
    ),
}


def table_rows() -> dict[str, str]:
    """The answer of each row of the document's table, by what comes."""
    section = TABLE.read_text().partition("## What happens to unusual records")[2]
    rows = re.findall(r"^\| ([^|]+?) \| ([^|]+?) \| [^|]+? \|$", section, re.MULTILINE)
    return {comes: answer for comes, answer in rows if comes != "what comes" and not comes.startswith("---")}


def test_every_row_of_the_table_is_tested():
    assert list(table_rows()) == list(CASES)


@pytest.mark.parametrize("comes", CASES)
def test_the_table_tells_the_truth(service: RunningService, comes: str):
    test_id = os.urandom(8).hex()
    sent = CASES[comes](test_id)
    answer = httpx.post(
        f"{service.http}/v1/{sent.signal}", content=sent.body, headers={"Content-Type": sent.content_type}, timeout=60
    )
    assert shown(answer, sent) == table_rows()[comes]
    if sent.rows is None:
        return
    query = (LOGS if sent.signal == "logs" else SPANS).format(columns=sent.columns)
    assert service.wait_for_rows(query, len(sent.rows), test_id=test_id) == sent.rows


def shown(answer: httpx.Response, sent: Sent) -> str:
    """An answer as the table tells it."""
    if answer.status_code != 200:
        return str(answer.status_code)
    message_class, field = RESPONSES[sent.signal]
    if sent.content_type == "application/json":
        partial = answer.json().get("partialSuccess", {})
        rejected, message = int(partial.get("".join([field.split("_")[0], field.split("_")[1].title()]), 0)), partial
    else:
        parsed = message_class.FromString(answer.content).partial_success
        rejected, message = getattr(parsed, field), parsed.error_message
    if rejected:
        return f"200, {rejected} refused"
    return "200, and told" if message else "200"


def test_what_was_refused_and_mended_is_counted(service: RunningService):
    def counts() -> tuple[float, float, float]:
        return (
            service.metric("otel_feedback_items_rejected_total", signal="traces"),
            service.metric("otel_feedback_texts_repaired_total", signal="traces"),
            service.metric("otel_feedback_items_total", signal="metrics"),
        )

    before = counts()
    for send in (not_utf8, too_deep, some_metrics):
        sent = send(os.urandom(8).hex())
        headers = {"Content-Type": sent.content_type}
        httpx.post(f"{service.http}/v1/{sent.signal}", content=sent.body, headers=headers)
    assert tuple(after - earlier for after, earlier in zip(counts(), before, strict=True)) == (1, 1, 1)


def test_attributes_of_a_bad_resource_affect_its_own_spans_only(service: RunningService):
    test_ids = [os.urandom(8).hex(), os.urandom(8).hex()]
    bad, good = (trace_request({"test.id": test_id}) for test_id in test_ids)
    bad.resource_spans[0].resource.attributes.extend(attributes({"deep": b"DEEP"}))
    body = nested_bytes(bad.SerializeToString(), b"DEEP", 60) + good.SerializeToString()
    answer = httpx.post(f"{service.http}/v1/traces", content=body, headers={"Content-Type": "application/x-protobuf"})
    assert ExportTraceServiceResponse.FromString(answer.content).partial_success.rejected_spans == 1
    service.wait_for_rows(SPANS.format(columns="SpanName"), test_id=test_ids[1])
