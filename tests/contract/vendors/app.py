"""An app with Langfuse's and Logfire's SDKs, in an environment of its own; it knows nothing of this project.

It sends to OTEL_EXPORTER_OTLP_ENDPOINT and prints, as JSON, the ids of the trace and span that Logfire rates.
"""

import json

import logfire
from langfuse import Langfuse, propagate_attributes
from logfire.experimental.annotations import get_traceparent, record_feedback
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider

langfuse = Langfuse(
    public_key="pk-lf-1",
    secret_key="sk-lf-1",
    base_url="http://127.0.0.1:9",  # where its scores would go
    span_exporter=OTLPSpanExporter(),
    tracer_provider=TracerProvider(),
)
with (
    propagate_attributes(user_id="user-langfuse", session_id="session-langfuse"),
    langfuse.start_as_current_observation(name="request", as_type="span"),
    langfuse.start_as_current_observation(
        as_type="generation",
        name="answer",
        model="gpt-4o-mini",
        input=[{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Capital of France?"}],
    ) as generation,
):
    generation.update(
        output={"role": "assistant", "content": "Paris"}, usage_details={"input": 12, "output": 3, "total": 15}
    )
langfuse.flush()

logfire.configure(send_to_logfire=False, console=False, service_name="logfire-app")  # sends where the variable says
with logfire.span("chat gpt-4o", **{"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o"}) as span:
    rated = get_traceparent(span)
people = {"user.id": "user-logfire"}
record_feedback(rated, "thumbs", True, comment="Right.", extra=people)
record_feedback(rated, "helpful", False, extra=people)
record_feedback(rated, "stars", 4, extra=people)
record_feedback(rated, "accuracy", 0.25, extra=people)
record_feedback(rated, "tone", "rude", extra=people)
logfire.shutdown()
_, trace_id, span_id, _ = rated.split("-")
print(json.dumps({"trace_id": trace_id, "span_id": span_id}))
