from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from opentelemetry import trace
from opentelemetry.instrumentation.starlette import StarletteInstrumentor
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route
from tests.support.telemetry import sdk_settings, telemetry

import otel_feedback
from otel_feedback import semconv
from otel_feedback.sdk.asgi import FeedbackMiddleware
from otel_feedback.sdk.entrypoint import OtelFeedbackInstrumentor
from otel_feedback.sdk.instrumentor import uninstrument
from otel_feedback.sdk.own_middlewares import own_middlewares

__all__ = ["sdk_settings", "telemetry"]


@pytest.fixture(autouse=True)
def _as_before(sdk_settings):  # noqa: ARG001  # settings come first
    yield
    uninstrument()


def ask(app: Any, path: str) -> httpx.Response:
    async def send() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://chat") as client:
            return await client.get(path)

    return asyncio.run(send())


async def home(_):
    return PlainTextResponse("hi")


def new_app(**options: Any) -> Starlette:
    return Starlette(routes=[Route("/", home)], **options)


def has_endpoint(app: Any) -> bool:
    return ask(app, "/v1/feedback").status_code == 401


def test_apps_built_before_and_after_and_running_ones_get_the_endpoint():
    before, running = new_app(), new_app()
    assert ask(running, "/v1/feedback").status_code == 404
    otel_feedback.instrument()
    after = new_app()
    assert [has_endpoint(app) for app in (before, running, after)] == [True, True, True]
    assert ask(after, "/").text == "hi"


def test_doing_it_twice_changes_nothing(telemetry):
    otel_feedback.instrument()
    once = Starlette.__call__
    otel_feedback.instrument()
    assert Starlette.__call__ is once
    with otel_feedback.session("c-42"):
        telemetry.tracer.start_span("a").end()
    processors = telemetry.provider._active_span_processor._span_processors
    assert [type(each).__name__ for each in processors].count("SessionSpanProcessor") == 1


def test_it_can_be_undone():
    app = new_app()
    otel_feedback.instrument()
    assert has_endpoint(app)
    uninstrument()
    assert not has_endpoint(app)


def test_an_app_of_a_subclass_that_opentelemetry_put_in_place_is_covered(telemetry):
    StarletteInstrumentor().instrument(tracer_provider=telemetry.provider)
    try:
        otel_feedback.instrument()
        from starlette.applications import Starlette as Instrumented  # noqa: PLC0415  # the one put in place

        async def answer(_):
            telemetry.llm_call()
            return PlainTextResponse("hi")

        app = Instrumented(routes=[Route("/", answer)])
        assert "otel-feedback-token" in ask(app, "/").headers
    finally:
        StarletteInstrumentor().uninstrument()


def test_a_middleware_that_the_app_brings_itself_is_the_only_one():
    otel_feedback.instrument()
    app = new_app(middleware=[Middleware(FeedbackMiddleware, path="/ratings")])
    assert ask(app, "/ratings").status_code == 401
    assert not has_endpoint(app)


def test_a_middleware_that_is_made_at_the_first_request_serves_it_though_one_was_added_around():
    async def outer(scope, receive, send):
        await app(scope, receive, send)

    app = new_app(middleware=[Middleware(FeedbackMiddleware, path="/ratings")])
    added = FeedbackMiddleware(outer)
    own_middlewares.discard(added)
    assert ask(added, "/ratings").status_code == 401


def test_an_app_inside_an_app_leaves_the_endpoint_to_the_outer_one():
    otel_feedback.instrument()
    app = Starlette(routes=[Mount("/inner", app=new_app())])
    assert has_endpoint(app)
    assert ask(app, "/inner/v1/feedback").status_code == 404


def test_naming_an_app_of_another_kind_says_what_to_do():
    with pytest.raises(TypeError, match="FeedbackMiddleware"):
        otel_feedback.instrument(object())
    otel_feedback.instrument(new_app())


def test_a_provider_that_is_set_later_gets_sessions_too(telemetry, monkeypatch):
    provider = trace._TRACER_PROVIDER
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", None)
    otel_feedback.instrument()
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", provider)
    with otel_feedback.session("c-42"):
        telemetry.tracer.start_span("a").end()
    assert telemetry.span("a").attributes[semconv.SESSION_ID] == "c-42"


def test_opentelemetrys_command_finds_and_undoes_it():
    app = new_app()
    instrumentor = OtelFeedbackInstrumentor()
    instrumentor.instrument()
    assert has_endpoint(app)
    instrumentor.uninstrument()
    assert not has_endpoint(app)
