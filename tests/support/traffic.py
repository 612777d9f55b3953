"""Traffic against a running service that remembers what was acknowledged, and the check that it is there just once."""

from __future__ import annotations

import os
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

import grpc
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from tests.support.otlp import any_value, attributes, log_request, trace_request
from tests.support.service import RunningService, wait_until

from otel_feedback import semconv

TRACES = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
LOGS = "/opentelemetry.proto.collector.logs.v1.LogsService/Export"
METHODS = {"traces": TRACES, "logs": LOGS}
SPANS_PER_REQUEST = 7
WRITTEN_SECONDS = 60.0
LLM_CALL = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.usage.input_tokens": 5,
}


@dataclass
class Acknowledged:
    """What the receiver took, and what it may have taken: the answer of a killed process never came.

    Keys name requests; of the unanswered ones the bytes are kept, to be sent again as a client does.
    """

    requests: set[str] = field(default_factory=set)
    unanswered: dict[str, bytes] = field(default_factory=dict)


class Client(threading.Thread):
    """Sends requests without retrying and remembers those that were acknowledged."""

    def __init__(self, address: str, signal: str, acknowledged: Acknowledged, bytes_each: int = 0) -> None:
        """Requests of spans are made larger by ``bytes_each``."""
        super().__init__(daemon=True)
        self._bytes_each = bytes_each
        self._address = address
        self.signal = signal
        self.error: grpc.RpcError | None = None
        """Why it ended by itself."""
        self._acknowledged = acknowledged
        self._ending = threading.Event()

    def run(self) -> None:
        with grpc.insecure_channel(self._address) as channel:
            export = channel.unary_unary(METHODS[self.signal])
            while not self._ending.is_set():
                key = uuid.uuid4().hex
                request = spans_of(key, self._bytes_each) if self.signal == "traces" else rating_of(key)
                body = request.SerializeToString()
                self._acknowledged.unanswered[key] = body
                try:
                    export(body, timeout=10)
                except grpc.RpcError as error:
                    self.error = error
                    return
                del self._acknowledged.unanswered[key]
                self._acknowledged.requests.add(key)

    def stop(self) -> None:
        self._ending.set()
        self.join(20)
        assert not self.is_alive()


def send_all(address: str, sent: Iterable[tuple[str, bytes]]) -> None:
    """Send requests, each told with its signal, one after the other."""
    with grpc.insecure_channel(address) as channel:
        for signal, body in sent:
            channel.unary_unary(METHODS[signal])(body, timeout=30)


def spans_of(key: str, padding_bytes: int = 0) -> ExportTraceServiceRequest:
    request = trace_request(*[{"test.key": key, **LLM_CALL}] * SPANS_PER_REQUEST)
    request.resource_spans[0].scope_spans[0].spans[0].attributes.extend(
        attributes({"padding": os.urandom(padding_bytes // 2).hex()})
    )
    request.resource_spans[0].scope_spans[0].spans[0].attributes.append(
        attributes({"nested": {"deep": [1]}})[0]  # takes the slow path through the intake
    )
    return request


def rating_of(key: str) -> ExportLogsServiceRequest:
    request = log_request(None)
    record = request.resource_logs[0].scope_logs[0].log_records[0]
    record.event_name = semconv.EVALUATION_EVENT
    record.trace_id, record.span_id = os.urandom(16), os.urandom(8)
    values = {
        semconv.EVALUATION_NAME: "thumbs",
        semconv.EVALUATION_SCORE_VALUE: 1.0,
        semconv.FEEDBACK_ID: str(uuid.uuid4()),
        semconv.ENDUSER_PSEUDO_ID: key,
    }
    record.attributes.extend(attributes(values))
    assert record.attributes[-1].value == any_value(key)
    return request


def send_again(service: RunningService, taken: dict[str, Acknowledged], patience_seconds: float = 30) -> None:
    """What was not answered once more, byte for byte, until it is: some of it may have been taken the first time."""
    deadline = time.monotonic() + patience_seconds
    with grpc.insecure_channel(service.grpc) as channel:
        for signal, acknowledged in taken.items():
            for key, body in list(acknowledged.unanswered.items()):
                while True:
                    try:
                        channel.unary_unary(METHODS[signal])(body, timeout=30, wait_for_ready=True)
                        break
                    except grpc.RpcError as error:
                        if error.code() != grpc.StatusCode.UNAVAILABLE or time.monotonic() > deadline:
                            raise
                        time.sleep(0.1)
                del acknowledged.unanswered[key]
                acknowledged.requests.add(key)


def send_for_a_while(
    service: RunningService, taken: dict[str, Acknowledged], seconds: float, *, bytes_each: int = 0
) -> list[Client]:
    clients = [Client(service.grpc, signal, taken[signal], bytes_each) for signal in ("traces", "traces", "logs")]
    before = sum(len(each.requests) for each in taken.values())
    for client in clients:
        client.start()

    def something_was_acknowledged() -> bool | None:
        return sum(len(each.requests) for each in taken.values()) > before or None

    wait_until(something_was_acknowledged, 20, "nothing was acknowledged")
    time.sleep(seconds)  # how far the queue and the writer have come by then is what the test varies
    return clients


def send_until_it_dies(service: RunningService, taken: dict[str, Acknowledged]) -> None:
    """Send until the service is gone, and remember what was not answered."""
    clients = [Client(service.grpc, signal, taken[signal]) for signal in ("traces", "logs")]
    for client in clients:
        client.start()
    wait_until(service.has_ended, 60, "the service lives on")
    for client in clients:
        client.stop()


def counts(service: RunningService, query: str) -> Counter[str]:
    return Counter({row["Key"]: int(row["Rows"]) for row in service.sql(query)})


def wait_until_written(service: RunningService, patience_seconds: float = WRITTEN_SECONDS) -> None:
    wait_until(lambda: waiting(service) == 0 or None, patience_seconds, "the queue was not written")


def waiting(service: RunningService) -> float:
    return service.metric("otel_feedback_segments_waiting") + service.metric("otel_feedback_queue_bytes")


def check_every_row(service: RunningService, taken: dict[str, Acknowledged]) -> None:
    """Each acknowledged request once, in every table and view, and nothing else."""
    spans = counts(service, "SELECT SpanAttributes['test.key'] AS Key, count() AS Rows FROM otel_traces GROUP BY Key")
    distinct = service.sql("SELECT count() AS Rows, uniqExact(TraceId, SpanId) AS Ids FROM otel_traces")[0]
    assert int(distinct["Rows"]) == int(distinct["Ids"])
    expect_once(spans, taken["traces"], SPANS_PER_REQUEST)
    calls = service.sql("SELECT count() AS Rows, uniqExact(TraceId, SpanId) AS Ids FROM llm_calls")[0]
    assert int(calls["Rows"]) == int(calls["Ids"]) == int(distinct["Rows"])

    logs = counts(
        service, "SELECT LogAttributes['enduser.pseudo.id'] AS Key, count() AS Rows FROM otel_logs GROUP BY Key"
    )
    ratings = counts(service, "SELECT RaterId AS Key, count() AS Rows FROM feedback_events GROUP BY Key")
    current = counts(service, "SELECT RaterId AS Key, count() AS Rows FROM feedback GROUP BY Key")
    for found in (logs, ratings, current):
        expect_once(found, taken["logs"], 1)


def expect_once(found: Counter[str], taken: Acknowledged, rows: int) -> None:
    assert taken.requests
    assert not taken.unanswered, "send_again() comes first"
    lost, others = tally(found, taken, rows)
    assert not lost, f"{len(lost)} of {len(taken.requests)} acknowledged requests are lost"
    assert not others, f"{len(others)} requests have another number of rows than {rows}: {others}"
    assert not set(found) - taken.requests


def tally(found: Counter[str], taken: Acknowledged, rows: int) -> tuple[list[str], dict[str, int]]:
    """Acknowledged requests that are lost, and those with another number of rows than ``rows``."""
    lost = [key for key in taken.requests if key not in found]
    return lost, {key: count for key, count in found.items() if count != rows}
