"""``make bench-sdk``: what a rating and a session cost an app, beside the clients of Langfuse, LangSmith and Phoenix.

Each client runs in an environment of its own with pinned packages, and sends to a server on this machine that takes
everything at once, so no network is measured.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

from tests.support.environments import pinned_python

CLIENTS: Final = Path(__file__).parent / "clients"
SOURCES: Final = Path(__file__).parents[2] / "src"
RUN_SECONDS: Final = 300
IMPORTS: Final = {
    "otel-feedback": "import otel_feedback",
    "langfuse": "from langfuse import Langfuse",
    "langsmith": "from langsmith import Client",
    "phoenix": "from phoenix.client import Client",
}
INFO: Final = {"version": "0.12.0", "batch_ingest_config": {"use_multipart_endpoint": True}}
"""What LangSmith's client asks of its server first: whether it may send in batches."""


@dataclass(frozen=True)
class Costs:
    """Of one client; ``span_microseconds`` by kind of span, and none where it has no sessions on spans."""

    version: str
    rating_p50_microseconds: float
    rating_p99_microseconds: float
    span_microseconds: dict[str, float]
    import_milliseconds: float


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench-sdk", description=__doc__)
    parser.add_argument("--clients", nargs="+", choices=IMPORTS, default=list(IMPORTS))
    parser.add_argument("--ratings", type=int, default=1000, help="of each client")
    parser.add_argument("--imports", type=int, default=15, help="of each client")
    arguments = parser.parse_args()
    print(table({name: measure(name, arguments.ratings, arguments.imports) for name in arguments.clients}))


def measure(name: str, ratings: int, imports: int) -> Costs:
    """Run one client."""
    python = pinned_python(CLIENTS / "requirements" / f"{name}.txt")
    with taking_everything() as url:
        told = json.loads(_run(python, str(CLIENTS / f"with_{name.replace('-', '_')}.py"), url, str(ratings)))
    percentiles = [each / 1000 for each in statistics.quantiles(told["ratings"], n=100)]
    spans = {kind: nanoseconds / 1000 for kind, nanoseconds in told["spans"].items()}
    import_milliseconds = _import_milliseconds(python, name, imports)
    return Costs(told["version"], percentiles[49], percentiles[98], spans, import_milliseconds)


def table(costs: dict[str, Costs]) -> str:
    """In Markdown."""
    rows = [
        "| client | version | a rating, p50 | p99 | a span in a session | an LLM call | import |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, cost in costs.items():
        spans = [f"{each:+.1f} µs" for each in cost.span_microseconds.values()] or ["none", "none"]
        rating = f"{cost.rating_p50_microseconds:.0f} µs | {cost.rating_p99_microseconds:.0f} µs"
        rows.append(f"| {name} | {cost.version} | {rating} | {' | '.join(spans)} | {cost.import_milliseconds:.0f} ms |")
    return "\n".join(rows)


@contextmanager
def taking_everything() -> Iterator[str]:
    """The address of a server that answers every request with success."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = -1

        def do_GET(self) -> None:
            self._answer(INFO)

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            is_otlp = self.path.startswith("/v1/") and not self.path.startswith("/v1/span_annotations")
            self._answer(None if is_otlp else {"data": [], "successes": [], "errors": []})

        def _answer(self, content: Any) -> None:
            body = b"" if content is None else json.dumps(content).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Quietly."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=5)


def _import_milliseconds(python: Path, name: str, count: int) -> float:
    """A process that imports the client, without what one takes that imports nothing; medians."""
    return 1000 * (_start_seconds(python, IMPORTS[name], count) - _start_seconds(python, "pass", count))


def _start_seconds(python: Path, code: str, count: int) -> float:
    taken = []
    for number in range(count + 1):
        began = time.perf_counter()
        _run(python, "-c", code)
        if number:  # the first one writes the .pyc files
            taken.append(time.perf_counter() - began)
    return statistics.median(taken)


def _run(python: Path, *arguments: str) -> str:
    foreign = ("OTEL_", "LANGFUSE_", "LANGSMITH_", "LANGCHAIN_", "PHOENIX_", "PYTHON")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    environment = {**kept, "OTEL_FEEDBACK_SIGNING_KEYS": "key", "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
    environment["PYTHONPATH"] = str(SOURCES)
    done = subprocess.run(
        [str(python), *arguments], env=environment, capture_output=True, text=True, timeout=RUN_SECONDS, check=False
    )
    assert done.returncode == 0, f"{arguments}:\n{done.stdout}{done.stderr}"
    return done.stdout


if __name__ == "__main__":
    main()
