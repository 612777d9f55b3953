"""What people see when the database is not there, refuses, or something breaks."""

import asyncio
import logging

import httpx
import pytest

from otel_feedback.dashboard.access import Access
from otel_feedback.dashboard.app import create_app
from otel_feedback.dashboard.security_headers import CONTENT_SECURITY_POLICY
from otel_feedback.errors import DatabaseError, DatabaseUnavailableError
from otel_feedback.settings import Settings


class FailingDatabase:
    """Answers nothing but this error."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def query(self, *_arguments: object, **_settings: object) -> None:
        raise self._error

    raw = query

    def ping(self) -> None:
        raise self._error


def _ask(error: Exception, path: str, method: str = "GET", **options: object) -> httpx.Response:
    app = create_app(FailingDatabase(error), Settings.load({}), Access(Settings.load({}), "api"))

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            return await client.request(method, path, **options)

    return asyncio.run(ask())


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        (DatabaseUnavailableError("connection refused"), 503, "The database can&#39;t be reached"),
        (DatabaseError("Timeout exceeded\nStack trace: 0. main.cpp", code=159), 503, "Choose a shorter time"),
        (DatabaseError("Memory limit exceeded", code=241), 503, "Choose a shorter time"),
        (DatabaseError("Unknown table feedback\nStack trace: 0. main.cpp", code=60), 500, "otel-feedback migrate"),
        (RuntimeError("a secret of the machine"), 500, "Something broke"),
    ],
)
@pytest.mark.parametrize("path", ["/", "/feedback", "/sessions/s", "/users/u", "/traces/t"])
def test_a_failure_is_a_page_in_words_without_a_trace(error, status, words, path, caplog):
    caplog.set_level(logging.CRITICAL)
    page = _ask(error, path)
    assert page.status_code == status
    assert words in page.text
    assert "main.cpp" not in page.text
    assert "secret" not in page.text
    assert page.headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY
    assert page.headers["Cache-Control"] == "no-store"


def test_the_api_fails_in_json():
    answer = _ask(DatabaseUnavailableError("connection refused"), "/api/feedback")
    assert answer.status_code == 503
    assert answer.json()["error"]["message"] == "connection refused"


def test_sql_on_a_database_that_is_away_is_a_503():
    headers = {"Authorization": "Bearer api"}
    answer = _ask(DatabaseUnavailableError("away"), "/api/sql", "POST", json={"query": "SELECT 1"}, headers=headers)
    assert answer.status_code == 503
    assert answer.json()["error"]["message"] == "away"


def test_health_says_when_the_database_is_away():
    answer = _ask(DatabaseUnavailableError("away"), "/healthz")
    assert (answer.status_code, answer.json()["status"]) == (503, "database unavailable")


def test_a_body_beyond_the_bound_is_refused():
    answer = _ask(RuntimeError(), "/login", "POST", content=b"token=" + b"x" * 100_000)
    assert answer.status_code == 413
