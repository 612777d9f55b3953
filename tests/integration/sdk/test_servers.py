"""Plain apps have no framework to be found by: it is the server that covers them, where it knows what it serves."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from tests.support.instrumented_apps import APPS, INSTRUMENT, running_app

GUNICORN = [str(Path(sys.executable).with_name("gunicorn")), "-c", str(APPS / "gunicorn_conf.py")]
UVICORN = [sys.executable, str(APPS / "served_by_name.py")]
WAITRESS = [sys.executable, str(APPS / "served_by_waitress.py")]
HYPERCORN = [sys.executable, str(APPS / "served_by_hypercorn.py")]


@pytest.mark.parametrize(
    ("command", "status"),
    [
        ([INSTRUMENT, *UVICORN, "plain_asgi:app"], 401),
        ([*UVICORN, "instruments_itself:asgi_app"], 401),
        ([INSTRUMENT, *UVICORN, "django_asgi:application"], 401),
        ([INSTRUMENT, *GUNICORN, "plain_wsgi:app"], 401),
        ([INSTRUMENT, *GUNICORN, "-k", "gthread", "--preload", "plain_wsgi:app"], 401),
        ([INSTRUMENT, *GUNICORN, "django_wsgi:application"], 401),
        ([INSTRUMENT, *GUNICORN, "-k", "asgi", "fastapi_app:app"], 401),
        ([INSTRUMENT, *GUNICORN, "-k", "asgi", "plain_asgi:app"], 401),
        ([INSTRUMENT, *GUNICORN, "-k", "gevent", "plain_wsgi:app"], 401),
        # Of these two servers nothing is known: apps of a framework are covered by the framework.
        ([INSTRUMENT, *WAITRESS, "flask_app:app"], 401),
        ([INSTRUMENT, *WAITRESS, "plain_wsgi:app"], 404),
        ([INSTRUMENT, *HYPERCORN, "fastapi_app:app"], 401),
        ([INSTRUMENT, *HYPERCORN, "plain_asgi:app"], 404),
        # gunicorn has asked for the app already as its module is imported: it serves it as ever.
        ([*GUNICORN, "instruments_itself:wsgi_app"], 404),
    ],
    ids=lambda value: None if isinstance(value, int) else " ".join(Path(each).name for each in value),
)
def test_it_serves_the_app_and_the_endpoint_where_it_can(command, status, tmp_path):
    with running_app(tmp_path, command) as chat:
        assert chat.client.get("/answer").json() == {"answer": "Canberra"}
        assert chat.client.get("/stream").text == "Canberra"
        assert chat.client.get("/v1/feedback").status_code == status
