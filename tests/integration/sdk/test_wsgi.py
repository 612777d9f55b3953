from __future__ import annotations

import io
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from wsgiref.util import FileWrapper, setup_testing_defaults
from wsgiref.validate import validator

import pytest
from opentelemetry.instrumentation.wsgi import OpenTelemetryMiddleware
from tests.support.telemetry import sdk_settings, telemetry
from tests.support.wsgi_client import HEADER, ask, text

import otel_feedback
from otel_feedback import semconv
from otel_feedback.rating import Scope
from otel_feedback.sdk.frame import current_frame
from otel_feedback.sdk.wsgi import FeedbackMiddleware

__all__ = ["sdk_settings", "telemetry"]


def test_it_keeps_to_the_protocol(telemetry):
    def app(_environ, start_response):
        telemetry.llm_call()
        text(start_response)
        yield b"h"
        yield b"i"

    answer = ask(validator(FeedbackMiddleware(validator(app))), QUERY_STRING="", SCRIPT_NAME="")
    assert answer.body == b"hi"
    assert answer.granted().target.scope is Scope.SPAN
    assert (
        ask(validator(FeedbackMiddleware(validator(app))), "/v1/feedback", QUERY_STRING="", SCRIPT_NAME="").error
        == "missing_token"
    )


def test_headers_that_come_late_have_their_token_before_the_body(telemetry):
    def app(_environ, start_response):
        with otel_feedback.session("c-42"), telemetry.tracer.start_as_current_span("chat"):
            text(start_response, length=None)
            yield b"hi"

    answer = ask(FeedbackMiddleware(app))
    assert (answer.body, answer.sent_before_headers) == (b"hi", 0)
    assert answer.granted().target.session_id == "c-42"


def test_write_sends_an_answer_with_a_token(telemetry):
    def app(_environ, start_response):
        telemetry.llm_call()
        text(start_response)(b"hi")
        return []

    answer = ask(FeedbackMiddleware(app))
    assert (answer.body, answer.granted().target.scope) == (b"hi", Scope.SPAN)


@pytest.mark.parametrize("is_outside", [True, False])
def test_a_stream_is_of_the_session_and_the_trace_and_is_closed(telemetry, is_outside):
    closed = []

    def app(_environ, start_response):
        def chunks():
            try:
                for name in ("first", "second"):
                    telemetry.llm_call(name)
                    yield name.encode()
            finally:
                telemetry.tracer.start_span("closing").end()
                closed.append(True)

        text(start_response, length=None)
        with otel_feedback.session("c-42", user="u-7"):
            return chunks()

    app = (
        FeedbackMiddleware(OpenTelemetryMiddleware(app))
        if is_outside
        else OpenTelemetryMiddleware(FeedbackMiddleware(app))
    )
    answer = ask(app)
    assert (answer.body, closed) == (b"firstsecond", [True])
    target = answer.granted().target
    for name in ("first", "second", "closing"):
        span = telemetry.span(name)
        assert (span.attributes[semconv.SESSION_ID], span.attributes[semconv.ENDUSER_PSEUDO_ID]) == ("c-42", "u-7")
        assert f"{span.context.trace_id:032x}" == target.trace_id
    assert current_frame() is None


def test_a_client_that_goes_away_closes_what_the_app_streams(telemetry):
    closed = []

    class Chunks:
        def __iter__(self):
            return iter((b"a", b"b"))

        def close(self):
            telemetry.tracer.start_span("closing").end()
            closed.append(True)

    def app(_environ, start_response):
        with otel_feedback.session("c-42"):
            text(start_response)
        return Chunks()

    environ: dict[str, Any] = {}
    setup_testing_defaults(environ)
    chunks: Any = FeedbackMiddleware(app)(environ, lambda *_: None)
    assert next(chunks) == b"a"
    # Another thread than the one that began, as some servers do it.
    closing = threading.Thread(target=chunks.close)
    closing.start()
    closing.join()
    assert closed == [True]
    assert telemetry.span("closing").attributes[semconv.SESSION_ID] == "c-42"


def test_an_error_goes_up_and_leaves_nothing_in_the_thread(telemetry):
    def app(environ, start_response):
        session = otel_feedback.session("c-42").__enter__()
        if environ["PATH_INFO"] == "/early":
            raise ValueError("on purpose")
        text(start_response, length=None)
        yield b"a"
        raise ValueError(session.session_id)

    def early(environ, start_response):
        return list(app(environ, start_response))

    for served, path in ((early, "/early"), (app, "/late")):
        with pytest.raises(ValueError, match=r"on purpose|c-42"):
            ask(FeedbackMiddleware(served), path)
        assert current_frame() is None
        telemetry.span_exporter.clear()
        telemetry.llm_call("afterwards")
        assert semconv.SESSION_ID not in telemetry.span("afterwards").attributes


def test_an_error_page_in_place_of_the_answer_has_no_token(telemetry):
    def app(_environ, start_response):
        telemetry.llm_call()
        text(start_response)
        try:
            int("none")
        except ValueError:
            start_response("500 Oops", [("Content-Length", "4")], sys.exc_info())
        return [b"oops"]

    answer = ask(FeedbackMiddleware(app))
    assert (answer.code, answer.body, HEADER in answer.headers) == (500, b"oops", False)


@pytest.mark.usefixtures("telemetry")
def test_complete_bodies_and_files_are_handed_on_as_they_are():
    body: Any = [b"hi"]
    file = FileWrapper(io.BytesIO(b"hi"))

    def app(environ, start_response):
        text(start_response)
        return file if environ["PATH_INFO"] == "/file" else body

    for path, expected in (("/", body), ("/file", file)):
        environ = {"PATH_INFO": path, "wsgi.file_wrapper": FileWrapper}
        setup_testing_defaults(environ)
        assert FeedbackMiddleware(app)(environ, lambda *_: None) is expected


@pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified", "404 Not Found", "302 Found"])
def test_answers_without_an_llms_text_have_no_token(telemetry, status):
    def app(_environ, start_response):
        telemetry.llm_call()
        text(start_response, status=status)
        return []

    assert HEADER not in ask(FeedbackMiddleware(app)).headers


def test_requests_in_several_threads_do_not_mix(telemetry):
    barrier = threading.Barrier(8)

    def app(environ, start_response):
        def chunks():
            for _ in range(3):
                barrier.wait(20)
                telemetry.llm_call(environ["PATH_INFO"])
                yield b"."

        with otel_feedback.session(environ["PATH_INFO"]), telemetry.tracer.start_as_current_span("root"):
            text(start_response, length=None)
            return chunks()

    served = FeedbackMiddleware(app)
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda number: ask(served, f"/{number}"), range(8)))
    for number, answer in enumerate(answers):
        spans = [span for span in telemetry.spans if span.name == f"/{number}"]
        assert {span.attributes[semconv.SESSION_ID] for span in spans} == {f"/{number}"}
        assert {f"{span.context.trace_id:032x}" for span in spans} == {answer.granted().target.trace_id}
        assert len(spans) == 3


@pytest.mark.usefixtures("sdk_settings")
def test_without_a_tracer_provider_the_app_answers_as_ever(caplog):
    def app(_environ, start_response):
        with otel_feedback.session("c-42"):
            text(start_response, length=None)
            yield b"hi"

    for _ in range(3):
        answer = ask(FeedbackMiddleware(app))
        assert (answer.body, HEADER in answer.headers) == (b"hi", False)
    assert caplog.records == []
