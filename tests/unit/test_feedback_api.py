from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_feedback.errors import RejectedRequestError
from otel_feedback.feedback_api import MAX_BODY_BYTES, FeedbackApi, FeedbackRequest
from otel_feedback.rating import Action, Rating, Scope, Target
from otel_feedback.recent_ratings import RecentRatings
from otel_feedback.tokens import Grant, Keyring

KEYS = Keyring(("key",))
TARGET = Target(Scope.SPAN, trace_id="a" * 32, span_id="b" * 16, session_id="c-1")
TOKEN = KEYS.mint(Grant(TARGET, "u-7"))


class ListStore:
    """A RatingStore that keeps what it takes in a list."""

    def __init__(self) -> None:
        self.taken: list[Rating] = []
        self.refusal: RejectedRequestError | None = None
        self._recent = RecentRatings()

    async def submit(self, rating: Rating) -> None:
        if self.refusal:
            raise self.refusal
        self.taken.append(rating)
        self._recent.remember(rating)

    async def current(self, target: Target, rater_id: str) -> list[Rating]:
        return self._recent.laid_over([], target, rater_id)


class Client:
    def __init__(self, **options: Any) -> None:
        self.store = ListStore()
        self._api = FeedbackApi(KEYS, self.store, **options)

    def ask(self, method: str, body: Any = None, *, query: Any = None, **headers: str) -> tuple[int, Any]:
        response = self.response(method, body, query=query, **headers)
        return response.status, json.loads(response.body) if response.body else None

    def response(self, method: str, body: Any = None, *, query: Any = None, **headers: str) -> Any:
        raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        return asyncio.run(self._api.answer(FeedbackRequest(method, headers, query or {}, raw)))


def test_a_vote_is_taken_read_back_switched_and_taken_back():
    client = Client()
    status, answer = client.ask("POST", {"token": TOKEN, "name": "thumbs", "value": True})
    assert (status, answer["state"]) == (202, "recorded")
    assert client.store.taken[0].id == answer["id"]
    assert (client.store.taken[0].target, client.store.taken[0].rater_id) == (TARGET, "u-7")
    client.ask("POST", {"token": TOKEN, "name": "thumbs", "value": False, "comment": "No.", "reasons": ["wrong"]})
    status, answer = client.ask("GET", authorization=f"Bearer {TOKEN}")
    (shown,) = answer["ratings"]
    assert (shown["value"], shown["label"], shown["comment"], shown["reasons"]) == (0.0, "negative", "No.", ["wrong"])
    status, answer = client.ask("DELETE", {"token": TOKEN, "name": "thumbs"})
    assert (status, answer["state"]) == (202, "retracted")
    assert client.store.taken[-1].action is Action.RETRACT
    assert client.ask("GET", authorization=f"Bearer {TOKEN}") == (200, {"ratings": []})


def test_another_rater_sees_nothing():
    client = Client()
    client.ask("POST", {"token": TOKEN, "name": "thumbs", "value": True})
    other = KEYS.mint(Grant(TARGET, "u-8"))
    assert client.ask("GET", authorization=f"Bearer {other}") == (200, {"ratings": []})


def test_a_repeated_submission_keeps_its_id():
    client = Client()
    body = {"token": TOKEN, "id": "0198c0de-0000-7000-8000-000000000001", "name": "thumbs", "value": True}
    assert client.ask("POST", body) == client.ask("POST", body)
    assert {rating.id for rating in client.store.taken} == {body["id"]}


def test_a_token_for_one_name_needs_no_name_and_allows_no_other():
    client = Client()
    token = KEYS.mint(Grant(TARGET, "u-7", ("stars",)))
    body = {"token": token, "value": 4, "minimum": 1, "maximum": 5}
    assert client.ask("POST", body)[0] == 202
    status, answer = client.ask("POST", body | {"name": "thumbs"})
    assert (status, answer["error"]["code"]) == (403, "name_not_allowed")


def test_a_token_shows_only_ratings_of_its_names():
    client = Client()
    client.ask("POST", {"token": TOKEN, "name": "thumbs", "value": True})
    token = KEYS.mint(Grant(TARGET, "u-7", ("stars",)))
    assert client.ask("GET", authorization=f"Bearer {token}") == (200, {"ratings": []})


@pytest.mark.parametrize(
    ("body", "status", "code", "says"),
    [
        ({"name": "thumbs", "value": True}, 401, "missing_token", "Bearer"),
        ({"token": "abc", "name": "thumbs", "value": True}, 401, "invalid_token", "altered"),
        ({"token": "\ud800", "name": "thumbs", "value": True}, 401, "invalid_token", "altered"),
        ({"token": TOKEN, "value": True}, 400, "invalid_rating", "name"),
        ({"token": TOKEN, "name": ["thumbs"], "value": True}, 400, "invalid_rating", "name"),
        ({"token": TOKEN, "name": "thumbs"}, 400, "invalid_rating", "value"),
        ({"token": TOKEN, "name": "thumbs", "value": {"up": 1}}, 400, "invalid_rating", "value"),
        ({"token": TOKEN, "name": "stars", "value": 9, "minimum": 1, "maximum": 5}, 400, "invalid_rating", "outside"),
        ({"token": TOKEN, "name": "thumbs", "value": True, "comment": 5}, 400, "invalid_rating", "comment"),
        ({"token": TOKEN, "name": "thumbs", "value": True, "comment": "\ud800"}, 400, "invalid_rating", "comment"),
        ({"token": TOKEN, "name": "thumbs", "value": True, "id": "x"}, 400, "invalid_rating", "id"),
        ({"token": TOKEN, "name": "thumbs", "value": True, "trace_id": "a" * 32}, 400, "unknown_field", "trace_id"),
        ({"token": TOKEN, "name": "thumbs", "value": True, "rater": "u-8"}, 400, "unknown_field", "rater"),
        ([], 400, "invalid_json", "object"),
        (b"{", 400, "invalid_json", "JSON"),
        (b"\xff", 400, "invalid_json", "UTF-8"),
        (b"[" * 200_000, 400, "invalid_json", "JSON"),
        (b" " * (MAX_BODY_BYTES + 1), 413, "too_large", "bytes"),
    ],
)
def test_a_bad_request_is_refused_with_what_is_wrong(body, status, code, says):
    client = Client()
    answered, answer = client.ask("POST", body)
    assert (answered, answer["error"]["code"]) == (status, code)
    assert says in answer["error"]["message"]
    assert client.store.taken == []


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(), lambda inner: st.lists(inner, max_size=3)))
def test_no_value_of_a_field_breaks_the_answer(value):
    client = Client()
    for field in ("id", "name", "value", "comment", "correction", "reasons", "minimum", "maximum"):
        status, _ = client.ask("POST", {"token": TOKEN, "name": "thumbs", "value": True} | {field: value})
        assert status in {202, 400}


def test_another_method_is_refused():
    assert Client().ask("PUT", {})[0] == 405


def test_a_store_that_is_busy_says_so():
    client = Client()
    client.store.refusal = RejectedRequestError(503, "busy", "the queue is full; try again")
    status, answer = client.ask("POST", {"token": TOKEN, "name": "thumbs", "value": True})
    assert (status, answer["error"]) == (503, {"code": "busy", "message": "the queue is full; try again"})


def test_comments_are_dropped_where_they_are_not_captured():
    client = Client(capture_comments=False)
    said = {"comment": "My name is Ann.", "correction": "No."}
    assert client.ask("POST", {"token": TOKEN, "name": "thumbs", "value": False, **said})[0] == 202
    assert (client.store.taken[0].comment, client.store.taken[0].correction) == ("", "")
    status, answer = client.ask("POST", {"token": TOKEN, "name": "thumbs", **said})
    assert (status, answer["error"]["code"]) == (400, "comments_not_captured")


def test_only_origins_on_the_list_get_cors_headers():
    client = Client(allowed_origins=("https://chat.example",))
    allowed = client.response("OPTIONS", origin="https://chat.example")
    assert (allowed.status, allowed.headers["Access-Control-Allow-Origin"]) == (204, "https://chat.example")
    assert "DELETE" in allowed.headers["Access-Control-Allow-Methods"]
    assert client.response("OPTIONS", origin="https://evil.example").headers == {}
    refused = client.response("POST", {}, origin="https://chat.example")
    assert refused.headers["Access-Control-Allow-Origin"] == "https://chat.example"
