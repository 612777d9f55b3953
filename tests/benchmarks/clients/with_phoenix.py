"""Phoenix: ``add_span_annotation``, an HTTP request each; sessions by OpenInference's ``using_attributes``."""

from importlib.metadata import version

from measuring import address_and_count, nanoseconds_each, tell
from openinference.instrumentation import TracerProvider, using_attributes
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from phoenix.client import Client
from spans import Nowhere, nanoseconds_more

url, count = address_and_count()
provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(Nowhere()))
spans = nanoseconds_more(provider, lambda: using_attributes(session_id="conversation-42", user_id="u-7"))
client = Client(base_url=url, api_key="phoenix-1")
ratings = nanoseconds_each(
    lambda: client.spans.add_span_annotation(
        span_id="00f067aa0ba902b7", annotation_name="thumbs", annotator_kind="HUMAN", label="positive", score=1.0,
        explanation="Good.", sync=False,
    ),
    count,
)  # fmt: skip
tell(version("arize-phoenix-client"), ratings, spans)
