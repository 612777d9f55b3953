from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from typing import Any

import flask
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from opentelemetry.instrumentation.aiohttp_server import AioHttpServerInstrumentor
from opentelemetry.instrumentation.flask import FlaskInstrumentor
from tests.support.telemetry import sdk_settings, telemetry

import otel_feedback
from otel_feedback.sdk import aiohttp_server, wsgi
from otel_feedback.sdk.frameworks import ANSWERS, FRAMEWORKS, SERVERS
from otel_feedback.sdk.instrumentor import uninstrument
from otel_feedback.sdk.own_middlewares import own_middlewares
from otel_feedback.tokens import Keyring

__all__ = ["sdk_settings", "telemetry"]

HEADER = "Otel-Feedback-Token"


@pytest.fixture(autouse=True)
def _as_before(sdk_settings):  # noqa: ARG001  # settings come first
    # Middlewares of tests that have ended may not have been collected yet.
    own_middlewares.clear()
    yield
    uninstrument()
    own_middlewares.clear()


def new_flask(telemetry: Any = None) -> Any:
    app = flask.Flask("chat")

    @app.get("/")
    def answer():
        if telemetry is not None:
            telemetry.llm_call()
        return "hi"

    return app


def has_endpoint(app: flask.Flask) -> bool:
    return app.test_client().get("/v1/feedback").status_code == 401


def test_flask_apps_built_before_and_after_have_the_endpoint_until_it_is_undone():
    before = new_flask()
    assert not has_endpoint(before)
    otel_feedback.instrument(before)
    after = new_flask()
    assert (has_endpoint(before), has_endpoint(after)) == (True, True)
    uninstrument()
    assert (has_endpoint(before), has_endpoint(after)) == (False, False)


@pytest.mark.parametrize("is_first", [True, False])
def test_it_lives_beside_opentelemetrys_instrumentation_of_flask_in_either_order(telemetry, is_first):
    if is_first:
        otel_feedback.instrument()
    FlaskInstrumentor().instrument(tracer_provider=telemetry.provider)
    try:
        otel_feedback.instrument()
        app = new_flask(telemetry)
        assert app.test_client().get("/").headers[HEADER]
        assert [span.kind.name for span in telemetry.spans] == ["INTERNAL", "SERVER"]
        uninstrument()
        assert HEADER not in app.test_client().get("/").headers
        otel_feedback.instrument()
    finally:
        FlaskInstrumentor().uninstrument()
    assert HEADER in new_flask(telemetry).test_client().get("/").headers


def test_a_middleware_deep_inside_an_app_keeps_its_own_paths_and_keys(telemetry):
    otel_feedback.instrument()
    app = new_flask(telemetry)
    app.wsgi_app = wsgi.FeedbackMiddleware(app.wsgi_app, path="/ratings", keys=("own",))
    assert app.test_client().get("/ratings").status_code == 401
    assert not has_endpoint(app)
    assert Keyring(("own",)).verify(app.test_client().get("/").headers[HEADER])


def ask_aiohttp(app: web.Application, *paths: str) -> list[tuple[int, bool]]:
    async def send() -> list[tuple[int, bool]]:
        async with TestClient(TestServer(app)) as client:
            answers = [await client.get(path) for path in paths]
            return [(answer.status, HEADER in answer.headers) for answer in answers]

    return asyncio.run(send())


def new_aiohttp(telemetry: Any, **options: Any) -> web.Application:
    async def answer(_):
        telemetry.llm_call()
        return web.Response(text="hi")

    async def stream(request):
        response = web.StreamResponse()
        with telemetry.tracer.start_as_current_span("chat"):
            await response.prepare(request)
            await response.write(b"hi")
        return response

    app = web.Application(**options)
    app.add_routes([web.get("/", answer), web.get("/stream", stream)])
    return app


def test_aiohttp_apps_that_do_not_run_yet_have_the_endpoint_until_it_is_undone(telemetry):
    before = new_aiohttp(telemetry)
    otel_feedback.instrument(before)
    after = new_aiohttp(telemetry)
    for app in (before, after):
        assert ask_aiohttp(app, "/v1/feedback", "/", "/stream") == [(401, False), (200, True), (200, True)]
    uninstrument()
    assert ask_aiohttp(new_aiohttp(telemetry), "/v1/feedback", "/") == [(404, False), (200, False)]


@pytest.mark.filterwarnings("ignore:Inheritance class _InstrumentedApplication:DeprecationWarning")
@pytest.mark.parametrize("is_first", [True, False])
def test_it_lives_beside_opentelemetrys_instrumentation_of_aiohttp_in_either_order(telemetry, is_first):
    if is_first:
        otel_feedback.instrument()
    AioHttpServerInstrumentor().instrument(tracer_provider=telemetry.provider)
    try:
        otel_feedback.instrument()
        assert ask_aiohttp(new_aiohttp(telemetry), "/") == [(200, True)]
        assert [span.kind.name for span in telemetry.spans] == ["INTERNAL", "SERVER"]
    finally:
        AioHttpServerInstrumentor().uninstrument()


def test_an_aiohttp_app_inside_another_leaves_the_endpoint_to_the_outer_one(telemetry):
    otel_feedback.instrument()
    app = web.Application()
    app.add_subapp("/inner", new_aiohttp(telemetry))
    asked = ask_aiohttp(app, "/v1/feedback", "/inner/v1/feedback", "/inner/")
    assert asked == [(401, False), (404, False), (200, True)]


def test_an_aiohttp_app_with_a_middleware_of_its_own_gets_no_other(telemetry):
    otel_feedback.instrument()
    app = new_aiohttp(telemetry)
    middleware = aiohttp_server.FeedbackMiddleware(path="/ratings")
    middleware.add_to(app)
    middleware.add_to(app)
    assert list(app.middlewares) == [middleware]
    assert ask_aiohttp(app, "/ratings", "/v1/feedback", "/") == [(401, False), (404, False), (200, True)]


IMPORTS = """
import json, sys
import otel_feedback
otel_feedback.instrument()
otel_feedback.instrument()
modules = json.loads(sys.argv[1])
early = [name for name, _ in modules if name in sys.modules]
import importlib
patched = []
for name, attribute in modules:
    module = importlib.import_module(name)
    holder, _, method = attribute.partition(".")
    if "with_feedback" in vars(getattr(module, holder))[method].__code__.co_name:
        patched.append(name)
    assert module.__spec__.loader.get_source(name), "the loader is as it was"
from otel_feedback.sdk.instrumentor import uninstrument
uninstrument()
left = [name for name, attribute in modules if "with_feedback" in vars(
    getattr(sys.modules[name], attribute.partition(".")[0]))[attribute.partition(".")[2]].__code__.co_name]
print(json.dumps([early, patched, left, [type(each).__module__ for each in sys.meta_path]]))
"""


def test_no_framework_is_imported_before_the_app_does_and_each_is_covered_then():
    modules = [(patch.module, f"{patch.class_name}.{patch.method}") for patch in (*FRAMEWORKS, *ANSWERS, *SERVERS)]
    command = [sys.executable, "-c", IMPORTS, json.dumps(modules)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    early, patched, left, finders = json.loads(done.stdout)
    assert early == []
    assert patched == [name for name, _ in modules]
    assert left == []
    assert not [name for name in finders if name.startswith("otel_feedback")]
