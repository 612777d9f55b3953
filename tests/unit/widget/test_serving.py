from __future__ import annotations

import json

import pytest

from otel_feedback.widget import serving

ETAG = serving.answer("GET").headers["ETag"]


def test_the_script_is_for_pages_of_any_origin():
    answered = serving.answer("GET")
    assert (answered.status, answered.headers["Content-Type"]) == (200, "text/javascript; charset=utf-8")
    assert answered.headers["Access-Control-Allow-Origin"] == "*"
    assert b'customElements.define("llm-feedback"' in answered.body


def test_head_is_answered_as_get():
    assert serving.answer("HEAD") == serving.answer("GET")


@pytest.mark.parametrize("asked", [ETAG, f"W/{ETAG}", f'"old", {ETAG}', "*"])
def test_a_known_script_is_not_sent_again(asked: str):
    answered = serving.answer("GET", asked)
    assert (answered.status, answered.body, answered.headers["ETag"]) == (304, b"", ETAG)


@pytest.mark.parametrize("asked", ["", '"old"', ETAG.strip('"')])
def test_an_unknown_or_missing_etag_gets_the_script(asked: str):
    assert serving.answer("GET", asked).status == 200


def test_another_method_is_refused():
    answered = serving.answer("POST")
    assert (answered.status, answered.headers["Allow"]) == (405, "GET, HEAD")
    assert json.loads(answered.body)["error"]["code"] == "method_not_allowed"
