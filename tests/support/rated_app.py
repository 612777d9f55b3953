"""An app with the SDK: it answers questions, each in a trace of its own, and people rate some of the answers.

It runs as a process of its own (``run_app``) and sends with the official exporters to where OTEL_EXPORTER_OTLP_ENDPOINT
says. What to do comes as JSON on standard input; what it did is printed as JSON, a list with one object an answer.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from typing import Any

from opentelemetry import trace
from opentelemetry._logs import set_logger_provider
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

import otel_feedback

SPANS = 4
"""Of each answer: the request, a retrieval, the LLM call and what comes after it."""
QUESTION = "Where is my order?"


@dataclass(frozen=True)
class Plan:
    """What the app is to do. Answers are numbered; their users are ``user-0``, ``user-1`` ..."""

    answers: int = 0
    rated: tuple[int, ...] = ()
    failed: tuple[int, ...] = ()
    marked: tuple[int, ...] = ()
    """Of people whom the app knows as raters."""
    days_ago: float = 0
    prompt: str = QUESTION
    comment: str = ""
    late: tuple[str, ...] = ()
    """``traceparent`` of answers of before, which are rated now."""


@dataclass(frozen=True)
class Answer:
    """One answer: where it is, and whose."""

    trace_id: str
    traceparent: str
    user: str


def run_app(endpoint: str, plan: Plan) -> list[Answer]:
    """Run the app until everything is sent; fails if an exporter could not send."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.rated_app"],
        env={**inherited, "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, "OTEL_SERVICE_NAME": "shop"},
        input=json.dumps(asdict(plan)),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Failed to export" not in done.stderr, done.stderr
    return [Answer(**each) for each in json.loads(done.stdout)]


def main() -> None:
    """Do what standard input says."""
    tracers = TracerProvider()
    tracers.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(tracers)
    loggers = LoggerProvider()
    loggers.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter()))
    set_logger_provider(loggers)
    otel_feedback.instrument()
    plan = Plan(**json.load(sys.stdin))
    answers = [answer(plan, number) for number in range(plan.answers)]
    for traceparent in plan.late:
        otel_feedback.record("thumbs", False, target=traceparent, rater="late-rater", comment=plan.comment)
    otel_feedback.flush()
    tracers.shutdown()
    loggers.shutdown()
    print(json.dumps([asdict(each) for each in answers]))


def answer(plan: Plan, number: int) -> Answer:
    """One answer, rated if the plan says so, a second after another."""
    tracer = trace.get_tracer("shop")
    user = f"user-{number}"
    at = time.time_ns() - int(plan.days_ago * 86_400e9)
    attributes = {"app.rater": "true"} if number in plan.marked else {}
    with otel_feedback.session(f"conversation-{number}", user=user, attributes=attributes):
        root = tracer.start_span("POST /chat", start_time=at)
        inside = trace.set_span_in_context(root)
        tracer.start_span("retrieve", inside, start_time=at).end(at + 1_000_000)
        call = tracer.start_span("chat gpt-4o", inside, start_time=at, attributes=call_attributes(plan.prompt))
        if number in plan.failed:
            call.set_status(trace.StatusCode.ERROR, "overloaded")
        call.end(at + 2_000_000)
        tracer.start_span("store", inside, start_time=at + 2_000_000).end(at + 3_000_000)
        root.end(at + 4_000_000)
        if number in plan.rated:
            otel_feedback.record("thumbs", True, target=call, rater=user, comment=plan.comment)
    context = call.get_span_context()
    trace_id = f"{context.trace_id:032x}"
    return Answer(trace_id, f"00-{trace_id}-{context.span_id:016x}-01", user)


def call_attributes(prompt: str) -> dict[str, Any]:
    """An LLM call as the GenAI conventions have it."""
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.usage.input_tokens": 12,
        "gen_ai.usage.output_tokens": 3,
        "gen_ai.input.messages": json.dumps([{"role": "user", "parts": [{"type": "text", "content": prompt}]}]),
        "gen_ai.output.messages": json.dumps(
            [{"role": "assistant", "parts": [{"type": "text", "content": "On its way."}], "finish_reason": "stop"}]
        ),
    }


if __name__ == "__main__":
    main()
