import pytest
from starlette.requests import Request

from otel_feedback.dashboard.form_guard import COOKIE_NAME, FormGuard


def _request(cookie="", **headers):
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    raw += [(b"host", b"127.0.0.1:4380"), (b"cookie", f"{COOKIE_NAME}={cookie}".encode())]
    return Request({"type": "http", "method": "POST", "path": "/", "headers": raw, "query_string": b""})


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"sec_fetch_site": "same-origin"},
        {"sec_fetch_site": "same-origin", "origin": "null"},
        {"sec_fetch_site": "same-origin", "origin": "https://behind.a.proxy"},
        {"origin": "http://127.0.0.1:4380"},
    ],
)
def test_a_form_of_this_dashboard_is_taken(headers):
    guard = FormGuard()
    cookie = guard.cookie(_request())
    assert guard.cookie(_request(cookie)) == cookie
    assert guard.refusal(_request(cookie, **headers), guard.token(cookie)) == ""


@pytest.mark.parametrize(
    "headers",
    [
        {"sec_fetch_site": "cross-site", "origin": "http://127.0.0.1:4380"},
        {"sec_fetch_site": "same-site"},
        {"sec_fetch_site": "none"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:8000"},
        {"origin": "http://127.0.0.1.evil.example:4380"},
    ],
)
def test_a_form_of_another_site_is_refused(headers):
    guard = FormGuard()
    cookie = guard.cookie(_request())
    assert "another site" in guard.refusal(_request(cookie, **headers), guard.token(cookie))


def test_a_token_is_worth_nothing_without_its_cookie_or_after_a_restart():
    guard = FormGuard()
    cookie, other = guard.cookie(_request()), guard.cookie(_request())
    assert cookie != other
    for given, token in ((other, guard.token(cookie)), (cookie, ""), ("", guard.token("")), (cookie, "\u00e9")):
        assert "too old" in guard.refusal(_request(given), token)
    assert "too old" in FormGuard().refusal(_request(cookie), guard.token(cookie))
