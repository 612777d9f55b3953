"""LLM instrumentations of others, each in an environment of its own, and the app that makes real calls with them.

Their packages are pinned in tests/contract/instrumented/requirements and kept in the cache outside the checkout. The
pins are the complete sets that uv resolved (``uv pip compile --universal --python-version 3.11``), so that what an
instrumentation sends changes only when a pin does.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.support.environments import pinned_python

SOURCES: Final = Path(__file__).parents[1] / "contract" / "instrumented"
CALLS_SECONDS: Final = 120

CONTENT: Final = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
EXPERIMENTAL: Final = {"OTEL_SEMCONV_STABILITY_OPT_IN": "gen_ai_latest_experimental"}


@dataclass(frozen=True)
class Instrumentation:
    """A package in one of its modes. ``requirements`` names its file of pins; without, it is of our own environment."""

    instrumentor: str
    requirements: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)

    def python(self) -> Path:
        """The interpreter of its environment, which the first caller makes."""
        if not self.requirements:
            return Path(sys.executable)
        return pinned_python(SOURCES / "requirements" / f"{self.requirements}.txt")

    def make_calls(self, endpoint: str, service_name: str, model_url: str) -> dict[str, dict[str, str]]:
        """Make every call, export what is told of them to the endpoint, and return the ids of the answers."""
        done = subprocess.run(
            [self.python(), SOURCES / "calls.py"],
            env={
                **_bare_environment(),
                "OPENAI_API_KEY": "none-needed",
                "OPENAI_BASE_URL": f"{model_url}/v1",
                "OTEL_SERVICE_NAME": service_name,
                "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
                "INSTRUMENTOR": json.dumps({"class": self.instrumentor, "options": self.options}),
                **self.environment,
            },
            capture_output=True,
            text=True,
            timeout=CALLS_SECONDS,
            check=False,
        )
        assert done.returncode == 0, f"the app ended with {done.returncode}:\n{done.stdout}{done.stderr}"
        answers: dict[str, dict[str, str]] = json.loads(done.stdout.splitlines()[-1])
        return answers


def official(requirements: str, environment: Mapping[str, str]) -> Instrumentation:
    return Instrumentation("opentelemetry.instrumentation.openai_v2:OpenAIInstrumentor", requirements, environment)


def successor(environment: Mapping[str, str]) -> Instrumentation:
    """What ``otel-feedback demo`` uses."""
    return Instrumentation("opentelemetry.instrumentation.genai.openai:OpenAIInstrumentor", environment=environment)


def openinference(**environment: str) -> Instrumentation:
    return Instrumentation(
        "openinference.instrumentation.openai:OpenAIInstrumentor", "openinference", environment=environment
    )


def traceloop(requirements: str, *, content: bool = True, **options: Any) -> Instrumentation:
    environment = {"TRACELOOP_TRACE_CONTENT": str(content).lower()}
    return Instrumentation(
        "opentelemetry.instrumentation.openai:OpenAIInstrumentor", requirements, environment, options
    )


TELLING: Final = {
    "openai-v2_legacy": official("openai-v2", {CONTENT: "true"}),
    "openai-v2_legacy_older": official("openai-v2-older", {CONTENT: "true"}),
    "openai-v2_span_only": official("openai-v2", {**EXPERIMENTAL, CONTENT: "SPAN_ONLY"}),
    "openai-v2_event_only": official("openai-v2", {**EXPERIMENTAL, CONTENT: "EVENT_ONLY"}),
    "openai-v2_span_and_event": official("openai-v2", {**EXPERIMENTAL, CONTENT: "SPAN_AND_EVENT"}),
    "genai-openai_span_only": successor({CONTENT: "SPAN_ONLY"}),
    "genai-openai_event_only": successor({CONTENT: "EVENT_ONLY"}),
    "openinference_openai_own": openinference(),
    "openinference_openai_dual": openinference(OPENINFERENCE_ENABLE_GENAI_SEMCONV="true"),
    "traceloop_openai_json": traceloop("traceloop"),
    "traceloop_openai_events": traceloop("traceloop", use_attributes=False),
    "traceloop_openai_events_older": traceloop("traceloop-older", use_legacy_attributes=False),
    "traceloop_openai_indexed": traceloop("traceloop-older"),
    "traceloop_openai_indexed_oldest": traceloop("traceloop-oldest"),
}
"""Those that tell what was said, by the names of their recordings in tests/data/dialects."""

SILENT: Final = {
    "openai-v2_legacy_silent": official("openai-v2", {}),
    "openai-v2_experimental_silent": official("openai-v2", {**EXPERIMENTAL, CONTENT: "NO_CONTENT"}),
    "genai-openai_silent": successor({}),
    "openinference_openai_silent": openinference(OPENINFERENCE_HIDE_INPUTS="true", OPENINFERENCE_HIDE_OUTPUTS="true"),
    "traceloop_openai_json_silent": traceloop("traceloop", content=False),
    "traceloop_openai_events_silent": traceloop("traceloop", content=False, use_attributes=False),
    "traceloop_openai_indexed_silent": traceloop("traceloop-older", content=False),
}
"""Those that are told to keep what was said to themselves."""


def _bare_environment() -> dict[str, str]:
    foreign = ("OTEL_", "OPENAI_", "TRACELOOP_", "OPENINFERENCE_", "PYTHON")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    return {**kept, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
