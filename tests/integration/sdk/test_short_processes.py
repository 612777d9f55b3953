"""Processes that record and end, are frozen or killed: nothing is lost that an exporter could have sent."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import textwrap
import time

import pytest
from opentelemetry._logs import _internal as logs_api
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from tests.support.instrumented_apps import APPS, HEADER, INSTRUMENT, running_app, sdk_environment
from tests.support.otlp_sink import attributes_of, otlp_sink

import otel_feedback
from otel_feedback.sdk import quiet

RECORD = """
import os
from opentelemetry import _logs, trace
import otel_feedback

providers = trace.get_tracer_provider(), _logs.get_logger_provider()

def flush_providers():
    [provider.force_flush() for provider in providers]

def shut_providers_down():
    [provider.shutdown() for provider in providers]

submission = otel_feedback.record("thumbs", True, session_id="c-42", rater="u-7")
{end}
"""


def test_a_rating_leaves_an_app_that_uvicorn_was_told_to_end(tmp_path):
    """uvicorn ends by the signal that it got, so that nothing registered for the exit runs."""
    so_long = {"OTEL_BSP_SCHEDULE_DELAY": "600000", "OTEL_BLRP_SCHEDULE_DELAY": "600000"}
    command = [INSTRUMENT, sys.executable, str(APPS / "fastapi_app.py")]
    with running_app(tmp_path, command, so_long) as app:
        token = app.client.get("/answer").headers[HEADER]
        given = app.client.post("/v1/feedback", json={"token": token, "name": "thumbs", "value": True})
        assert given.status_code == 202
        app.process.terminate()
        assert app.process.wait(20) == -signal.SIGTERM
        assert "user_feedback thumbs" in {span.name for span in app.sink.spans}


@pytest.mark.parametrize(
    "end",
    [
        "",
        "raise SystemExit(3)",
        "otel_feedback.flush(); os._exit(0)",
        "flush_providers(); os._exit(0)",
        "shut_providers_down(); os._exit(0)",
    ],
    ids=["ends", "fails", "flushes, is killed", "flushes providers", "shuts providers down"],
)
def test_a_rating_leaves_the_process_before_it_is_gone(tmp_path, end):
    with otlp_sink() as sink:
        # So long a delay that nothing leaves by itself.
        environment = {
            **sdk_environment(sink.url),
            "OTEL_BSP_SCHEDULE_DELAY": "600000",
            "OTEL_BLRP_SCHEDULE_DELAY": "600000",
        }
        command = [INSTRUMENT, sys.executable, "-c", RECORD.format(end=end)]
        done = subprocess.run(
            command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
        )
        assert [attributes_of(log)["session.id"] for log in sink.logs] == ["c-42"], done.stderr
        assert [attributes_of(span.events[0])["session.id"] for span in sink.spans] == ["c-42"]


def test_many_ratings_leave_in_their_order_through_providers_that_came_later(tmp_path):
    """The process ends at once, with most of them still waiting; none is lost, whoever registered at exit when."""
    code = textwrap.dedent("""
        import sys
        import otel_feedback
        from opentelemetry import _logs, trace
        from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
        from opentelemetry.sdk._logs import LoggerProvider
        from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
        from opentelemetry.sdk.trace import TracerProvider

        otel_feedback.record("thumbs", True, session_id="before there is a provider")
        otel_feedback.flush()
        trace.set_tracer_provider(TracerProvider())
        logs = LoggerProvider()
        logs.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter(), schedule_delay_millis=600_000))
        _logs.set_logger_provider(logs)
        sys.setswitchinterval(10)  # the main thread goes on alone
        for number in range(1500):
            otel_feedback.record("stars", number, session_id="c-42")
    """)
    with otlp_sink() as sink:
        environment = {**sdk_environment(sink.url), "OTEL_FEEDBACK_RATINGS_AS": "logs"}
        subprocess.run([sys.executable, "-c", code], env=environment, cwd=tmp_path, check=True, timeout=60)
        scores = [attributes_of(log)["gen_ai.evaluation.score.value"] for log in sink.logs]
    assert scores == list(range(1500))


def test_ratings_of_a_forked_child_leave_with_it(tmp_path):
    """As multiprocessing and prefork workers end: without Python's exit handlers."""
    code = textwrap.dedent("""
        import os
        import otel_feedback

        otel_feedback.record("thumbs", True, session_id="parent")
        child = os.fork()
        if child == 0:
            otel_feedback.record("thumbs", True, session_id="child")
            otel_feedback.flush()
            os._exit(0)
        os.waitpid(child, 0)
    """)
    with otlp_sink() as sink:
        command = [INSTRUMENT, sys.executable, "-W", "ignore::DeprecationWarning", "-c", code]
        subprocess.run(command, env=sdk_environment(sink.url), cwd=tmp_path, check=True, timeout=60)
        assert sorted(attributes_of(log)["session.id"] for log in sink.logs) == ["child", "parent"]


def test_without_providers_there_is_nothing_to_flush(monkeypatch):
    monkeypatch.setattr("opentelemetry.trace._TRACER_PROVIDER", None)
    monkeypatch.setattr(logs_api, "_LOGGER_PROVIDER", None)
    assert otel_feedback.flush()


def test_a_flush_that_nobody_answers_gives_up_in_time_and_says_so(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as hanging:
        exporter = OTLPSpanExporter(f"http://127.0.0.1:{hanging.getsockname()[1]}/v1/traces", timeout=3)
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(BatchSpanProcessor(exporter))
        monkeypatch.setattr("opentelemetry.trace._TRACER_PROVIDER", provider)
        provider.get_tracer("test").start_span("a").end()
        began = time.monotonic()
        assert not otel_feedback.flush(timeout_seconds=0.2)
        assert time.monotonic() - began < 2.5
        provider.shutdown()


def test_a_flush_that_fails_is_told_and_not_raised(monkeypatch, caplog):
    class Broken(TracerProvider):
        def force_flush(self, timeout_millis: int = 30_000) -> bool:  # noqa: ARG002  # the SDK's signature
            raise OSError("on purpose")

    quiet.forget()
    monkeypatch.setattr("opentelemetry.trace._TRACER_PROVIDER", Broken(shutdown_on_exit=False))
    assert not otel_feedback.flush()
    assert "flushing the exporters failed" in caplog.text
