"""otel-feedback: a rating by token, over OTLP/HTTP, as spans and as log records."""

from measuring import address_and_count, nanoseconds_each, tell
from opentelemetry import trace
from opentelemetry._logs import set_logger_provider
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from spans import Nowhere, nanoseconds_more

import otel_feedback

url, count = address_and_count()

provider, logs = TracerProvider(), LoggerProvider()
provider.add_span_processor(BatchSpanProcessor(Nowhere()))
trace.set_tracer_provider(provider)
otel_feedback.instrument()
spans = nanoseconds_more(provider, lambda: otel_feedback.session("conversation-42", user="u-7"))

provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(f"{url}/v1/traces")))
logs.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter(f"{url}/v1/logs")))
set_logger_provider(logs)
with otel_feedback.session("conversation-42", user="u-7"):
    provider.get_tracer("app").start_span("chat", attributes={"gen_ai.operation.name": "chat"}).end()
    token = otel_feedback.feedback_token()
ratings = nanoseconds_each(lambda: otel_feedback.record("thumbs", True, target=token, comment="Good."), count)
tell(otel_feedback.__version__, ratings, spans)
