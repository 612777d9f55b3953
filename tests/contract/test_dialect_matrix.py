"""Real LLM instrumentations, in their modes, against the running service: ``llm_calls`` tells each call alike."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from tests.support.http_app import serve
from tests.support.instrumentations import SILENT, TELLING
from tests.support.service import RunningService, wait_until
from tests.support.told_calls import CALLS, expected_call, shown_call

from otel_feedback.demo.model_server import app

KNOWN = {**TELLING, **SILENT}
WITHOUT_EMBEDDINGS = {"openai-v2_legacy_older"}
"""The official package of early 2025 has spans of chats alone."""
APPS_AT_ONCE = 3
STORED_SECONDS = 30.0
COLUMNS = """Operation, Provider, RequestModel, ResponseModel, ResponseId, InputTokens, OutputTokens, TotalTokens,
       CacheReadTokens, CacheWriteTokens, ReasoningTokens, TimeToFirstChunk > 0 AS HasFirstChunk, Temperature,
       MaxTokens, FinishReason, SystemInstructions, InputMessages, OutputMessages, Prompt, Completion, Tools,
       call.StatusCode, ErrorType"""
CALLS_OF_CASE = f"""
SELECT {COLUMNS}
FROM llm_calls AS call
INNER JOIN otel_traces AS app ON app.TraceId = call.TraceId AND app.SpanId = call.ParentSpanId
WHERE call.ServiceName = {{name:String}} AND app.ServiceName = {{name:String}} AND app.SpanName = {{case:String}}
"""  # noqa: S608  # our own columns
SPANS_OF_CASE = """
SELECT span.SpanId IN (SELECT SpanId FROM llm_calls) AS IsCall
FROM otel_traces AS span
INNER JOIN otel_traces AS app ON app.TraceId = span.TraceId AND app.SpanId = span.ParentSpanId
WHERE app.ServiceName = {name:String} AND app.SpanName = {case:String}
"""
Answers = dict[str, dict[str, str]]


@pytest.fixture(scope="module")
def apps(request: pytest.FixtureRequest, service: RunningService) -> dict[str, Future[Answers]]:
    """The apps of the tests that are to run, with what each got from the model; all they exported is stored."""
    here = [item for item in request.session.items if item.path == request.path and isinstance(item, pytest.Function)]
    names = dict.fromkeys(item.callspec.params["name"] for item in here)
    with serve(app) as model_url, ThreadPoolExecutor(APPS_AT_ONCE) as threads:
        made = {name: threads.submit(KNOWN[name].make_calls, service.http, name, model_url) for name in names}
    wait_until(
        lambda: service.metric("otel_feedback_queue_bytes") == 0 or None, STORED_SECONDS, "not everything is stored"
    )
    return made


@pytest.mark.parametrize("case", CALLS)
@pytest.mark.parametrize("name", KNOWN)
def test_a_call_is_told_alike(service: RunningService, apps: dict[str, Future[Answers]], name: str, case: str):
    ids = apps[name].result()[case]
    is_silent = name in SILENT
    expected = expected_call(name, case, ids, is_silent=is_silent)
    rows = [shown_call(row, is_silent=is_silent) for row in service.sql(CALLS_OF_CASE, name=name, case=case)]
    if expected is None:
        assert rows == []
        return
    (shown,) = rows
    unlike = [column for column in expected if shown[column] != expected[column]]
    assert {column: shown[column] for column in unlike} == {column: expected[column] for column in unlike}
    assert shown.keys() == expected.keys()


@pytest.mark.parametrize("name", [name for name in KNOWN if name not in WITHOUT_EMBEDDINGS])
def test_embeddings_are_a_span_and_no_call(service: RunningService, apps: dict[str, Future[Answers]], name: str):
    apps[name].result()
    assert service.sql(SPANS_OF_CASE, name=name, case="embeddings") == [{"IsCall": 0}]
