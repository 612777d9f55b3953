"""OpenTelemetry's own SDK with exporters that keep what they get in memory, in place of the global providers."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry._logs import _internal as logs_api
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import Sampler

from otel_feedback import semconv
from otel_feedback.sdk import configuration, quiet


@dataclass(frozen=True)
class Telemetry:
    """What was exported, and a tracer of the provider in place."""

    provider: TracerProvider
    logger_provider: LoggerProvider
    span_exporter: InMemorySpanExporter
    log_exporter: InMemoryLogRecordExporter

    @property
    def tracer(self) -> trace.Tracer:
        return self.provider.get_tracer("test")

    @property
    def spans(self) -> list[ReadableSpan]:
        self.provider.force_flush()  # which waits for ratings that are on their way
        return list(self.span_exporter.get_finished_spans())

    @property
    def logs(self) -> list[Any]:
        self.logger_provider.force_flush()
        return [each.log_record for each in self.log_exporter.get_finished_logs()]

    @property
    def carriers(self) -> list[ReadableSpan]:
        return [span for span in self.spans if span.name.startswith(semconv.CARRIER_SPAN_PREFIX)]

    def span(self, name: str) -> ReadableSpan:
        """The one span of this name."""
        (found,) = [span for span in self.spans if span.name == name]
        return found

    def llm_call(self, name: str = "chat", response_id: str = "chatcmpl-1") -> trace.SpanContext:
        """An LLM call that begins and ends in the current context, as an instrumentation makes it."""
        attributes = {semconv.OPERATION_NAME: "chat"}
        with self.tracer.start_as_current_span(name, attributes=attributes) as span:
            span.set_attribute(semconv.RESPONSE_ID, response_id)
        return span.get_span_context()


@contextmanager
def in_memory_telemetry(sampler: Sampler | None = None) -> Iterator[Telemetry]:
    """Put fresh providers in place of the global ones, and the previous ones back at the end."""
    provider = TracerProvider(sampler=sampler, shutdown_on_exit=False)
    logger_provider = LoggerProvider(shutdown_on_exit=False)
    telemetry = Telemetry(provider, logger_provider, InMemorySpanExporter(), InMemoryLogRecordExporter())
    provider.add_span_processor(SimpleSpanProcessor(telemetry.span_exporter))
    logger_provider.add_log_record_processor(SimpleLogRecordProcessor(telemetry.log_exporter))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trace, "_TRACER_PROVIDER", provider)
        patch.setattr(logs_api, "_LOGGER_PROVIDER", logger_provider)
        yield telemetry
        provider.shutdown()
        logger_provider.shutdown()


@pytest.fixture
def telemetry(sdk_settings: pytest.MonkeyPatch) -> Iterator[Telemetry]:  # noqa: ARG001  # settings come first
    """Exports of this test alone."""
    with in_memory_telemetry() as made:
        yield made


@pytest.fixture
def sdk_settings(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """A signing key and no other setting; ``setenv`` on it changes what the SDK reads, before its first use."""
    for variable in [name for name in os.environ if name.startswith("OTEL_FEEDBACK_")]:
        monkeypatch.delenv(variable)
    monkeypatch.delenv("OTEL_EXPORTER_OTLP_ENDPOINT", raising=False)
    monkeypatch.setenv("OTEL_FEEDBACK_SIGNING_KEYS", "key-of-this-test")
    configuration.forget()
    quiet.forget()
    yield monkeypatch
    configuration.forget()
    quiet.forget()
