"""What the demo asks of the running service: whether it is ready, SQL, and to take OTLP."""

from __future__ import annotations

import http.client
import importlib.resources
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from otel_feedback.demo.local_http import Answer, call
from otel_feedback.demo.processes import DemoError
from otel_feedback.running_service import read_state

_IMPORT_TIMEOUT_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class RunningService:
    """The addresses of the service, with the token for its SQL and the headers for its OTLP port."""

    http: str
    dashboard: str
    api_token: str
    otlp_headers: Mapping[str, str]

    @classmethod
    def find(cls, data_dir: Path, pid: int, ingest_tokens: tuple[str, ...]) -> RunningService | None:
        """The service with this process id, once it is ready; None until then."""
        try:
            state = read_state(data_dir)
            if state is None or state.pid != pid or call("GET", f"{state.http}/readyz").status != 200:
                return None
        except (ConnectionError, http.client.HTTPException):
            return None
        headers = {"Authorization": f"Bearer {ingest_tokens[0]}"} if ingest_tokens else {}
        return cls(state.http, state.dashboard, state.api_token, headers)

    def rows(self, name: str, **parameters: Any) -> list[dict[str, Any]]:
        """The rows of the query ``sql/<name>.sql``.

        Raises:
            DemoError: the service or the database refuses it.
        """
        query = importlib.resources.files("otel_feedback.demo").joinpath("sql", f"{name}.sql").read_text("utf-8")
        answer = call(
            "POST",
            f"{self.dashboard}/api/sql",
            {"query": query, "parameters": parameters, "format": "JSONEachRow"},
            {"Authorization": f"Bearer {self.api_token}"},
        )
        _expect_200(answer, "answer a query")
        return [json.loads(line) for line in answer.body.splitlines()]

    def export_traces(self, request: bytes) -> None:
        """Send an ExportTraceServiceRequest; once this returns the service has it on disk.

        Raises:
            DemoError: the service refuses it.
        """
        headers = {"Content-Type": "application/x-protobuf", **self.otlp_headers}
        answer = call("POST", f"{self.http}/v1/traces", request, headers, timeout_seconds=_IMPORT_TIMEOUT_SECONDS)
        _expect_200(answer, "take the made-up history")

    def is_queue_empty(self) -> bool:
        """Whether the database has everything that was sent."""
        lines = call("GET", f"{self.http}/metrics").body.decode().splitlines()
        waiting = [line.rpartition(" ")[2] for line in lines if line.startswith("otel_feedback_queue_bytes")]
        return not any(map(float, waiting))


def _expect_200(answer: Answer, what: str) -> None:
    if answer.status != 200:
        said = answer.body[:300].decode(errors="replace")
        raise DemoError(f"The service does not {what} (HTTP status {answer.status}): {said}")
