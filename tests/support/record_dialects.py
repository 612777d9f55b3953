"""Records what real instrumentations send: ``python -m tests.support.record_dialects [NAME ...]``.

Writes tests/data/dialects/NAME.json for each instrumentation of tests/support/instrumentations.py. Times are kept
relative to the first span's start; what a log record's SDK did not set stays null.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status
from tests.support.dialects import FOLDER
from tests.support.http_app import serve
from tests.support.instrumentations import SILENT, TELLING, Instrumentation
from tests.support.otlp_sink import OtlpSink, otlp_sink

from otel_feedback.demo.model_server import app

LIST_PACKAGES = """
import json
from importlib.metadata import distributions
print(json.dumps({each.name: each.version for each in distributions()}))
"""


def main() -> None:
    known = {**TELLING, **SILENT}
    with serve(app) as model_url:
        for name in sys.argv[1:] or known:
            with otlp_sink() as sink:
                known[name].make_calls(sink.url, "app", model_url)
                dump = {"packages": packages(known[name]), **settings(known[name]), **recording(sink)}
            path = FOLDER / f"{name}.json"
            text = json.dumps(dump, indent=1, ensure_ascii=False)
            path.write_text(text.replace(model_url.rpartition(":")[2], "8000") + "\n", encoding="utf-8")
            print(f"{path.name}: {len(dump['spans'])} spans, {len(dump['logs'])} log records")


def packages(instrumentation: Instrumentation) -> dict[str, str]:
    """The versions that matter, of the instrumentation's environment."""
    command = [instrumentation.python(), "-c", LIST_PACKAGES]
    found: dict[str, str] = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    wanted = {"openai", "opentelemetry-sdk", "opentelemetry-util-genai", "opentelemetry-semantic-conventions-ai"}
    own = instrumentation.instrumentor.partition(":")[0].replace("_", "-").replace(".", "-")
    return {name: found[name] for name in sorted(found) if name in wanted or name == own}


def settings(instrumentation: Instrumentation) -> dict[str, Any]:
    options = {"options": dict(instrumentation.options)} if instrumentation.options else {}
    return {"env": dict(instrumentation.environment), **options}


def recording(sink: OtlpSink) -> dict[str, list[dict[str, Any]]]:
    spans = [
        (scope.scope, span)
        for request in sink.requests
        if isinstance(request, ExportTraceServiceRequest)
        for group in request.resource_spans
        for scope in group.scope_spans
        for span in scope.spans
    ]
    records = [
        (scope.scope, record)
        for request in sink.requests
        if isinstance(request, ExportLogsServiceRequest)
        for group in request.resource_logs
        for scope in group.scope_logs
        for record in scope.log_records
    ]
    first = min(span.start_time_unix_nano for _, span in spans)
    spans.sort(key=lambda each: each[1].start_time_unix_nano)
    return {
        "spans": [_span(scope, span, first) for scope, span in spans],
        "logs": [_record(scope, record, first) for scope, record in records],
    }


def _span(scope: Any, span: Span, first: int) -> dict[str, Any]:
    return {
        "name": span.name,
        "kind": Span.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_"),
        "scope": {"name": scope.name, "version": scope.version},
        "status": Status.StatusCode.Name(span.status.code).removeprefix("STATUS_CODE_"),
        "status_message": span.status.message,
        "trace_id": span.trace_id.hex(),
        "span_id": span.span_id.hex(),
        "parent": span.parent_span_id.hex() or None,
        "start_ms": _milliseconds(span.start_time_unix_nano, first),
        "duration_ms": (span.end_time_unix_nano - span.start_time_unix_nano) / 1e6,
        "attributes": _attributes(span.attributes),
        "events": [
            {
                "name": event.name,
                "time_ms": _milliseconds(event.time_unix_nano, first),
                "attributes": _attributes(event.attributes),
            }
            for event in span.events
        ],
    }


def _record(scope: Any, record: LogRecord, first: int) -> dict[str, Any]:
    return {
        "event_name": record.event_name or None,
        "scope": {"name": scope.name, "version": scope.version},
        "trace_id": record.trace_id.hex(),
        "span_id": record.span_id.hex(),
        "time_ms": _milliseconds(record.time_unix_nano, first),
        "observed_ms": _milliseconds(record.observed_time_unix_nano, first),
        "body": _value(record.body),
        "attributes": _attributes(record.attributes),
    }


def _milliseconds(at: int, first: int) -> float | None:
    return (at - first) / 1e6 if at else None


def _attributes(pairs: Any) -> dict[str, Any]:
    return {pair.key: _told(pair) for pair in pairs}


def _told(pair: KeyValue) -> Any:
    """The value; of an exception's stack, which names files of this machine, the last line."""
    value = _value(pair.value)
    return value.strip().splitlines()[-1] if pair.key == "exception.stacktrace" else value


def _value(value: AnyValue) -> Any:
    kind = value.WhichOneof("value")
    if kind is None:
        return None
    if kind == "array_value":
        return [_value(each) for each in value.array_value.values]
    if kind == "kvlist_value":
        return _attributes(value.kvlist_value.values)
    return getattr(value, kind)


if __name__ == "__main__":
    main()
