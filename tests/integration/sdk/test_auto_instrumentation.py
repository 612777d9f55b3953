"""`opentelemetry-instrument python app.py` and nothing else, with real exporters."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from tests.support.otlp_sink import OtlpSink, attributes_of, otlp_sink

from otel_feedback.rating import Scope
from otel_feedback.tokens import Keyring

APP = Path(__file__).with_name("instrumented_app.py")
INSTRUMENT = Path(sys.executable).with_name("opentelemetry-instrument")
HEADER = "otel-feedback-token"


@dataclass
class Running:
    chat: httpx.Client
    sink: OtlpSink


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    with otlp_sink() as sink:
        environment |= {
            "OTEL_EXPORTER_OTLP_ENDPOINT": sink.url,
            "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
            "OTEL_METRICS_EXPORTER": "none",
            "OTEL_BSP_SCHEDULE_DELAY": "100",
            "OTEL_BLRP_SCHEDULE_DELAY": "100",
            "OTEL_FEEDBACK_SIGNING_KEYS": "shared",
        }
        process = subprocess.Popen(
            [INSTRUMENT, sys.executable, APP],
            env=environment,
            cwd=tmp_path_factory.mktemp("chat"),
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        try:
            port = int(process.stdout.readline())
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=20) as chat:
                yield Running(chat, sink)
        finally:
            process.terminate()
            process.wait(timeout=20)
            process.stdout.close()


def test_an_answer_carries_a_token_and_a_click_comes_out_as_otlp(running):
    response = running.chat.get("/answer")
    grant = Keyring(("shared",)).verify(response.headers[HEADER])
    assert (grant.target.scope, grant.target.session_id, grant.rater_id) == (Scope.SPAN, "c-42", "u-7")
    body = {"token": response.headers[HEADER], "name": "thumbs", "value": True}
    submission = running.chat.post("/v1/feedback", json=body).json()["id"]
    names = {"chat", "user_feedback thumbs"}
    running.sink.wait_for(lambda sink: names <= {span.name for span in sink.spans} and len(sink.logs) == 1)
    (call,) = [span for span in running.sink.spans if span.name == "chat"]
    (carrier,) = [span for span in running.sink.spans if span.name == "user_feedback thumbs"]
    assert attributes_of(call)["session.id"] == "c-42"
    assert call.span_id.hex() == grant.target.span_id
    assert (carrier.trace_id, carrier.parent_span_id, carrier.links[0].span_id) == (
        call.trace_id,
        call.span_id,
        call.span_id,
    )
    (log,) = running.sink.logs
    assert (log.event_name, log.span_id) == ("gen_ai.evaluation.result", call.span_id)
    for record in (carrier, carrier.events[0], log):
        assert attributes_of(record)["otel_feedback.id"] == submission
        assert attributes_of(record)["gen_ai.evaluation.score.value"] == 1.0


def test_a_stream_carries_a_token_for_its_trace(running):
    response = running.chat.get("/stream")
    assert response.text == "Canberra"
    target = Keyring(("shared",)).verify(response.headers[HEADER]).target
    assert target.scope is Scope.TRACE
    running.sink.wait_for(lambda sink: "streamed chat" in {span.name for span in sink.spans})
    (call,) = [span for span in running.sink.spans if span.name == "streamed chat"]
    assert call.trace_id.hex() == target.trace_id


def test_the_widget_is_served(running):
    assert "customElements.define" in running.chat.get("/feedback.js").text
