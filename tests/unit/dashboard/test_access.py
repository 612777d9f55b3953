from dataclasses import replace

import pytest
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection

from otel_feedback.dashboard.access import (
    COOKIE_LIFETIME_SECONDS,
    COOKIE_NAME,
    WRONG_TOKENS_PER_MINUTE,
    Access,
    local_target,
)
from otel_feedback.errors import ConfigurationError
from otel_feedback.rate_limit import TooManyRequestsError
from otel_feedback.settings import Address, Settings

OPEN = Settings.load({})
WITH_TOKEN = replace(OPEN, dashboard_token=("s3cret", "former"))


def _connection(**headers: str) -> HTTPConnection:
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    return HTTPConnection({"type": "http", "headers": raw})


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:4380", "LOCALHOST:1", "127.0.0.1:80", "127.8.8.8", "[::1]:4380", "[::1]"]
)
def test_loopback_names_are_served(host):
    assert Access(OPEN, "api").allows_host(host)


@pytest.mark.parametrize(
    "host",
    [
        "",
        "evil.example",
        "evil.example:4380",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "10.0.0.1",
        "0.0.0.0",
        "[::2]",
        "::1:80:x",
    ],
)
def test_a_rebound_name_is_not_served_on_loopback(host):
    assert not Access(OPEN, "api").allows_host(host)


def test_where_a_token_is_asked_for_any_host_is_served():
    assert Access(WITH_TOKEN, "api").allows_host("dash.example")


def test_beyond_this_machine_a_token_is_needed_that_can_not_be_guessed():
    beyond = replace(OPEN, dashboard_address=Address("0.0.0.0", 4380))
    Access(replace(beyond, dashboard_token=("a-long-random-text",)), "api")
    for tokens in ((), ("short",), ("a-long-random-text", "short")):
        with pytest.raises(ConfigurationError, match="OTEL_FEEDBACK_DASHBOARD_TOKEN"):
            Access(replace(beyond, dashboard_token=tokens), "api")


def test_a_cookie_is_accepted_until_it_expires_or_its_token_is_not_set_any_more():
    access = Access(WITH_TOKEN, "api")
    for token, others in (("s3cret", ("former",)), ("former", ("s3cret",))):
        cookie = access.new_cookie(token, now=1000.0)
        assert access.accepts_cookie(cookie, now=1000.0 + COOKIE_LIFETIME_SECONDS - 1)
        assert not access.accepts_cookie(cookie, now=1000.0 + COOKIE_LIFETIME_SECONDS + 1)
        assert Access(replace(OPEN, dashboard_token=(token,)), "api").accepts_cookie(cookie, now=1000.0)
        assert not Access(replace(OPEN, dashboard_token=others), "api").accepts_cookie(cookie, now=1000.0)


def test_a_cookie_that_was_signed_out_opens_nothing_and_others_still_do():
    access = Access(WITH_TOKEN, "api")
    mine, other = access.new_cookie("s3cret"), access.new_cookie("s3cret")
    access.sign_out(mine)
    assert not access.accepts_cookie(mine)
    assert access.accepts_cookie(other)


def test_what_is_signed_out_is_bounded_and_made_up_cookies_are_not_kept(monkeypatch):
    monkeypatch.setattr("otel_feedback.dashboard.access.MOST_SIGNED_OUT", 3)
    access = Access(WITH_TOKEN, "api")
    cookies = [access.new_cookie("s3cret") for _ in range(5)]
    for cookie in [*cookies, "99999999999.x.y"]:
        access.sign_out(cookie)
    assert [access.accepts_cookie(cookie) for cookie in cookies] == [True, True, False, False, False]


def test_a_form_token_is_of_one_reader():
    access = Access(WITH_TOKEN, "api")
    one, other = (_connection(cookie=f"{COOKIE_NAME}={access.new_cookie('s3cret')}") for _ in range(2))
    assert access.accepts_form(one, access.form_token(one))
    assert not access.accepts_form(other, access.form_token(one))
    assert not access.accepts_form(one, "")
    assert not Access(OPEN, "api").accepts_form(_connection(), Access(OPEN, "api").form_token(_connection()))


def test_wrong_tokens_are_counted_by_address_and_right_ones_are_not():
    access = Access(WITH_TOKEN, "api")
    for _ in range(WRONG_TOKENS_PER_MINUTE):
        access.check_guesses("192.0.2.1")
        access.count_wrong_token("192.0.2.1")
    with pytest.raises(TooManyRequestsError):
        access.check_guesses("192.0.2.1")
    access.check_guesses("192.0.2.2")


@pytest.mark.parametrize("cookie", ["", ".", "99999999999.", "99999999999.abc", "x.y", "99999999999"])
def test_a_made_up_cookie_is_refused(cookie):
    assert not Access(WITH_TOKEN, "api").accepts_cookie(cookie)


def test_a_longer_life_can_not_be_written_into_a_cookie():
    access = Access(WITH_TOKEN, "api")
    _, _, signature = access.new_cookie("s3cret", now=1000.0).rpartition(".")
    assert not access.accepts_cookie(f"99999999999.x.{signature}", now=1000.0)


def test_an_empty_token_never_matches():
    assert not Access(OPEN, "").has_bearer(Headers({"authorization": "Bearer "}))
    assert not Access(OPEN, "").is_dashboard_token("")


def test_both_tokens_work_as_a_bearer():
    access = Access(WITH_TOKEN, "api")
    for token, accepted in (("api", True), ("s3cret", True), ("former", True), ("else", False), ("", False)):
        assert access.has_bearer(Headers({"authorization": f"bearer {token}"})) is accepted
    assert not access.has_bearer(Headers({"authorization": "Basic api"}))


@pytest.mark.parametrize(
    "target", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)", "", "/a\r\nb"]
)
def test_the_login_never_leads_to_another_site(target):
    assert local_target(target) == "/"


def test_the_login_leads_back_to_where_one_was():
    assert local_target("/sessions/a%2Fb?call=1") == "/sessions/a%2Fb?call=1"
