from __future__ import annotations

import io
import json
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from wsgiref.util import FileWrapper, setup_testing_defaults
from wsgiref.validate import validator

import pytest
from opentelemetry.instrumentation.wsgi import OpenTelemetryMiddleware
from tests.support.telemetry import sdk_settings, telemetry

import otel_feedback
from otel_feedback import semconv
from otel_feedback.feedback_api import MAX_BODY_BYTES
from otel_feedback.rating import Scope
from otel_feedback.sdk.configuration import keyring
from otel_feedback.sdk.frame import current_frame
from otel_feedback.sdk.wsgi import FeedbackMiddleware
from otel_feedback.tokens import Grant, Keyring

__all__ = ["sdk_settings", "telemetry"]

HEADER = "Otel-Feedback-Token"


class Answer:
    """What a WSGI server puts on the wire."""

    def __init__(self) -> None:
        self.status = ""
        self.headers: dict[str, str] = {}
        self.body = b""
        # The length of the body that had been sent as the headers went out.
        self.sent_before_headers = -1

    @property
    def code(self) -> int:
        return int(self.status[:3])

    @property
    def error(self) -> str:
        return str(json.loads(self.body)["error"]["code"])

    def granted(self) -> Grant:
        return keyring().verify(self.headers[HEADER])


def ask(app: Any, path: str = "/", method: str = "GET", body: bytes = b"", **environ: Any) -> Answer:
    """Serve one request as a server does."""
    request: dict[str, Any] = {"PATH_INFO": path, "REQUEST_METHOD": method, "wsgi.input": io.BytesIO(body)}
    if body:
        request["CONTENT_LENGTH"] = str(len(body))
    request |= environ
    setup_testing_defaults(request)
    answer = Answer()

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        if exc_info and answer.sent_before_headers >= 0 and answer.body:
            raise exc_info[1]
        answer.status, answer.headers, answer.sent_before_headers = status, dict(headers), len(answer.body)
        return write

    def write(data: bytes) -> None:
        answer.body += data

    chunks = app(request, start_response)
    try:
        for chunk in chunks:
            assert answer.status, "a body before its headers"
            answer.body += chunk
    finally:
        if hasattr(chunks, "close"):
            chunks.close()
    return answer


def text(start_response: Any, *, length: int | None = 2, status: str = "200 OK") -> Any:
    headers = [("Content-Type", "text/plain")]
    return start_response(status, headers if length is None else [*headers, ("Content-Length", str(length))])


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


class Endless(io.RawIOBase):
    """A body that never ends; it remembers how much was asked for."""

    def __init__(self) -> None:
        self.bytes_read = 0

    def read(self, size: int = -1) -> bytes:
        assert size > 0, "unbounded"
        self.bytes_read += size
        return b" " * size


@pytest.mark.usefixtures("telemetry")
def test_bodies_are_bounded_whether_their_length_is_declared_or_not():
    app = FeedbackMiddleware(_nothing)
    chunked, declared, silent = Endless(), Endless(), Endless()
    refused = ask(app, "/v1/feedback", "POST", **{"wsgi.input": chunked, "wsgi.input_terminated": True})
    assert (refused.code, refused.error, chunked.bytes_read) == (413, "too_large", MAX_BODY_BYTES + 1)
    too_long = {"CONTENT_LENGTH": str(MAX_BODY_BYTES + 1), "wsgi.input": declared}
    refused = ask(app, "/v1/feedback", "POST", **too_long)
    assert (refused.code, refused.error, declared.bytes_read) == (413, "too_large", 0)
    refused = ask(app, "/v1/feedback", "POST", **{"CONTENT_LENGTH": "", "wsgi.input": silent})
    assert (refused.code, refused.error, silent.bytes_read) == (400, "invalid_json", 0)


def test_a_chunked_rating_is_taken(telemetry):
    def app(_environ, start_response):
        telemetry.llm_call()
        text(start_response)
        return [b"hi"]

    served = FeedbackMiddleware(app)
    token = ask(served).headers[HEADER]
    body = json.dumps({"token": token, "name": "thumbs", "value": True}).encode()
    chunked = {"wsgi.input": io.BytesIO(body), "wsgi.input_terminated": True}
    assert ask(served, "/v1/feedback", "POST", **chunked).code == 202
    assert len(telemetry.carriers) == 1


def test_paths_origins_and_keys_can_be_chosen(telemetry):
    def app(_environ, start_response):
        telemetry.llm_call()
        text(start_response)
        return [b"hi"]

    served = FeedbackMiddleware(
        app, path="/ratings", widget_path="/w.js", keys=("own",), allowed_origins=("https://chat.example",)
    )
    assert Keyring(("own",)).verify(ask(served).headers[HEADER]).target.scope is Scope.SPAN
    preflight = ask(served, "/ratings", "OPTIONS", HTTP_ORIGIN="https://chat.example")
    assert preflight.headers["Access-Control-Allow-Origin"] == "https://chat.example"
    assert ask(served, "/w.js").code == 200
    assert ask(served, "/v1/feedback").body == b"hi"


@pytest.mark.usefixtures("telemetry")
def test_an_app_inside_an_app_leaves_the_endpoint_to_the_outer_one():
    def outer(environ, start_response):
        inner = FeedbackMiddleware(_nothing)
        return inner({**environ, "SCRIPT_NAME": "/inner", "PATH_INFO": "/v1/feedback"}, start_response)

    assert ask(FeedbackMiddleware(outer), "/inner/v1/feedback").body == b"nothing"


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


def _nothing(_environ, start_response):
    text(start_response, length=7)
    return [b"nothing"]
