"""The table of docs/tokens.md, against the endpoint of a running app and that of a running service."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import re
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
from tests.support.service import ALLOWED_ORIGIN, SIGNING_KEY, running_service, wait_until

from otel_feedback.rating import Scope, Target
from otel_feedback.tokens import AUDIENCE, KEY_PURPOSE, Grant, Keyring

DOCUMENT = Path(__file__).parents[2] / "docs" / "tokens.md"
OLD_KEY = "an older key for tests"
KEYS = {"OTEL_FEEDBACK_SIGNING_KEYS": f"{SIGNING_KEY},{OLD_KEY}", "OTEL_FEEDBACK_ALLOWED_ORIGINS": ALLOWED_ORIGIN}
LIMITS = {"OTEL_FEEDBACK_VOTES_PER_MINUTE": "20", "OTEL_FEEDBACK_REQUESTS_PER_MINUTE": "40"}
APP = """
import socket, sys
import uvicorn
from otel_feedback.sdk.asgi import FeedbackMiddleware

async def nothing(scope, receive, send):
    await send({"type": "http.response.start", "status": 404, "headers": []})
    await send({"type": "http.response.body", "body": b""})

listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
uvicorn.Server(uvicorn.Config(FeedbackMiddleware(nothing), log_level="warning", lifespan="off")).run(sockets=[listener])
"""


@contextmanager
def running_app(settings: dict[str, str]) -> Iterator[str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    process = subprocess.Popen(
        [sys.executable, "-c", APP], env={**inherited, **settings}, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        url = f"http://127.0.0.1:{int(process.stdout.readline())}"
        wait_until(lambda: _answers(url), 30, "the app does not answer")
        yield url
    finally:
        process.terminate()
        process.communicate(timeout=30)


def _answers(url: str) -> bool | None:
    try:
        return httpx.get(url).status_code == 404 or None
    except httpx.TransportError:
        return None


@contextmanager
def running(kind: str, folder: Path, settings: dict[str, str]) -> Iterator[str]:
    """The endpoint of an app or of a service."""
    with ExitStack() as stack:
        if kind == "app":
            yield stack.enter_context(running_app(settings)) + "/v1/feedback"
        else:
            yield stack.enter_context(running_service(folder / "data", settings)).http + "/v1/feedback"


@pytest.fixture(scope="module", params=["app", "service"])
def endpoint(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    no_limits = dict.fromkeys(LIMITS, "0")
    with running(request.param, tmp_path_factory.mktemp("attacked"), {**KEYS, **no_limits}) as url:
        yield url


@pytest.fixture(params=["app", "service"])
def limited(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    with running(request.param, tmp_path, {**KEYS, **LIMITS}) as url:
        yield url


def new_target() -> Target:
    return Target(Scope.SPAN, trace_id=os.urandom(16).hex(), span_id=os.urandom(8).hex())


def mint(rater: str = "u-7", names: tuple[str, ...] = (), *, key: str = SIGNING_KEY, **options: Any) -> str:
    return Keyring((key,)).mint(Grant(new_target(), rater, names), **options)


def derived(key: str = SIGNING_KEY) -> tuple[bytes, str]:
    """What signs, and its ``kid``."""
    secret = hmac.digest(key.encode(), KEY_PURPOSE, hashlib.sha256)
    return secret, hashlib.sha256(secret).hexdigest()[:8]


def signed(claims: dict[str, Any], secret: bytes | None = None) -> str:
    right, key_id = derived()
    whole = {"aud": AUDIENCE, "exp": time.time() + 600, "scp": "session", "ses": "c-1", **claims}
    return jwt.encode(whole, secret or right, algorithm="HS256", headers={"kid": key_id})


def encoded(part: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


def post(url: str, token: str, headers: dict[str, str] | None = None, **content: Any) -> httpx.Response:
    return httpx.post(url, json={"token": token, "name": "thumbs", "value": True, **content}, headers=headers)


def told(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def refusals(url: str, token: str) -> set[tuple[int, str]]:
    """What the token is answered with when it sets, reads and takes back."""
    bearer = {"Authorization": f"Bearer {token}"}
    return {
        told(post(url, token)),
        told(httpx.get(url, headers=bearer)),
        told(httpx.delete(url, params={"name": "thumbs"}, headers=bearer)),
    }


def is_taken(url: str, token: str) -> bool:
    return post(url, token).status_code == 202


def test_an_altered_token_is_refused(endpoint: str):
    token = mint()
    assert is_taken(endpoint, token)
    header, claims, signature = token.split(".")
    swapped = encoded({"aud": AUDIENCE, "exp": 4_000_000_000, "scp": "session", "ses": "another"})
    for altered in (f"{header}.{swapped}.{signature}", token + "A", token[:-1], f"{header}.{claims}.{signature[::-1]}"):
        assert refusals(endpoint, altered) == {(401, "invalid_token")}


def test_an_expired_token_is_refused(endpoint: str):
    assert refusals(endpoint, mint(lifetime_seconds=60, now=time.time() - 61)) == {(401, "expired_token")}


def test_a_token_that_is_not_valid_yet_is_refused(endpoint: str):
    assert is_taken(endpoint, signed({"nbf": time.time() - 60}))
    assert refusals(endpoint, signed({"nbf": time.time() + 600})) == {(401, "not_yet_valid")}


def test_a_token_of_a_foreign_key_is_refused(endpoint: str):
    assert refusals(endpoint, mint(key="a foreign key")) == {(401, "unknown_key")}
    foreign, _ = derived("a foreign key")
    assert refusals(endpoint, signed({}, foreign)) == {(401, "invalid_token")}


def test_a_token_of_another_algorithm_is_refused(endpoint: str):
    secret, key_id = derived()
    claims = {"aud": AUDIENCE, "exp": time.time() + 600, "scp": "session", "ses": "c-1"}
    for algorithm in ("none", "HS512", "RS256"):
        head = encoded({"alg": algorithm, "typ": "JWT", "kid": key_id})
        unsigned = f"{head}.{encoded(claims)}"
        # RS256 verified with a shared secret as its public key would be HMAC with what everybody knows.
        signature = base64.urlsafe_b64encode(hmac.digest(secret, unsigned.encode(), "sha256")).rstrip(b"=").decode()
        assert refusals(endpoint, f"{unsigned}.{signature}") == {(401, "invalid_token")}, algorithm
        empty = post(endpoint, f"{unsigned}.")
        assert told(empty) == (401, "invalid_token"), algorithm


@pytest.mark.parametrize("kind", ["app", "service"])
def test_a_token_lives_as_long_as_its_key_is_listed(kind: str, tmp_path: Path):
    old = mint(key=OLD_KEY)
    with running(kind, tmp_path, KEYS) as url:
        assert is_taken(url, old)
    with running(kind, tmp_path, {**KEYS, "OTEL_FEEDBACK_SIGNING_KEYS": SIGNING_KEY}) as rotated:
        assert is_taken(rotated, mint())
        assert refusals(rotated, old) == {(401, "unknown_key")}


def test_a_token_of_another_purpose_is_refused(endpoint: str):
    assert is_taken(endpoint, signed({}))
    assert refusals(endpoint, signed({"aud": "another purpose"})) == {(401, "invalid_token")}
    assert refusals(endpoint, signed({}, SIGNING_KEY.encode() * 3)) == {(401, "invalid_token")}


def test_a_token_rates_as_its_own_rater_only(endpoint: str):
    target = new_target()
    mine, theirs = (Keyring((SIGNING_KEY,)).mint(Grant(target, rater)) for rater in ("u-7", "u-8"))
    assert is_taken(endpoint, theirs)
    for field in ("rater", "rater_id", "user"):
        assert told(post(endpoint, mine, **{field: "u-8"})) == (400, "unknown_field")
    httpx.request("DELETE", endpoint, json={"token": mine, "name": "thumbs"})
    shown = httpx.get(endpoint, headers={"Authorization": f"Bearer {theirs}"}).json()["ratings"]
    assert [rating["value"] for rating in shown] == [1.0]


def test_a_token_opens_its_own_names_only(endpoint: str):
    token = mint(names=("thumbs",))
    assert is_taken(endpoint, token)
    assert told(post(endpoint, token, name="stars")) == (403, "name_not_allowed")
    answer = httpx.delete(endpoint, params={"name": "stars"}, headers={"Authorization": f"Bearer {token}"})
    assert told(answer) == (403, "name_not_allowed")


def test_an_oversized_token_is_refused(endpoint: str):
    assert told(post(endpoint, "x" * 4097)) == (401, "invalid_token")
    assert told(post(endpoint, "x" * 4_000_000)) == (413, "too_large")
    assert is_taken(endpoint, mint()), "and it still answers"


def test_a_raw_trace_id_is_no_token(endpoint: str):
    target = new_target()
    for raw in (target.trace_id, f"00-{target.trace_id}-{target.span_id}-01"):
        assert refusals(endpoint, raw) == {(401, "invalid_token")}
    for field in ("trace_id", "span_id", "session_id", "response_id", "target"):
        assert told(post(endpoint, mint(), **{field: target.trace_id})) == (400, "unknown_field")


def test_a_token_in_the_url_rates_nothing(endpoint: str):
    token = mint()
    in_url = {"token": token, "name": "thumbs"}
    assert told(httpx.post(endpoint, params=in_url, json={"name": "thumbs", "value": True})) == (401, "missing_token")
    assert post(endpoint, token).status_code == 202
    assert [each["name"] for each in httpx.get(endpoint, params=in_url).json()["ratings"]] == ["thumbs"]
    assert httpx.delete(endpoint, params=in_url).status_code == 202
    assert httpx.get(endpoint, params=in_url).json() == {"ratings": []}


def test_a_page_of_a_foreign_origin_can_do_nothing(endpoint: str):
    token = mint()
    for origin, site in (("https://evil.example", "cross-site"), ("https://other.chat.example", "same-site")):
        headers = {"Origin": origin, "Sec-Fetch-Site": site, "Content-Type": "text/plain"}  # as a form sends it
        answer = post(endpoint, token, headers)
        assert told(answer) == (403, "origin_not_allowed")
        assert "access-control-allow-origin" not in answer.headers
        preflight = httpx.options(endpoint, headers={**headers, "Access-Control-Request-Method": "POST"})
        assert "access-control-allow-origin" not in preflight.headers
    assert httpx.get(endpoint, headers={"Authorization": f"Bearer {token}"}).json() == {"ratings": []}
    own = {"Origin": "https://behind-a-proxy.example", "Sec-Fetch-Site": "same-origin"}
    allowed = {"Origin": ALLOWED_ORIGIN, "Sec-Fetch-Site": "cross-site"}
    assert [post(endpoint, token, headers).status_code for headers in (own, allowed)] == [202, 202]


def test_a_rater_who_floods_is_told_to_wait(limited: str):
    flooding = uuid.uuid4().hex
    answers = [post(limited, mint(flooding), {"Origin": ALLOWED_ORIGIN}) for _ in range(24)]
    assert [answer.status_code for answer in answers[:20]] == [202] * 20
    last = answers[-1]
    assert told(last) == (429, "too_many_requests")
    assert 1 <= int(last.headers["retry-after"]) <= 3
    assert "Retry-After" in last.headers["access-control-expose-headers"]
    assert is_taken(limited, mint(uuid.uuid4().hex)), "others are served"
    assert is_taken(limited, mint(rater="")), "and so are those without a name"
    assert httpx.get(limited, headers={"Authorization": f"Bearer {mint(flooding)}"}).status_code == 200
    time.sleep(int(last.headers["retry-after"]))
    assert is_taken(limited, mint(flooding))


def test_an_address_that_floods_is_told_to_wait(limited: str):
    with httpx.Client() as client:
        statuses = [client.get(limited, headers={"Authorization": "Bearer nonsense"}).status_code for _ in range(45)]
        assert statuses[:40] == [401] * 40
        assert 429 in statuses[40:]
        answer = client.post(limited, json={"token": mint(), "name": "thumbs", "value": True})
    assert told(answer) == (429, "too_many_requests")
    assert 1 <= int(answer.headers["retry-after"]) <= 2


def test_every_line_of_the_table_names_a_test_that_is_here():
    table = [line for line in DOCUMENT.read_text().splitlines() if line.startswith("|") and "`test_" in line]
    named = {re.findall(r"`(test_\w+)`", line)[-1] for line in table}
    here = {name for name in globals() if name.startswith("test_")}
    assert here - named == {"test_every_line_of_the_table_names_a_test_that_is_here"}
    assert named < here
