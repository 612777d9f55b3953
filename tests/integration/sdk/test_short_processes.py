"""Processes that record and end, are frozen or killed: nothing is lost that an exporter could have sent."""

from __future__ import annotations

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
from tests.support.instrumented_apps import INSTRUMENT, sdk_environment
from tests.support.otlp_sink import attributes_of, otlp_sink

import otel_feedback
from otel_feedback.sdk import quiet

RECORD = """
import os
import otel_feedback

submission = otel_feedback.record("thumbs", True, session_id="c-42", rater="u-7")
print(submission, flush=True)
{end}
"""


@pytest.mark.parametrize(
    "end",
    ["", "raise SystemExit(3)", "otel_feedback.flush(); os._exit(0)"],
    ids=["ends", "fails", "flushes, is killed"],
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
        submission = done.stdout.strip()
        assert submission, done.stderr
        assert [attributes_of(log)["otel_feedback.id"] for log in sink.logs] == [submission]
        assert [attributes_of(span.events[0])["otel_feedback.id"] for span in sink.spans] == [submission]


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
