"""``/v1/feedback`` of the service: a browser with a token, and nothing else."""

from __future__ import annotations

import json
import os
import uuid
from typing import Any

import httpx
import pytest
from tests.support.service import ALLOWED_ORIGIN, SIGNING_KEY, RunningService

from otel_feedback.rating import Scope, Target
from otel_feedback.tokens import Grant, Keyring

FEEDBACK = """
SELECT Name, Value, Label, Comment, Reasons, Correction, Source, RaterId, Scope, TraceId, SpanId, SessionId,
       ScoreMin, ScoreMax
FROM feedback WHERE RaterId = {rater:String} ORDER BY Name
"""
EVENTS = "SELECT Action, Via, Value FROM feedback_events WHERE RaterId = {rater:String} ORDER BY Time"


def new_target(scope: Scope = Scope.SPAN) -> Target:
    if scope is Scope.SESSION:
        return Target(scope, session_id=f"conversation {uuid.uuid4()}")
    return Target(scope, trace_id=os.urandom(16).hex(), span_id=os.urandom(8).hex())


def mint(target: Target, rater: str = "", names: tuple[str, ...] = (), **options: Any) -> str:
    return Keyring((SIGNING_KEY,)).mint(Grant(target, rater, names), **options)


def post(service: RunningService, token: str, **content: Any) -> httpx.Response:
    body = json.dumps({"token": token, **content})  # escaped, so that half of a surrogate pair can be sent too
    return httpx.post(f"{service.http}/v1/feedback", content=body)


def read_back(service: RunningService, token: str) -> list[dict[str, Any]]:
    answer = httpx.get(f"{service.http}/v1/feedback", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 200, answer.text
    ratings: list[dict[str, Any]] = answer.json()["ratings"]
    return ratings


@pytest.mark.parametrize("scope", list(Scope))
def test_a_rating_is_in_sql_with_its_target_and_its_rater(service: RunningService, scope: Scope):
    rater, target = uuid.uuid4().hex, new_target(scope)
    answer = post(
        service,
        mint(target, rater),
        name="stars",
        value=4,
        minimum=1,
        maximum=5,
        comment="é <b>",
        reasons=["too long", "off topic"],
        correction="42",
    )
    assert (answer.status_code, answer.json()["state"]) == (202, "recorded")
    (row,) = service.wait_for_rows(FEEDBACK, rater=rater)
    expected_ids = {
        Scope.SESSION: {"SessionId": target.session_id},
        Scope.TRACE: {"TraceId": target.trace_id},
        Scope.SPAN: {"TraceId": target.trace_id, "SpanId": target.span_id},
    }[scope]
    assert row == row | expected_ids
    assert row == row | {
        "Name": "stars",
        "Value": 4,
        "Label": "positive",
        "Comment": "é <b>",
        "Reasons": ["too long", "off topic"],
        "Correction": "42",
        "Source": "end_user",
        "Scope": str(scope),
        "ScoreMin": 1,
        "ScoreMax": 5,
    }
    assert service.sql(EVENTS, rater=rater) == [{"Action": "submit", "Via": "http", "Value": 4}]


def test_a_rating_is_read_back_at_once_and_still_once_it_is_stored(service: RunningService):
    rater, target = uuid.uuid4().hex, new_target()
    token = mint(target, rater)
    identity = post(service, token, name="thumbs", value=True, comment="good").json()["id"]
    at_once = read_back(service, token)
    assert [(each["id"], each["name"], each["value"], each["comment"]) for each in at_once] == [
        (identity, "thumbs", 1.0, "good")
    ]
    service.wait_for_rows(FEEDBACK, rater=rater)
    assert read_back(service, token) == at_once
    assert read_back(service, mint(target, "somebody else")) == []
    assert read_back(service, mint(new_target(), rater)) == []


def test_changing_ones_mind_replaces_and_retracting_removes(service: RunningService):
    rater = uuid.uuid4().hex
    token = mint(new_target(), rater)
    post(service, token, name="thumbs", value=True)
    post(service, token, name="thumbs", value=False)
    assert [each["label"] for each in read_back(service, token)] == ["negative"]
    answer = httpx.delete(
        f"{service.http}/v1/feedback", params={"name": "thumbs"}, headers={"Authorization": f"Bearer {token}"}
    )
    assert (answer.status_code, answer.json()["state"]) == (202, "retracted")
    assert read_back(service, token) == []
    events = service.wait_for_rows(EVENTS, 3, rater=rater)
    assert [event["Action"] for event in events] == ["submit", "submit", "retract"]
    assert service.sql(FEEDBACK, rater=rater) == []


def test_the_same_submission_sent_twice_counts_once(service: RunningService):
    rater, identity = uuid.uuid4().hex, str(uuid.uuid4())
    token = mint(new_target(), rater)
    for _ in range(2):
        assert post(service, token, id=identity, name="thumbs", value=True).json()["id"] == identity
    later = mint(new_target(), rater)
    post(service, later, name="thumbs", value=True)
    service.wait_for_rows(FEEDBACK, 2, rater=rater)
    assert len(service.sql(EVENTS, rater=rater)) == 2


def altered(token: str) -> str:
    header, claims, signature = token.split(".")
    return f"{header}.{claims}.{'A' if signature[0] != 'A' else 'B'}{signature[1:]}"


@pytest.mark.parametrize(
    ("token", "code"),
    [
        ("", "missing_token"),
        ("no token", "invalid_token"),
        (altered(mint(new_target())), "invalid_token"),
        (mint(new_target(), now=1_000_000.0), "expired_token"),
        (Keyring(("a foreign key",)).mint(Grant(new_target())), "unknown_key"),
    ],
    ids=["none", "unknown", "altered", "expired", "foreign"],
)
@pytest.mark.parametrize("method", ["POST", "GET", "DELETE"])
def test_without_a_good_token_it_is_401(service: RunningService, method: str, token: str, code: str):
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    body = {"name": "thumbs", "value": True} if method == "POST" else None
    answer = httpx.request(method, f"{service.http}/v1/feedback", json=body, headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, code)


def test_a_token_opens_its_own_names_only(service: RunningService):
    answer = post(service, mint(new_target(), names=("thumbs",)), name="stars", value=1)
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "name_not_allowed")


@pytest.mark.parametrize(
    ("content", "status"),
    [
        ({"name": "thumbs"}, 400),
        ({"name": "stars", "value": 9, "minimum": 1, "maximum": 5}, 400),
        ({"name": "thumbs", "value": True, "trace_id": "00"}, 400),
        ({"name": "thumbs", "value": "\ud800"}, 400),
        ({"name": "thumbs", "value": True, "comment": "x" * 600_000}, 413),
    ],
)
def test_a_bad_rating_is_refused(service: RunningService, content: dict[str, Any], status: int):
    answer = post(service, mint(new_target()), **content)
    assert answer.status_code == status
    assert answer.json()["error"]["message"]


def test_pages_of_allowed_origins_may_ask_and_others_may_not(service: RunningService):
    def preflight(origin: str) -> httpx.Response:
        return httpx.options(
            f"{service.http}/v1/feedback", headers={"Origin": origin, "Access-Control-Request-Method": "POST"}
        )

    allowed = preflight(ALLOWED_ORIGIN)
    assert (allowed.status_code, allowed.headers["access-control-allow-origin"]) == (204, ALLOWED_ORIGIN)
    assert "access-control-allow-origin" not in preflight("https://evil.example").headers


def test_the_widget_is_served_to_any_page_and_revalidated(service: RunningService):
    answer = httpx.get(f"{service.http}/feedback.js")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/javascript")
    assert answer.headers["access-control-allow-origin"] == "*"
    again = httpx.get(f"{service.http}/feedback.js", headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
