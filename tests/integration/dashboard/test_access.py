"""Who gets in: hosts, tokens, cookies, and the SQL endpoint."""

import json
import re

import httpx
import pytest
from tests.support.dashboard.process import API_TOKEN, DASHBOARD_TOKEN, FORMER_TOKEN

from otel_feedback.dashboard.access import WRONG_TOKENS_PER_MINUTE

BEARER = {"Authorization": f"Bearer {API_TOKEN}"}


@pytest.fixture
def guarded(dashboard):
    with httpx.Client(base_url=dashboard.guarded_url, timeout=30) as client:
        yield client


@pytest.mark.parametrize("path", ["/", "/feedback", "/api/feedback", "/healthz", "/static/dashboard.css"])
def test_a_rebound_host_name_is_refused(browser, path):
    refused = browser.get(path, headers={"Host": "evil.example"})
    assert refused.status_code == 421
    assert "localhost" in refused.text


@pytest.mark.parametrize("host", ["localhost", "localhost:4380", "[::1]:4380", "127.0.0.1"])
def test_names_of_this_machine_are_served(browser, host):
    assert browser.get("/", headers={"Host": host}).status_code == 200


def test_without_the_token_pages_lead_to_the_login_and_data_is_refused(guarded):
    page = guarded.get("/sessions/a%2Fb?page=1")
    assert page.status_code == 303
    assert page.headers["Location"] == "/login?next=%2Fsessions%2Fa%2Fb%3Fpage%3D1"
    data = guarded.get("/api/feedback")
    assert data.status_code == 401
    assert data.json()["error"]["code"] == "unauthorized"
    assert guarded.get("/healthz").status_code == 200


@pytest.mark.parametrize("token", [DASHBOARD_TOKEN, API_TOKEN])
def test_a_bearer_token_opens_pages_and_data(guarded, token):
    for path in ("/", "/api/feedback"):
        assert guarded.get(path, headers={"Authorization": f"Bearer {token}"}).status_code == 200


def test_signing_in_sets_a_cookie_that_scripts_and_other_sites_can_not_use(guarded):
    answer = guarded.post("/login", data={"token": DASHBOARD_TOKEN, "next": "/users"})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/users")
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert DASHBOARD_TOKEN not in cookie
    assert guarded.get("/users").status_code == 200
    assert "Sign out" in guarded.get("/").text
    copied = dict(guarded.cookies)
    assert _sign_out(guarded).headers["Location"] == "/login"
    assert guarded.get("/users").status_code == 303
    assert httpx.get(f"{guarded.base_url}/users", cookies=copied).status_code == 303, "copies are void as well"


def test_either_of_two_tokens_opens_so_that_they_can_be_changed_one_after_the_other(guarded):
    for token in (DASHBOARD_TOKEN, FORMER_TOKEN):
        assert guarded.post("/login", data={"token": token}).status_code == 303
        assert guarded.get("/users").status_code == 200
        assert guarded.get("/users", headers={"Authorization": f"Bearer {token}"}).status_code == 200
        guarded.cookies.clear()


@pytest.mark.parametrize(("scheme", "is_secure"), [("https", True), ("http", False)])
def test_the_cookie_goes_over_tls_alone_where_there_is_tls(guarded, scheme, is_secure):
    headers = {"X-Forwarded-Proto": scheme}  # as a proxy on this machine says it
    cookie = guarded.post("/login", data={"token": DASHBOARD_TOKEN}, headers=headers).headers["Set-Cookie"]
    assert ("Secure" in cookie) is is_secure
    assert "Max-Age=43200" in cookie


def test_who_guesses_tokens_has_to_wait_and_others_do_not(guarded):
    guesser, other = {"X-Forwarded-For": "192.0.2.7"}, {"X-Forwarded-For": "192.0.2.8"}
    for _ in range(WRONG_TOKENS_PER_MINUTE // 2):
        assert guarded.post("/login", data={"token": "guess"}, headers=guesser).status_code == 401
        assert guarded.get("/api/users", headers={**guesser, "Authorization": "Bearer guess"}).status_code == 401
    refused = guarded.post("/login", data={"token": DASHBOARD_TOKEN}, headers=guesser)
    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) > 0
    assert "Too many wrong tokens" in refused.text
    right = {"Authorization": f"Bearer {DASHBOARD_TOKEN}"}
    assert guarded.get("/api/users", headers={**guesser, **right}).status_code == 429
    assert guarded.get("/api/users", headers={**other, **right}).status_code == 200
    assert guarded.get("/api/users", headers={**guesser, **BEARER}).status_code == 200, "commands of this machine"


FOREIGN = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://["},
]


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
def test_a_form_of_another_site_is_refused(guarded, headers):
    guarded.post("/login", data={"token": DASHBOARD_TOKEN})
    form_token = _form_token(guarded)
    assert guarded.post("/logout", data={"form_token": form_token}, headers=headers).status_code == 403
    assert guarded.get("/users").status_code == 200, "still signed in"


@pytest.mark.parametrize("form", [{}, {"form_token": "guess"}], ids=str)
def test_a_form_without_the_readers_token_is_refused(guarded, form):
    guarded.post("/login", data={"token": DASHBOARD_TOKEN})
    refused = guarded.post("/logout", data=form)
    assert refused.status_code == 403
    assert "Load its page again" in refused.text
    assert guarded.get("/users").status_code == 200, "still signed in"


def test_our_own_forms_are_taken_with_what_browsers_say_of_them(guarded):
    own = {"Sec-Fetch-Site": "same-origin", "Origin": str(guarded.base_url).rstrip("/")}
    for name, value in own.items():
        guarded.post("/login", data={"token": DASHBOARD_TOKEN}, headers={name: value})
        assert _sign_out(guarded, {name: value}).status_code == 303


@pytest.mark.parametrize("path", ["/", "/feedback", "/users", "/sessions", "/users/maria", "/users.csv"])
def test_a_page_that_needs_more_than_its_budget_says_what_to_narrow(dashboard, path):
    answer = httpx.get(dashboard.tight_url + path)
    assert answer.status_code == 503
    assert "more rows than one page may read" in answer.text
    assert "Choose a shorter time" in answer.text
    assert "DB::Exception" not in answer.text


def _form_token(client):
    return re.search(r'name="form_token" value="([0-9a-f]+)"', client.get("/").text)[1]


def _sign_out(client, headers=None):
    return client.post("/logout", data={"form_token": _form_token(client)}, headers=headers)


def test_a_wrong_token_is_refused_in_words(guarded):
    answer = guarded.post("/login", data={"token": "guess", "next": "//evil.example"})
    assert answer.status_code == 401
    assert "This is not the dashboard token." in answer.text
    assert "evil.example" not in answer.text
    assert "Set-Cookie" not in answer.headers


def test_sql_answers_the_bytes_of_the_format(browser):
    asked = {"query": "SELECT {n:UInt8} AS n, 'ü' AS u", "format": "CSVWithNames", "parameters": {"n": 7}}
    answer = browser.post("/api/sql", json=asked, headers=BEARER)
    assert answer.status_code == 200
    assert answer.text == '"n","u"\n7,"ü"\n'
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"


def test_sql_needs_a_bearer_and_no_cookie_will_do(browser, guarded):
    asked = {"query": "SELECT 1"}
    assert browser.post("/api/sql", json=asked).status_code == 401
    assert browser.post("/api/sql", json=asked, headers={"Authorization": "Bearer x"}).status_code == 401
    guarded.post("/login", data={"token": DASHBOARD_TOKEN})
    assert guarded.get("/").status_code == 200
    assert guarded.post("/api/sql", json=asked).status_code == 401


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO otel_traces (TraceId) VALUES ('x')",
        "CREATE TABLE nope (a UInt8) ENGINE = Memory",
        "DROP TABLE otel_traces",
        "TRUNCATE TABLE otel_traces",
        "ALTER TABLE otel_traces DELETE WHERE 1",
        "SYSTEM STOP MERGES otel_traces",
    ],
)
def test_sql_refuses_to_write_unless_told(browser, statement):
    refused = browser.post("/api/sql", json={"query": statement}, headers=BEARER)
    assert refused.status_code == 400, refused.text
    assert refused.json()["error"]["code"] == "164"  # READONLY
    count = browser.post("/api/sql", json={"query": "SELECT count() AS n FROM otel_traces"}, headers=BEARER)
    assert int(json.loads(count.text)["n"]) > 0


def test_sql_writes_when_told(browser):
    def run(query, *, write):
        return browser.post("/api/sql", json={"query": query, "write": write}, headers=BEARER)

    assert run("CREATE TABLE written (a UInt8) ENGINE = MergeTree ORDER BY a", write=True).status_code == 200
    assert run("INSERT INTO written VALUES (5)", write=True).status_code == 200
    assert json.loads(run("SELECT a FROM written", write=False).text) == {"a": 5}
    assert run("DROP TABLE written", write=True).status_code == 200


def test_a_mistake_in_sql_is_a_400_with_clickhouses_code(browser):
    answer = browser.post("/api/sql", json={"query": "SELECT nope FROM otel_traces"}, headers=BEARER)
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "47"
    assert "nope" in answer.json()["error"]["message"]


def test_pages_do_not_answer_to_writes(browser):
    assert browser.post("/feedback").status_code == 405
    assert browser.delete("/api/feedback").status_code == 405
