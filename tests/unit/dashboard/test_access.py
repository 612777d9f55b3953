from dataclasses import replace

import pytest
from starlette.datastructures import Headers

from otel_feedback.dashboard.access import COOKIE_LIFETIME_SECONDS, Access, local_target
from otel_feedback.errors import ConfigurationError
from otel_feedback.settings import Address, Settings

OPEN = Settings.load({})
WITH_TOKEN = replace(OPEN, dashboard_token="s3cret")


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


def test_beyond_this_machine_any_host_is_served_but_a_token_is_needed():
    beyond = Address("0.0.0.0", 4380)
    assert Access(replace(WITH_TOKEN, dashboard_address=beyond), "api").allows_host("dash.example")
    with pytest.raises(ConfigurationError, match="OTEL_FEEDBACK_DASHBOARD_TOKEN"):
        Access(replace(OPEN, dashboard_address=beyond), "api")


def test_a_cookie_is_accepted_until_it_expires_or_the_token_changes():
    access = Access(WITH_TOKEN, "api")
    cookie = access.new_cookie(now=1000.0)
    assert access.accepts_cookie(cookie, now=1000.0 + COOKIE_LIFETIME_SECONDS - 1)
    assert not access.accepts_cookie(cookie, now=1000.0 + COOKIE_LIFETIME_SECONDS + 1)
    assert not Access(replace(OPEN, dashboard_token="other"), "api").accepts_cookie(cookie, now=1000.0)


@pytest.mark.parametrize("cookie", ["", ".", "99999999999.", "99999999999.abc", "x.y", "99999999999"])
def test_a_made_up_cookie_is_refused(cookie):
    assert not Access(WITH_TOKEN, "api").accepts_cookie(cookie)


def test_a_longer_life_can_not_be_written_into_a_cookie():
    access = Access(WITH_TOKEN, "api")
    _, _, signature = access.new_cookie(now=1000.0).partition(".")
    assert not access.accepts_cookie(f"99999999999.{signature}", now=1000.0)


def test_an_empty_token_never_matches():
    assert not Access(OPEN, "").has_bearer(Headers({"authorization": "Bearer "}))
    assert not Access(OPEN, "").is_dashboard_token("")


def test_both_tokens_work_as_a_bearer():
    access = Access(WITH_TOKEN, "api")
    for token, accepted in (("api", True), ("s3cret", True), ("else", False), ("", False)):
        assert access.has_bearer(Headers({"authorization": f"bearer {token}"})) is accepted
    assert not access.has_bearer(Headers({"authorization": "Basic api"}))


@pytest.mark.parametrize(
    "target", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)", "", "/a\r\nb"]
)
def test_the_login_never_leads_to_another_site(target):
    assert local_target(target) == "/"


def test_the_login_leads_back_to_where_one_was():
    assert local_target("/sessions/a%2Fb?call=1") == "/sessions/a%2Fb?call=1"
