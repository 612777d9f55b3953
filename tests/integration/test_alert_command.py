"""``otel-feedback alert`` over a real service: what begins and ends is kept once."""

from __future__ import annotations

import hashlib
import hmac
import http.server
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.support.commands import otel_feedback
from tests.support.otlp import SECOND
from tests.support.ratings import Call, Submission
from tests.support.segments import store
from tests.support.service import running_service

from otel_feedback.alerts import state
from otel_feedback.clickhouse.connect import connect
from otel_feedback.clickhouse.migrate import migrate
from otel_feedback.errors import OtelFeedbackError
from otel_feedback.settings import Settings

DAY = 86_400 * SECOND


@contextmanager
def receiver() -> Iterator[tuple[str, list[tuple[dict[str, str], bytes]]]]:
    """A webhook's address, and what it was posted."""
    posts: list[tuple[dict[str, str], bytes]] = []

    class Hook(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            posts.append((dict(self.headers), self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hook) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/hook", posts
        finally:
            server.shutdown()
            thread.join()


def test_from_ratings_to_a_signed_post(tmp_path: Path):
    """A week of nine in ten satisfied, and a day of half: one alert, told once, signed."""
    data_dir, secret = tmp_path / "data", tmp_path / "key"
    secret.write_text("a-secret\n")
    database = connect(f"chdb://{data_dir / 'clickhouse'}")
    migrate(database, Settings.load({}))
    now, requests = time.time_ns(), []
    for number in range(560):
        is_new = number < 120
        at = now - (number * 60 + 600) * SECOND if is_new else now - 2 * DAY - (number - 120) * 900 * SECOND
        call = Call(at=at, session=f"s{number}", user=f"u{number}")
        liked = number % 2 if is_new else number % 10 > 0
        rated = Submission(call, id=f"r{number}", at=at + SECOND, value=float(liked), rater=f"u{number}")
        requests += [call.request(), rated.carrier()]
    store(database, *requests)
    database.close()
    with running_service(data_dir) as service, receiver() as (url, posts):
        arguments = ("alert", "--webhook", url, "--secret-file", str(secret))
        done = otel_feedback(data_dir, *arguments)
        assert (done.returncode, done.stderr) == (1, ""), service.pid
        assert "50% of the last day's 120 votes on app are positive; in the week before it were 90%" in done.stdout
        assert otel_feedback(data_dir, *arguments).returncode == 1
        ((headers, body),) = posts
        at_told, _, sent = headers["Otel-Feedback-Signature"].partition(",v1=")
        signed = at_told.removeprefix("t=").encode() + b"." + body
        assert sent == hmac.new(b"a-secret", signed, hashlib.sha256).hexdigest()
        (alert,) = json.loads(body)["alerts"]
        assert (alert["status"], alert["alert"], alert["subject"]) == ("firing", "OtelFeedbackSatisfactionFalls", "app")
        slack = otel_feedback(data_dir, "alert", "--webhook", url, "--slack", "--state", str(tmp_path / "other.json"))
        assert slack.returncode == 1
        assert json.loads(posts[-1][1]).keys() == {"text"}
        fine = otel_feedback(data_dir, *arguments, "--drop", "0.5")
        assert (fine.returncode, fine.stdout) == (0, "All is well.\n")
        assert json.loads(posts[-1][1])["alerts"][0]["status"] == "resolved"


@pytest.mark.parametrize("content", ["[]", '{"a": 1}', "{"], ids=["list", "number", "cut off"])
def test_a_state_file_that_holds_something_else_is_told(tmp_path: Path, content: str):
    (tmp_path / "alerts.json").write_text(content)
    with pytest.raises(OtelFeedbackError, match="Delete it"):
        state.read(tmp_path / "alerts.json")


def test_an_alert_begins_and_ends(tmp_path: Path):
    data_dir = tmp_path / "data"

    def look(*more: str) -> tuple[int, list[tuple[str, str]]]:
        done = otel_feedback(data_dir, "alert", "--format", "json", *more)
        assert done.returncode < 2, done.stderr
        changes = json.loads(done.stdout)["changes"]
        return done.returncode, [(each["status"], each["alert"]) for each in changes]

    with running_service(data_dir) as service:
        assert look() == (0, [])
        service.stop()
        assert look("--dry-run") == (1, [("firing", "OtelFeedbackDown")])
        assert look() == (1, [("firing", "OtelFeedbackDown")])
        assert look() == (1, [])
        service.start()
        assert look() == (0, [("resolved", "OtelFeedbackDown")])
        assert look() == (0, [])
    assert otel_feedback(data_dir, "alert", "--every", "soon").returncode == 2


def test_what_the_webhook_did_not_take_is_told_again(tmp_path: Path):
    data_dir = tmp_path / "data"
    secret = tmp_path / "key"
    secret.write_text("a-secret\n")
    with running_service(data_dir) as service:
        service.stop()
        # The service's own port, where nobody listens now; a refusal of the connection is tried five times.
        gone = otel_feedback(data_dir, "alert", "--webhook", f"{service.http}/hook", "--secret-file", str(secret))
        assert gone.returncode == 2
        assert "did not take the alert in 5 tries" in gone.stderr
        assert "a-secret" not in gone.stdout + gone.stderr
        assert "/hook" not in gone.stderr
        again = otel_feedback(data_dir, "alert", "--format", "json")
        assert json.loads(again.stdout)["changes"][0]["status"] == "firing"
        service.start()
