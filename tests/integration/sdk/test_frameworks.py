"""One set of behaviours, to which every web framework is held, however otel-feedback got into the app."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from tests.support.instrumented_apps import APPS, HEADER, INSTRUMENT, RunningApp, running_app
from tests.support.otlp_sink import attributes_of

from otel_feedback.feedback_api import MAX_BODY_BYTES
from otel_feedback.rating import Scope, Target

# The names of OpenTelemetry's instrumentations that make a framework's server spans; plain apps have none.
APP_FILES = {
    "plain_wsgi": "",
    "plain_asgi": "",
    "flask_app": "flask",
    "django_wsgi": "django",
    "django_asgi": "django",
    "aiohttp_app": "aiohttp-server",
    "starlette_app": "starlette",
    "fastapi_app": "fastapi",
}
COMMAND, COMMAND_ALONE, ONE_LINER, MIDDLEWARE = (
    "opentelemetry-instrument",
    "opentelemetry-instrument without server spans",
    "otel_feedback.instrument()",
    "the bare middleware",
)
LLM_PATHS = {"/answer": "chat", "/stream": "streamed chat"}
ORIGIN = {"Origin": "https://chat.example"}


@dataclass
class Chat(RunningApp):
    is_under_the_command: bool = False
    has_server_spans: bool = False


@pytest.fixture(
    scope="module",
    params=[f"{app}, {way}" for app in APP_FILES for way in (COMMAND, COMMAND_ALONE, ONE_LINER, MIDDLEWARE)],
)
def chat(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chat]:
    app, way = request.param.split(", ")
    command, environment = [sys.executable, str(APPS / f"{app}.py")], {}
    if way in {COMMAND, COMMAND_ALONE}:
        command.insert(0, INSTRUMENT)
    if way == COMMAND_ALONE:
        environment["OTEL_PYTHON_DISABLED_INSTRUMENTATIONS"] = ",".join({*APP_FILES.values(), "asgi", "wsgi"} - {""})
    if way in {ONE_LINER, MIDDLEWARE}:
        environment["MODE"] = "one-liner" if way == ONE_LINER else "middleware"
    with running_app(tmp_path_factory.mktemp("chat"), command, environment) as running:
        yield Chat(
            **vars(running),
            is_under_the_command=way in {COMMAND, COMMAND_ALONE},
            has_server_spans=way == COMMAND and bool(APP_FILES[app]),
        )


@pytest.fixture(autouse=True)
def _only_what_this_test_sends(request: pytest.FixtureRequest):
    sink = request.getfixturevalue("chat").sink
    sink.spans.clear()
    sink.logs.clear()


def test_an_answer_names_its_llm_call_session_and_rater(chat):
    response = chat.client.get("/answer")
    assert response.json() == {"answer": "Canberra"}
    call = chat.span("chat")
    grant = chat.granted(response)
    assert grant.target == Target(Scope.SPAN, call.trace_id.hex(), call.span_id.hex(), "c-42", "chatcmpl-9")
    assert grant.rater_id == "u-7"
    attributes = attributes_of(call)
    assert (attributes["session.id"], attributes["enduser.pseudo.id"]) == ("c-42", "u-7")


def test_what_streams_belongs_to_the_session_and_to_the_trace_that_its_token_names(chat):
    with chat.client.stream("GET", "/stream") as response:
        assert "content-length" not in response.headers
        assert b"".join(response.iter_raw()) == b"Canberra"
    call = chat.span("streamed chat")
    attributes = attributes_of(call)
    assert (attributes["session.id"], attributes["enduser.pseudo.id"]) == ("c-42", "u-7")
    # Without a server span nothing tells the trace of a stream before its first span.
    assert HEADER in response.headers or not chat.has_server_spans
    if HEADER in response.headers:
        grant = chat.granted(response)
        assert (grant.target.scope, grant.target.session_id, grant.rater_id) == (Scope.TRACE, "c-42", "u-7")
        assert call.trace_id.hex() == grant.target.trace_id


@pytest.mark.parametrize("path", ["/page", "/nowhere"])
def test_a_page_without_an_llm_has_no_token(chat, path):
    response = chat.client.get(path)
    assert response.status_code == (200 if path == "/page" else 404)
    assert HEADER not in response.headers


def test_an_app_that_fails_fails_as_ever_and_serves_the_next_request(chat):
    # Servers close the connection then, some without saying so.
    response = chat.client.get("/failing", headers={"Connection": "close"})
    assert (response.status_code, HEADER in response.headers) == (500, False)
    assert chat.client.get("/answer").status_code == 200


def test_an_answer_to_head_has_no_token(chat):
    assert HEADER not in chat.client.head("/answer").headers


def test_requests_do_not_leak_into_each_other(chat):
    answers = [chat.client.get(path) for path in ("/answer", "/stream", "/answer")]
    traces = [chat.granted(answer).target.trace_id for answer in answers if HEADER in answer.headers]
    assert len(set(traces)) == len(traces) >= 2 + chat.has_server_spans
    chat.client.get("/page")
    assert HEADER not in chat.client.get("/page").headers


def test_a_call_in_a_thread_is_named_where_opentelemetry_carries_the_context_there(chat):
    response = chat.client.get("/thread")
    call = chat.span("chat in a thread")
    assert ("session.id" in attributes_of(call)) == chat.is_under_the_command
    if chat.is_under_the_command:
        assert chat.granted(response).target.span_id == call.span_id.hex()


def test_the_endpoint_takes_shows_and_retracts_a_rating(chat):
    token = chat.client.get("/answer").headers[HEADER]
    body = {"token": token, "name": "thumbs", "value": False, "comment": "No."}
    taken = chat.client.post("/v1/feedback", json=body, headers=ORIGIN)
    assert (taken.status_code, taken.json()["state"]) == (202, "recorded")
    assert taken.headers["access-control-allow-origin"] == "https://chat.example"
    shown = chat.client.get("/v1/feedback", headers={"Authorization": f"Bearer {token}"}).json()["ratings"]
    assert [(each["name"], each["value"], each["comment"]) for each in shown] == [("thumbs", 0.0, "No.")]
    carrier, call = chat.span("user_feedback thumbs"), chat.span("chat")
    assert (carrier.trace_id, carrier.parent_span_id) == (call.trace_id, call.span_id)
    assert attributes_of(carrier.events[0])["otel_feedback.id"] == taken.json()["id"]
    chat.sink.wait_for(lambda sink: len(sink.logs) == 1)
    retracted = chat.client.request("DELETE", "/v1/feedback", params={"token": token, "name": "thumbs"})
    assert (retracted.status_code, retracted.json()["state"]) == (202, "retracted")
    assert chat.client.get("/v1/feedback", params={"token": token}).json() == {"ratings": []}


def test_the_endpoint_answers_what_is_wrong_as_json(chat):
    def code(response):
        return response.status_code, response.json()["error"]["code"]

    assert code(chat.client.get("/v1/feedback")) == (401, "missing_token")
    assert code(chat.client.post("/v1/feedback", content=b"{")) == (400, "invalid_json")
    assert code(chat.client.put("/v1/feedback", content=b"{}")) == (405, "method_not_allowed")
    assert code(chat.client.post("/v1/feedback", content=b" " * MAX_BODY_BYTES)) == (400, "invalid_json")


def test_pages_of_allowed_origins_may_ask_and_read_the_token(chat):
    preflight = chat.client.options("/v1/feedback", headers=ORIGIN)
    assert (preflight.status_code, preflight.content) == (204, b"")
    assert preflight.headers["access-control-allow-methods"] == "GET, POST, DELETE"
    other = chat.client.options("/v1/feedback", headers={"Origin": "https://evil.example"})
    assert "access-control-allow-origin" not in other.headers
    answer = chat.client.get("/answer", headers=ORIGIN)
    assert answer.headers["access-control-expose-headers"] == "Otel-Feedback-Token"


def test_the_widget_is_served_once_and_then_known(chat):
    response = chat.client.get("/feedback.js")
    assert response.headers["content-type"] == "text/javascript; charset=utf-8"
    assert "customElements.define" in response.text
    again = chat.client.get("/feedback.js", headers={"If-None-Match": response.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    head = chat.client.head("/feedback.js")
    assert (head.content, head.headers["content-length"]) == (b"", response.headers["content-length"])


def test_a_body_that_is_too_large_is_refused_unread(chat):
    response = chat.client.post("/v1/feedback", content=b" " * (MAX_BODY_BYTES + 1))
    assert (response.status_code, response.json()["error"]["code"]) == (413, "too_large")


def test_nothing_of_ours_or_opentelemetrys_complains(chat):
    for path in ("/answer", "/stream", "/thread", "/page", "/feedback.js"):
        chat.client.get(path)
    said = chat.errors.read_text()
    assert "otel_feedback" not in said.replace("otel_feedback/sdk", "")
    assert "Failed to detach context" not in said
