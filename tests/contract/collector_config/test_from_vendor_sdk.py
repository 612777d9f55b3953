"""What the SDKs of Langfuse and Logfire send becomes LLM calls and ratings, and still reaches the vendor as it was."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

from tests.support.collector_config import configured_collector
from tests.support.environments import pinned_python
from tests.support.otlp_sink import attributes_of, otlp_sink
from tests.support.service import running_service

VENDORS = Path(__file__).parents[1] / "vendors"


def run_vendors_app(endpoint: str) -> dict[str, str]:
    """The ids that the app prints."""
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "LANGFUSE_", "LOGFIRE_"))
    }
    done = subprocess.run(
        [pinned_python(VENDORS / "requirements.txt"), VENDORS / "app.py"],
        env={**inherited, "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, str] = json.loads(done.stdout)
    return found


def test_vendors_spans_become_calls_and_ratings(tmp_path: Path):
    with otlp_sink() as vendor, running_service(tmp_path / "data") as service:
        environment = {"OTEL_FEEDBACK_OTLP": service.http, "BACKEND_OTLP": vendor.url}
        with configured_collector("from-vendor-sdk.yaml", tmp_path, environment) as collector:
            rated = run_vendors_app(collector.http)
            rows = service.wait_for_rows("SELECT * FROM rated_llm_calls ORDER BY Name", 5)
            (call,) = service.wait_for_rows("SELECT * FROM llm_calls WHERE SessionId = 'session-langfuse'")
            vendor.wait_for(lambda sink: len(sink.spans) == 2 + 1 + 5)
    assert {(row["TraceId"], row["SpanId"], row["RaterId"]) for row in rows} == {
        (rated["trace_id"], rated["span_id"], "user-logfire")
    }
    assert [(row["Name"], row["Value"], row["Label"], row["Comment"]) for row in rows] == [
        ("accuracy", 0.25, "", ""),
        ("helpful", 0, "negative", ""),
        ("stars", 4, "", ""),
        ("thumbs", 1, "positive", "Right."),
        ("tone", None, "rude", ""),
    ]
    assert {
        name: call[name] for name in ("UserId", "RequestModel", "InputTokens", "OutputTokens", "Prompt", "Completion")
    } == {
        "UserId": "user-langfuse",
        "RequestModel": "gpt-4o-mini",
        "InputTokens": 12,
        "OutputTokens": 3,
        "Prompt": "Capital of France?",
        "Completion": "Paris",
    }
    sent = {span.name: attributes_of(span) for span in vendor.spans}
    assert "gen_ai.request.model" not in sent["answer"]
    assert sent["feedback: thumbs"]["logfire.feedback.comment"] == "Right."
