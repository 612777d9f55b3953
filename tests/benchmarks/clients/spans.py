"""What a session costs a span: with the client's provider inside its session, and with OpenTelemetry's alone."""

import statistics
import time
from contextlib import nullcontext

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

SPANS_A_ROUND = 500
ROUNDS = 40


class Nowhere(SpanExporter):
    """Takes everything and keeps nothing."""

    def export(self, _):
        return SpanExportResult.SUCCESS


KINDS = {"span": {"db.system.name": "postgresql"}, "call": {"gen_ai.operation.name": "chat"}}
"""What a session costs: any span, and one that is an LLM call; by an attribute of each."""


def nanoseconds_more(provider, session):
    """By kind, a span inside ``session()``, less one of a provider that has a batch processor and nothing else."""
    return {kind: _nanoseconds_more(provider, session, attributes) for kind, attributes in KINDS.items()}


def _nanoseconds_more(provider, session, attributes):
    """The median of rounds that take turns, so that whatever else the machine does falls on both."""
    plain = TracerProvider(shutdown_on_exit=False)
    plain.add_span_processor(BatchSpanProcessor(Nowhere()))
    _round(plain, nullcontext, attributes)
    _round(provider, session, attributes)
    return statistics.median(
        _round(provider, session, attributes) - _round(plain, nullcontext, attributes) for _ in range(ROUNDS)
    )


def _round(provider, session, attributes):
    tracer = provider.get_tracer("benchmark")
    with session():
        began = time.perf_counter_ns()
        for _ in range(SPANS_A_ROUND):
            tracer.start_span("work", attributes=attributes).end()
        taken = time.perf_counter_ns() - began
    provider.force_flush()
    return taken / SPANS_A_ROUND
