"""Celery, with its instrumentation: what of a session and a trace reaches a task, and that its ratings leave it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.support.environments import pinned_python
from tests.support.instrumented_apps import APPS, sdk_environment
from tests.support.otlp_sink import OtlpSink, attributes_of, otlp_sink

SOURCES = Path(__file__).parents[3] / "src"
PINS = Path(__file__).parent / "requirements" / "celery.txt"
STOP_SECONDS = 20


@contextmanager
def worker(command: list[str], environment: dict[str, str], log: Path) -> Iterator[None]:
    """A Celery worker until the end of the block. It need not be awaited: its messages wait in a folder."""
    with log.open("w") as output:
        process = subprocess.Popen(command, env=environment, cwd=log.parent, stdout=output, stderr=output)
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@pytest.fixture(scope="module", params=["solo", "prefork"])
def sink(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OtlpSink]:
    """What an app and its worker have sent once the worker has ended."""
    folder, python = tmp_path_factory.mktemp("celery"), str(pinned_python(PINS))
    with otlp_sink() as sink:
        environment = sdk_environment(sink.url) | {
            "QUEUE_FOLDER": str(folder),
            "PYTHONPATH": f"{APPS}:{SOURCES}",
            # So long a delay that nothing leaves by itself.
            "OTEL_BSP_SCHEDULE_DELAY": "600000",
            "OTEL_BLRP_SCHEDULE_DELAY": "600000",
        }
        del environment["DJANGO_SETTINGS_MODULE"]
        instrumented = [python, str(Path(python).with_name("opentelemetry-instrument")), python]
        serving = [*instrumented, "-m", "celery", "-A", "celery_tasks", "worker"]
        with worker([*serving, f"--pool={request.param}", "--concurrency=1"], environment, folder / "worker.log"):
            producing = [*instrumented, str(APPS / "celery_producer.py")]
            done = subprocess.run(producing, env=environment, capture_output=True, text=True, timeout=90, check=False)
            assert done.returncode == 0, done.stderr + (folder / "worker.log").read_text()
        yield sink


def test_a_task_has_the_session_whose_ids_it_is_given_and_none_by_itself(sink: OtlpSink):
    (told,) = [attributes_of(span) for span in sink.spans if span.name == "summary"]
    assert (told["session.id"], told["enduser.pseudo.id"]) == ("c-42", "u-7")
    (untold,) = [attributes_of(span) for span in sink.spans if span.name == "without ids"]
    assert "session.id" not in untold


def test_a_task_is_in_the_trace_of_its_caller(sink: OtlpSink):
    (request,) = [span for span in sink.spans if span.name == "request"]
    named = {"summary", "without ids", "run/celery_tasks.summarise"}
    assert {span.name: span.trace_id for span in sink.spans if span.name in named} == dict.fromkeys(
        named, request.trace_id
    )


def test_tokens_of_a_task_are_good_outside_and_those_of_outside_in_a_task(sink: OtlpSink):
    (call,) = [span for span in sink.spans if span.name == "summary"]
    ratings = {span.name: span for span in sink.spans if span.name.startswith("user_feedback ")}
    assert set(ratings) == {"user_feedback stars", "user_feedback thumbs"}
    for rating in ratings.values():
        assert (rating.trace_id, rating.parent_span_id) == (call.trace_id, call.span_id)
        assert attributes_of(rating)["enduser.pseudo.id"] == "u-7"
