"""The app's own call of a model, told as an LLM instrumentation tells it; and a file with what the app records."""

import json
import os

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

from otel_feedback.sdk.carriers import observers

trace.set_tracer_provider(TracerProvider())
tracer = trace.get_tracer("my model")


def ask_model(question):
    with tracer.start_as_current_span("chat", attributes={"gen_ai.operation.name": "chat"}) as span:
        span.set_attribute("gen_ai.response.id", f"answer to {question}")
    return f"{question}? Canberra."


def tell(rating):
    told = {
        "name": rating.name,
        "value": rating.value,
        "label": str(rating.label),
        "comment": rating.comment,
        "maximum": rating.score_max,
        "action": str(rating.action),
        "rater": rating.rater_id,
        "session": rating.target.session_id,
        "response": rating.target.response_id,
    }
    with open(os.environ["RATINGS_FILE"], "a") as file:  # noqa: PTH123  # as short as an app has it
        file.write(json.dumps(told) + "\n")


observers.append(tell)
