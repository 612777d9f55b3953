"""The chat apps of tests/integration/sdk/apps, each in a process of its own, exporting to a sink."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from tests.support.otlp_sink import OtlpSink, otlp_sink

from otel_feedback.tokens import Grant, Keyring

APPS = Path(__file__).parents[1] / "integration" / "sdk" / "apps"
INSTRUMENT = str(Path(sys.executable).with_name("opentelemetry-instrument"))
HEADER = "otel-feedback-token"
_KEY = "shared"


@dataclass
class RunningApp:
    """A client of the app, and what the app has exported."""

    client: httpx.Client
    sink: OtlpSink
    process: subprocess.Popen[str]
    errors: Path

    def granted(self, response: httpx.Response) -> Grant:
        """What the token of a response lets its reader rate."""
        return self.verified(response.headers[HEADER])

    def verified(self, token: str) -> Grant:
        """What a token lets its reader rate."""
        return Keyring((_KEY,)).verify(token)

    def span(self, name: str) -> Span:
        """The one span of this name, once it is there."""
        self.sink.wait_for(lambda sink: name in {span.name for span in sink.spans})
        (found,) = [span for span in self.sink.spans if span.name == name]
        return found


def sdk_environment(endpoint: str) -> dict[str, str]:
    """What an instrumented process here inherits and is set to."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    return inherited | {
        "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        "OTEL_METRICS_EXPORTER": "none",
        "OTEL_BSP_SCHEDULE_DELAY": "100",
        "OTEL_BLRP_SCHEDULE_DELAY": "100",
        "OTEL_FEEDBACK_SIGNING_KEYS": _KEY,
        "OTEL_FEEDBACK_ALLOWED_ORIGINS": "https://chat.example",
        "PYTHONPATH": str(APPS),
        "DJANGO_SETTINGS_MODULE": "django_settings",
    }


@contextmanager
def running_app(folder: Path, command: list[str], environment: Mapping[str, str] | None = None) -> Iterator[RunningApp]:
    """Start ``command``, which prints its port, under the tests' settings; it is stopped at the end."""
    errors = folder / "stderr"
    with otlp_sink() as sink:
        with errors.open("w") as stderr:
            process = subprocess.Popen(
                command,
                env={**sdk_environment(sink.url), **(environment or {})},
                cwd=folder,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
            )
        assert process.stdout is not None
        try:
            port = process.stdout.readline().strip()
            assert port, errors.read_text()
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=20) as client:
                yield RunningApp(client, sink, process, errors)
        finally:
            process.terminate()
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            process.stdout.close()
