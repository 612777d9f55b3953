"""The chat app in front of the local model: it streams, refuses, and puts the model's failures into words."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
from tests.support.http_app import serve

from otel_feedback.demo.chat_app import STATIC, create_app
from otel_feedback.demo.chat_request import MAX_BODY_BYTES, USERS
from otel_feedback.demo.model_server import app as model_app


@pytest.fixture(scope="module")
def model_url() -> Iterator[str]:
    with serve(model_app) as url:
        yield f"{url}/v1"


@pytest.fixture
def chat(model_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[httpx.Client]:
    with running_chat(monkeypatch, OPENAI_BASE_URL=model_url) as client:
        yield client


@contextmanager
def running_chat(monkeypatch: pytest.MonkeyPatch, **environment: str) -> Iterator[httpx.Client]:
    for name, value in {"OPENAI_API_KEY": "none", "OPENAI_MODEL": "", **environment}.items():
        monkeypatch.setenv(name, value)
    with serve(create_app(), lifespan="on") as url, httpx.Client(base_url=url, timeout=30) as client:
        yield client


def ask(chat: httpx.Client, question: str, **changes: object) -> httpx.Response:
    messages = [{"role": "user", "content": question}]
    return chat.post("/api/chat", json={"conversation": "c0ffee00", "user": "ana", "messages": messages} | changes)


def lines(answer: httpx.Response) -> list:
    return [json.loads(line) for line in answer.text.splitlines()]


def test_an_answer_comes_in_pieces(chat: httpx.Client):
    answer = ask(chat, "Can I return an opened item?")
    *pieces, last = lines(answer)
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert "30 days" in "".join(piece["text"] for piece in pieces)
    assert len(pieces) > 10
    assert last == {"done": True}


def test_an_order_is_looked_up_on_the_way(chat: httpx.Client):
    text = "".join(piece.get("text", "") for piece in lines(ask(chat, "Where is A-1012?")))
    assert text.startswith("Your order A-1012, a stand mixer in sage green, is in the workshop")


@pytest.mark.parametrize(
    ("question", "status", "code", "words"),
    [
        ("What about the rate limit?", 429, "busy", "is busy"),
        ("A server error please", 502, "failed", "could not answer"),
    ],
)
def test_a_failing_model_is_told_in_words(chat: httpx.Client, question: str, status: int, code: str | None, words: str):
    answer = ask(chat, question)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (status, code)
    assert words in error["message"]


def test_a_model_that_is_not_there_is_told_in_words(monkeypatch: pytest.MonkeyPatch):
    with running_chat(monkeypatch, OPENAI_BASE_URL="http://127.0.0.1:9/v1") as chat:
        answer = ask(chat, "Hello")
        assert (answer.status_code, answer.json()["error"]["code"]) == (502, "unreachable")


def test_an_unknown_model_names_the_setting(monkeypatch: pytest.MonkeyPatch, model_url: str):
    with running_chat(monkeypatch, OPENAI_BASE_URL=model_url, OPENAI_MODEL="gpt-0") as chat:
        assert "OPENAI_MODEL" in ask(chat, "Hello").json()["error"]["message"]


def test_a_wrong_request_is_refused_in_json(chat: httpx.Client):
    answer = ask(chat, "Hello", user="mallory")
    assert answer.status_code == 400
    assert answer.json() == {"error": {"code": "invalid_request", "message": "user must be one of ana, kofi, mei"}}
    assert chat.post("/api/chat", content=b" " * (MAX_BODY_BYTES + 1)).status_code == 400
    assert chat.get("/api/chat").status_code == 405


def test_the_page_runs_nothing_but_its_own_files(chat: httpx.Client):
    page = chat.get("/")
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert not re.search(r"<script(?![^>]*\bsrc=)|\son\w+=|\sstyle=|<style", page.text)
    for path in re.findall(r'(?:src|href)="(/static/[^"]+)"', page.text):
        assert chat.get(path).status_code == 200, path


def test_the_page_offers_the_users_that_the_server_knows():
    page = (STATIC / "index.html").read_text()
    assert tuple(re.findall(r'<option value="(\w+)"', page)) == USERS


def test_the_page_never_reads_text_as_html():
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write", (STATIC / "chat.js").read_text())
