"""The table and the snippets of docs/sdk.md do what they say."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.instrumented_apps import APPS

DOCUMENT = (Path(__file__).parents[2] / "docs" / "sdk.md").read_text()
SNIPPETS = re.findall(r"^```python\n(.*?)^```$", DOCUMENT, re.MULTILINE | re.DOTALL)
BY_HAND = dict(re.findall(r"^\| (.+?) \|.*\| `(.+)` \|$", DOCUMENT, re.MULTILINE))

MAKE = {
    "FastAPI, Starlette": "from fastapi import FastAPI; app = FastAPI()",
    "Flask": "from flask import Flask; app = Flask('app')",
    "Django, WSGI": "from django.core.wsgi import get_wsgi_application",
    "Django, ASGI": "from django.core.asgi import get_asgi_application",
    "aiohttp": "from aiohttp import web; app = web.Application()",
    "any other WSGI app": "from plain_wsgi import app",
    "any other ASGI app": "from plain_asgi import app",
}
ASK = """
served = globals().get("application") or globals()["app"]
kind = {kind!r}
if kind == "WSGI":
    from werkzeug.test import Client
    ask = lambda path: Client(served).get(path).status_code
elif kind == "ASGI":
    import asyncio, httpx
    async def get(path):
        async with httpx.AsyncClient(transport=httpx.ASGITransport(served), base_url="http://app") as client:
            return (await client.get(path)).status_code
    ask = lambda path: asyncio.run(get(path))
else:
    import asyncio
    from aiohttp.test_utils import TestClient, TestServer
    async def get(*paths):
        async with TestClient(TestServer(served)) as client:
            return {{path: (await client.get(path)).status for path in paths}}
    # An aiohttp app runs in one event loop only.
    ask = asyncio.run(get("/v1/feedback", "/feedback.js")).get
print(ask("/v1/feedback"), ask("/feedback.js"))
"""


def run(code: str) -> str:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    settings = {
        "PYTHONPATH": str(APPS),
        "DJANGO_SETTINGS_MODULE": "django_settings",
        "OTEL_FEEDBACK_SIGNING_KEYS": "key",
    }
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=inherited | settings,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@pytest.mark.parametrize("app", MAKE)
def test_the_line_by_hand_of_each_framework_serves_endpoint_and_widget(app: str):
    kind = "aiohttp" if app == "aiohttp" else "ASGI" if "ASGI" in app or "FastAPI" in app else "WSGI"
    modules = {"ASGI": "asgi", "WSGI": "wsgi", "aiohttp": "aiohttp_server"}
    code = f"{MAKE[app]}\nfrom otel_feedback.sdk import {modules[kind]}\n{BY_HAND[app]}\n{ASK.format(kind=kind)}"
    assert run(code).split() == ["401", "200"]


def test_every_framework_of_the_table_is_tried():
    assert set(BY_HAND) == set(MAKE)


def test_the_snippets_run_one_after_the_other():
    instrument, job, _, flush = SNIPPETS
    asked = "call_the_model = otel_feedback.feedback_token\nprint(summarise('conversation-42', 'u-7').count('.'))\n"
    assert run(f"{instrument}\n{job}\n{asked}{flush}") == "2\n"


def test_the_snippet_for_celery_is_in_the_app_that_is_tried():
    connect = SNIPPETS[2].partition("\n\n\n")[2]
    assert connect.strip()
    assert re.sub(r' *""".*"""\n', "", (APPS / "celery_tasks.py").read_text()).count(connect) == 1
