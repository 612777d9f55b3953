"""A real receiver that fails, redirects, is slow and asks for patience."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from otel_feedback.alerts.conditions import Thresholds, falling, of_service, silent
from otel_feedback.alerts.webhook import SIGNATURE, WebhookError, post


class Receiver(ThreadingHTTPServer):
    answers: list[tuple[int, dict[str, str]]]
    got: list[tuple[dict[str, str], bytes]]
    release: threading.Event

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/hook"


class Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append((dict(self.headers), body))
        status, headers = self.server.answers.pop(0)
        if status == 0:
            self.server.release.wait(10)
            return
        self.send_response(status)
        for name, value in {"Content-Length": "0", **headers}.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *_: Any) -> None: ...


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver(("127.0.0.1", 0), Handler) as server:
        server.answers, server.got, server.release = [], [], threading.Event()
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.release.set()
        server.shutdown()
        thread.join()


def test_what_may_pass_is_tried_again_as_long_as_it_asks_for(receiver: Receiver):
    receiver.answers = [(500, {}), (429, {"Retry-After": "7"}), (0, {}), (503, {"Retry-After": "9999"}), (204, {})]
    pauses: list[float] = []
    post(receiver.url, {"text": "é"}, b"secret", timeout_seconds=0.3, pause=pauses.append)
    assert pauses == [1, 7, 4, 60]
    for headers, body in receiver.got:
        assert json.loads(body) == {"text": "é"}
        at, given = (part.partition("=")[2] for part in headers[SIGNATURE].split(","))
        assert given == hmac.new(b"secret", at.encode() + b"." + body, hashlib.sha256).hexdigest()


@pytest.mark.parametrize("status", [302, 307, 400, 404])
def test_what_will_not_pass_is_told_at_once_without_the_address(receiver: Receiver, status: int):
    receiver.answers = [(status, {"Location": receiver.url}), (200, {})]
    with pytest.raises(WebhookError, match=str(status)) as told:
        post(receiver.url, {}, None)
    assert "hook/" not in str(told.value)
    assert "127.0.0.1" not in str(told.value)
    assert len(receiver.got) == 1


def test_it_gives_up_after_five_tries(receiver: Receiver):
    receiver.answers = [(500, {})] * 5
    with pytest.raises(WebhookError, match="5 tries"):
        post(receiver.url, {}, None, pause=lambda _: None)
    assert SIGNATURE not in receiver.got[0][0]


def row(change: float, high: float, recent: int = 100, before: int = 300) -> dict[str, Any]:
    return {
        "Part": "service", "Value": "shop", "Change": change, "ChangeHigh": high, "PositiveRecent": recent,
        "NegativeRecent": 0, "PositiveBefore": before, "NegativeBefore": 0, "SatisfactionRecent": 0.5,
        "SatisfactionBefore": 0.8,
    }  # fmt: skip


def test_satisfaction_falls_with_enough_votes_far_enough_and_beyond_chance():
    limits = Thresholds()
    assert [each.subject for each in falling([row(-0.3, -0.2)], limits)] == ["shop"]
    for quiet in (row(-0.09, -0.08), row(-0.2, -0.01), row(-0.3, -0.2, recent=99), row(-0.3, -0.2, before=299)):
        assert falling([quiet], limits) == []


def test_silence_needs_calls_that_used_to_be_rated():
    before = [{"ServiceName": "shop", "Calls": 1000, "Ratings": 100}]
    assert len(silent(before, [{"ServiceName": "shop", "Calls": 140, "Ratings": 0}], Thresholds())) == 1
    for calls, ratings in ((139, 0), (1000, 1)):
        assert silent(before, [{"ServiceName": "shop", "Calls": calls, "Ratings": ratings}], Thresholds()) == []


def test_what_the_service_tells():
    bad = {"oldest_segment_age_seconds": 121.0, "segments_rejected_total": 1.0, "waiting": 20.0, "ratings": 199.0}
    assert len(of_service(bad, Thresholds())) == 3
    well = {"oldest_segment_age_seconds": 120.0, "segments_rejected_total": 0.0, "waiting": 20.0, "ratings": 200.0}
    assert of_service(well, Thresholds()) == []
