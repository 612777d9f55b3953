"""Langfuse: ``create_score``, which its client queues; sessions by ``propagate_attributes``."""

from importlib.metadata import version

from langfuse import Langfuse, propagate_attributes
from measuring import address_and_count, nanoseconds_each, tell
from opentelemetry.sdk.trace import TracerProvider
from spans import Nowhere, nanoseconds_more

url, count = address_and_count()
provider = TracerProvider()
langfuse = Langfuse(
    public_key="pk-1", secret_key="sk-1", base_url=url, tracer_provider=provider, span_exporter=Nowhere(),
    should_export_span=lambda _: True,
)  # fmt: skip
spans = nanoseconds_more(provider, lambda: propagate_attributes(session_id="conversation-42", user_id="u-7"))
ratings = nanoseconds_each(
    lambda: langfuse.create_score(
        name="thumbs", value=1, trace_id="4bf92f3577b34da6a3ce929d0e0e4736", observation_id="00f067aa0ba902b7",
        data_type="BOOLEAN", comment="Good.",
    ),
    count,
)  # fmt: skip
tell(version("langfuse"), ratings, spans)
