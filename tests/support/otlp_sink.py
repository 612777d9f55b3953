"""A tiny OTLP/HTTP receiver in a thread: keeps the spans and log records that a real exporter sends."""

from __future__ import annotations

import gzip
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.trace.v1.trace_pb2 import Span


class OtlpSink:
    """What has come in so far."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.requests: list[ExportTraceServiceRequest | ExportLogsServiceRequest] = []
        self.spans: list[Span] = []
        self.logs: list[LogRecord] = []

    def wait_for(self, condition: Callable[[OtlpSink], bool], seconds: float = 20) -> None:
        """Until it holds; fails the test with what has come instead."""
        deadline = time.monotonic() + seconds
        while not condition(self):
            names = [span.name for span in self.spans]
            assert time.monotonic() < deadline, f"{seconds} s are over; there are spans {names}, {len(self.logs)} logs"
            time.sleep(0.02)


def attributes_of(record: Span | LogRecord | Span.Event) -> dict[str, Any]:
    """Attributes of one value each."""
    return {each.key: getattr(each.value, str(each.value.WhichOneof("value"))) for each in record.attributes}


@contextmanager
def otlp_sink() -> Iterator[OtlpSink]:
    """A receiver on a free port."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            if self.path == "/v1/traces":
                traces = ExportTraceServiceRequest.FromString(body)
                sink.requests.append(traces)
                for resource in traces.resource_spans:
                    for scope in resource.scope_spans:
                        sink.spans.extend(scope.spans)
            elif self.path == "/v1/logs":
                logs = ExportLogsServiceRequest.FromString(body)
                sink.requests.append(logs)
                for log_group in logs.resource_logs:
                    for log_scope in log_group.scope_logs:
                        sink.logs.extend(log_scope.log_records)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Quietly."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    sink = OtlpSink(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield sink
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=5)
