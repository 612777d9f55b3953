from __future__ import annotations

import asyncio
import gzip
import json
from typing import Any

import httpx
import pytest
from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, StreamingResponse
from starlette.routing import Mount, Route
from tests.support.telemetry import sdk_settings, telemetry

import otel_feedback
from otel_feedback import semconv
from otel_feedback.feedback_api import MAX_BODY_BYTES
from otel_feedback.rating import Scope, Target
from otel_feedback.sdk.asgi import FeedbackMiddleware
from otel_feedback.sdk.configuration import keyring
from otel_feedback.tokens import Grant, Keyring

__all__ = ["sdk_settings", "telemetry"]

HEADER = "otel-feedback-token"


class ChatApp:
    """An app that answers like chat apps do."""

    def __init__(self, telemetry: Any, *, middleware: tuple[Middleware, ...] = ()) -> None:
        self._telemetry = telemetry
        paths = {
            "/answer": self.answer,
            "/stream": self.stream,
            "/guarded-stream": self.guarded_stream,
            "/rates-while-streaming": self.rates_while_streaming,
            "/page": self.page,
            "/session-only": self.session_only,
            "/failing": self.failing,
            "/moved": self.moved,
        }
        self.app = Starlette(
            routes=[Route(path, endpoint, methods=["GET", "POST"]) for path, endpoint in paths.items()],
            middleware=list(middleware),
        )

    async def answer(self, _):
        with otel_feedback.session("c-42", user="u-7"):
            self._telemetry.llm_call("first")
            self._telemetry.llm_call("chat", response_id="chatcmpl-9")
        return JSONResponse({"answer": "Canberra"})

    async def stream(self, _):
        async def chunks():
            with self._telemetry.tracer.start_as_current_span("chat", attributes={semconv.OPERATION_NAME: "chat"}):
                for text in ("Can", "ber", "ra"):
                    yield text
                    await asyncio.sleep(0)

        with otel_feedback.session("c-42", user="u-7"):
            return StreamingResponse(chunks(), media_type="text/event-stream")

    async def guarded_stream(self, _):
        async def chunks():
            yield "Canberra"

        self._telemetry.llm_call("guardrail")
        return StreamingResponse(chunks(), media_type="text/plain")

    async def rates_while_streaming(self, _):
        async def chunks():
            otel_feedback.record("thumbs", True, response_id="chatcmpl-of-another-conversation")
            yield "done"

        with otel_feedback.session("c-42"):
            return StreamingResponse(chunks())

    async def page(self, _):
        return PlainTextResponse("about us")

    async def session_only(self, _):
        with otel_feedback.session("c-42"):
            return PlainTextResponse("hello")

    async def failing(self, _):
        self._telemetry.llm_call("chat")
        return PlainTextResponse("no", status_code=500)

    async def moved(self, _):
        self._telemetry.llm_call("chat")
        return RedirectResponse("/answer")


def ask(app: Any, path: str, method: str = "GET", **options: Any) -> httpx.Response:
    async def send() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://chat") as client:
            return await client.request(method, path, **options)

    return asyncio.run(send())


ARRANGEMENTS = {
    "ours outside of OpenTelemetry's": lambda app: FeedbackMiddleware(OpenTelemetryMiddleware(app)),
    "ours inside of OpenTelemetry's": lambda app: OpenTelemetryMiddleware(FeedbackMiddleware(app)),
}


@pytest.fixture(params=list(ARRANGEMENTS))
def chat(request, telemetry):
    return ARRANGEMENTS[request.param](ChatApp(telemetry).app)


def granted(response: httpx.Response) -> Grant:
    return keyring().verify(response.headers[HEADER])


def server_span(telemetry, method="GET"):
    (span,) = [each for each in telemetry.spans if each.kind.name == "SERVER" and each.name.startswith(method)]
    return span.context


def test_a_complete_answer_names_its_latest_llm_call_session_and_rater(chat, telemetry):
    grant = granted(ask(chat, "/answer"))
    call = telemetry.span("chat").context
    assert grant.target == Target(Scope.SPAN, f"{call.trace_id:032x}", f"{call.span_id:016x}", "c-42", "chatcmpl-9")
    assert grant.rater_id == "u-7"


def test_a_stream_names_its_trace_since_its_call_has_not_begun(chat, telemetry):
    response = ask(chat, "/stream")
    assert response.text == "Canberra"
    grant, server = granted(response), server_span(telemetry)
    assert grant.target == Target(Scope.TRACE, f"{server.trace_id:032x}", f"{server.span_id:016x}", "c-42")
    assert grant.rater_id == "u-7"
    assert telemetry.span("chat").context.trace_id == server.trace_id


def test_what_streams_after_its_handler_has_returned_still_belongs_to_the_session(chat, telemetry):
    ask(chat, "/stream")
    attributes = telemetry.span("chat").attributes
    assert (attributes[semconv.SESSION_ID], attributes[semconv.ENDUSER_PSEUDO_ID]) == ("c-42", "u-7")


def test_a_rating_of_something_else_given_while_streaming_stays_out_of_the_session(chat, telemetry):
    response = ask(chat, "/rates-while-streaming")
    assert response.text == "done"
    (carrier,) = telemetry.carriers
    assert semconv.SESSION_ID not in carrier.attributes


def test_a_stream_after_another_call_names_its_trace_too(chat):
    assert granted(ask(chat, "/guarded-stream")).target.scope is Scope.TRACE


def test_a_session_without_a_call_names_the_trace(chat):
    assert granted(ask(chat, "/session-only")).target.scope is Scope.TRACE


@pytest.mark.parametrize("path", ["/page", "/failing", "/moved", "/nowhere"])
def test_pages_errors_and_redirects_have_no_token(chat, path):
    assert HEADER not in ask(chat, path).headers


def test_requests_at_the_same_time_do_not_mix(telemetry):
    app = OpenTelemetryMiddleware(FeedbackMiddleware(ChatApp(telemetry).app))

    async def many() -> list[httpx.Response]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://chat") as client:
            return await asyncio.gather(*(client.get("/answer") for _ in range(30)))

    traces = [granted(response).target.trace_id for response in asyncio.run(many())]
    assert len(set(traces)) == 30


def test_it_works_around_a_middleware_that_moves_the_app_to_another_task(telemetry):
    async def dispatch(request, call_next):
        return await call_next(request)

    moved = ChatApp(telemetry, middleware=(Middleware(BaseHTTPMiddleware, dispatch=dispatch),)).app
    app = FeedbackMiddleware(OpenTelemetryMiddleware(moved))
    assert granted(ask(app, "/answer")).target.response_id == "chatcmpl-9"
    assert granted(ask(app, "/stream")).target.scope is Scope.TRACE


@pytest.mark.parametrize("exposed", [(), ("X-Request-Id",)])
@pytest.mark.parametrize("is_outside", [True, False])
def test_pages_of_other_origins_can_read_the_token_and_what_they_could_read_before(telemetry, exposed, is_outside):
    cors = {"allow_origins": ["https://chat.example"], "expose_headers": list(exposed)}
    chat = ChatApp(telemetry).app
    app = FeedbackMiddleware(CORSMiddleware(chat, **cors))
    if not is_outside and not exposed:
        app = CORSMiddleware(FeedbackMiddleware(chat), **cors)
    response = ask(app, "/answer", headers={"Origin": "https://chat.example"})
    names = {name.strip() for name in response.headers["access-control-expose-headers"].split(",")}
    assert names == {*exposed, "Otel-Feedback-Token"}


def test_a_token_that_the_app_sends_itself_stays(telemetry):
    async def own(_):
        telemetry.llm_call()
        return PlainTextResponse("hi", headers={HEADER: "mine"})

    app = FeedbackMiddleware(Starlette(routes=[Route("/", own)]))
    assert ask(app, "/").headers.get_list(HEADER) == ["mine"]


@pytest.mark.usefixtures("sdk_settings")
def test_without_a_tracer_provider_the_app_answers_as_ever():
    async def plain(_):
        with otel_feedback.session("c-42"):
            return PlainTextResponse("hi")

    response = ask(FeedbackMiddleware(Starlette(routes=[Route("/", plain)])), "/")
    assert (response.text, HEADER in response.headers) == ("hi", False)


def test_the_endpoint_takes_shows_and_retracts_a_rating(chat, telemetry):
    token = ask(chat, "/answer").headers[HEADER]
    telemetry.span_exporter.clear()
    body = {"token": token, "name": "thumbs", "value": False, "comment": "No."}
    taken = ask(chat, "/v1/feedback", "POST", json=body)
    assert (taken.status_code, taken.json()["state"]) == (202, "recorded")
    (carrier,) = telemetry.carriers
    assert carrier.attributes[semconv.FEEDBACK_ID] == taken.json()["id"]
    assert f"{carrier.parent.span_id:016x}" == keyring().verify(token).target.span_id
    shown = ask(chat, "/v1/feedback", headers={"Authorization": f"Bearer {token}"}).json()["ratings"]
    assert [(each["name"], each["value"], each["comment"]) for each in shown] == [("thumbs", 0.0, "No.")]
    retracted = ask(chat, "/v1/feedback", "DELETE", json={"token": token, "name": "thumbs"})
    assert (retracted.status_code, retracted.json()["state"]) == (202, "retracted")
    assert ask(chat, "/v1/feedback", headers={"Authorization": f"Bearer {token}"}).json() == {"ratings": []}


def test_a_trace_scoped_rating_hangs_its_carrier_on_the_server_span(chat, telemetry):
    token = ask(chat, "/stream").headers[HEADER]
    server = server_span(telemetry)
    ask(chat, "/v1/feedback", "POST", json={"token": token, "name": "thumbs", "value": True})
    (carrier,) = telemetry.carriers
    assert (carrier.parent.span_id, carrier.context.trace_id) == (server.span_id, server.trace_id)
    assert carrier.attributes[semconv.FEEDBACK_SCOPE] == "trace"


@pytest.mark.parametrize("is_declared", [True, False])
def test_a_body_without_end_is_cut_off(chat, is_declared):
    async def endless():
        while True:
            yield b"x" * 65536

    content = b"x" * (MAX_BODY_BYTES + 1) if is_declared else endless()
    response = ask(chat, "/v1/feedback", "POST", content=content)
    assert (response.status_code, response.json()["error"]["code"]) == (413, "too_large")


def test_a_forged_token_is_refused_as_json(chat):
    forged = Keyring(("another",)).mint(Grant(Target(Scope.SESSION, session_id="c-1")))
    response = ask(chat, "/v1/feedback", "POST", json={"token": forged, "name": "thumbs", "value": True})
    assert (response.status_code, response.json()["error"]["code"]) == (401, "unknown_key")
    assert response.headers["content-type"] == "application/json"


def test_paths_origins_and_keys_can_be_chosen(telemetry):
    app = FeedbackMiddleware(
        ChatApp(telemetry).app,
        path="/ratings",
        widget_path="/w.js",
        keys=("own",),
        allowed_origins=("https://chat.example",),
    )
    token = ask(app, "/answer").headers[HEADER]
    assert Keyring(("own",)).verify(token).rater_id == "u-7"
    preflight = ask(app, "/ratings", "OPTIONS", headers={"Origin": "https://chat.example"})
    assert preflight.headers["access-control-allow-origin"] == "https://chat.example"
    assert ask(app, "/w.js").status_code == 200
    assert ask(app, "/v1/feedback").status_code == ask(app, "/feedback.js").status_code == 404


def test_behind_a_root_path_the_endpoint_is_found(telemetry):
    feedback = FeedbackMiddleware(ChatApp(telemetry).app)
    app = Starlette(routes=[Mount("/chat", app=feedback)])
    assert ask(app, "/chat/v1/feedback").json()["error"]["code"] == "missing_token"
    assert ask(app, "/chat/feedback.js").status_code == 200


def test_the_widget_is_small_cached_and_a_module(chat):
    response = ask(chat, "/feedback.js")
    assert response.headers["content-type"] == "text/javascript; charset=utf-8"
    assert len(gzip.compress(response.content, 9)) < 6000
    again = ask(chat, "/feedback.js", headers={"If-None-Match": response.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    head = ask(chat, "/feedback.js", "HEAD")
    assert (head.content, head.headers["content-length"]) == (b"", response.headers["content-length"])
    assert ask(chat, "/feedback.js", "POST").status_code == 405


@pytest.mark.usefixtures("telemetry")
def test_websockets_and_lifespans_pass_through():
    seen = []

    async def app(scope, *_: Any):
        seen.append(scope["type"])

    middleware = FeedbackMiddleware(app)
    for kind in ("websocket", "lifespan"):
        asyncio.run(middleware({"type": kind, "path": "/v1/feedback", "headers": []}, None, None))
    assert seen == ["websocket", "lifespan"]


def test_the_answer_is_json_even_if_something_breaks(chat, monkeypatch):
    def fail(*_: Any, **__: Any):
        raise RuntimeError("broken")

    token = ask(chat, "/answer").headers[HEADER]
    monkeypatch.setattr("otel_feedback.sdk.endpoint.AppRatingStore.submit", fail)
    response = ask(chat, "/v1/feedback", "POST", json={"token": token, "name": "thumbs", "value": True})
    assert response.status_code == 500
    assert json.loads(response.content)["error"]["code"] == "internal"
