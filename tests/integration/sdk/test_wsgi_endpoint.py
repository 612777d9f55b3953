from __future__ import annotations

import io
import json

import pytest
from tests.support.telemetry import sdk_settings, telemetry
from tests.support.wsgi_client import HEADER, ask, text

from otel_feedback.feedback_api import MAX_BODY_BYTES
from otel_feedback.rating import Scope
from otel_feedback.sdk.wsgi import FeedbackMiddleware
from otel_feedback.tokens import Keyring

__all__ = ["sdk_settings", "telemetry"]


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


def _nothing(_environ, start_response):
    text(start_response, length=7)
    return [b"nothing"]
