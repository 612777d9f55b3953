"""LangSmith: ``create_feedback`` with a trace id, which is queued; it has no sessions on spans."""

import uuid
from importlib.metadata import version

from langsmith import Client
from measuring import address_and_count, nanoseconds_each, tell

url, count = address_and_count()
client, run = Client(api_url=url, api_key="ls-1"), uuid.uuid4()
ratings = nanoseconds_each(
    lambda: client.create_feedback(run, "thumbs", score=True, trace_id=run, comment="Good."), count
)
tell(version("langsmith"), ratings)
