"""gunicorn's workers: each has its own exporters and its own memory; they share keys."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.support.instrumented_apps import APPS, HEADER, INSTRUMENT, RunningApp, running_app
from tests.support.otlp_sink import attributes_of

GUNICORN = str(Path(sys.executable).with_name("gunicorn"))


@pytest.fixture(
    scope="module",
    params=[(), ("--preload",), ("--threads=4",), ("-k", "gevent")],
    ids=["sync", "preload", "threads", "gevent"],
)
def chat(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    command = [INSTRUMENT, GUNICORN, "-w", "2", "-c", str(APPS / "gunicorn_conf.py"), *request.param, "preforked:app"]
    with running_app(tmp_path_factory.mktemp("gunicorn"), command) as running:
        yield running


@contextmanager
def stopped(worker: int) -> Iterator[None]:
    """Leave every request to the other worker."""
    os.kill(worker, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(worker, signal.SIGCONT)


def test_a_token_of_one_worker_is_good_in_the_other_and_every_rating_arrives(chat):
    close = {"Connection": "close"}
    tokens: dict[int, str] = {}
    for _ in range(200):
        response = chat.client.get("/answer", headers=close)
        tokens[int(response.headers["X-Worker"])] = response.headers[HEADER]
        if len(tokens) == 2:
            break
    else:
        with stopped(*tokens):
            response = chat.client.get("/answer", headers=close)
            tokens[int(response.headers["X-Worker"])] = response.headers[HEADER]
    assert len(tokens) == 2
    submissions = set()
    for worker, token in tokens.items():
        with stopped(worker):
            body = {"token": token, "name": "thumbs", "value": True}
            taken = chat.client.post("/v1/feedback", json=body, headers=close)
            assert taken.status_code == 202
            submissions.add(taken.json()["id"])
    chat.sink.wait_for(lambda sink: len(sink.logs) >= 2)
    assert {attributes_of(log)["otel_feedback.id"] for log in chat.sink.logs} == submissions
    chat.sink.wait_for(lambda sink: sum(span.name == "user_feedback thumbs" for span in sink.spans) == 2)
    rated = {grant.target.span_id for grant in map(chat.verified, tokens.values())}
    carriers = [span for span in chat.sink.spans if span.name == "user_feedback thumbs"]
    assert {carrier.parent_span_id.hex() for carrier in carriers} == rated


def test_workers_answer_streams_with_their_session(chat):
    assert chat.client.get("/stream").text == "Canberra"
    assert attributes_of(chat.span("streamed chat"))["session.id"] == "c-42"


def test_ratings_of_a_worker_that_is_told_to_end_are_sent_before(chat):
    token = chat.client.get("/answer").headers[HEADER]
    chat.sink.logs.clear()
    taken = chat.client.post("/v1/feedback", json={"token": token, "name": "stars", "value": 4})
    chat.process.terminate()
    chat.process.wait(20)
    assert [attributes_of(log)["otel_feedback.id"] for log in chat.sink.logs] == [taken.json()["id"]]
