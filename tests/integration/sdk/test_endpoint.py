from __future__ import annotations

import asyncio
import socket
import time
from typing import Any

import httpx
import pytest
from tests.support.http_app import serve
from tests.support.telemetry import sdk_settings, telemetry

from otel_feedback.rating import Action, Rating, Scope, Target, make_rating
from otel_feedback.sdk.asgi import FeedbackMiddleware
from otel_feedback.sdk.endpoint import AppRatingStore, service_url
from otel_feedback.settings import Settings
from otel_feedback.tokens import Grant, Keyring

__all__ = ["sdk_settings", "telemetry"]

KEYS = Keyring(("key",))
TARGET = Target(Scope.SPAN, trace_id="a" * 32, span_id="b" * 16)
pytestmark = pytest.mark.usefixtures("telemetry")


def vote(value: bool | None, *, comment: str = "", seconds: float = 0, rater: str = "u-7") -> Rating:
    action = Action.RETRACT if value is None else Action.SUBMIT
    at = time.time_ns() + int(seconds * 1e9)
    return make_rating("thumbs", value, TARGET, comment=comment, action=action, rater_id=rater, time_unix_nano=at)


def current(store: AppRatingStore, rater: str = "u-7") -> list[tuple[Any, ...]]:
    return [(each.name, each.value, each.comment) for each in asyncio.run(store.current(TARGET, rater))]


@pytest.fixture
def other_process():
    """Something at another address that speaks the protocol, as the service does, with a vote in it."""
    with serve(FeedbackMiddleware(_nothing, keys=("key",))) as url:
        token = KEYS.mint(Grant(TARGET, "u-7"))
        said = {"comment": "Wrong.", "reasons": ["a"], "minimum": 0, "maximum": 1}
        answer = httpx.post(f"{url}/v1/feedback", json={"token": token, "name": "thumbs", "value": 0, **said})
        assert answer.status_code == 202
        yield url


async def _nothing(*_: Any) -> None:
    """There is no app beside the endpoint."""


def test_votes_given_elsewhere_are_read_back_from_the_service(other_process):
    (rating,) = asyncio.run(AppRatingStore(KEYS, other_process).current(TARGET, "u-7"))
    assert (rating.value, rating.label, rating.comment, rating.reasons) == (0.0, "negative", "Wrong.", ("a",))
    assert (rating.score_min, rating.score_max, rating.target, rating.rater_id) == (0.0, 1.0, TARGET, "u-7")


def test_another_raters_votes_are_not_read_back(other_process):
    assert current(AppRatingStore(KEYS, other_process), "u-8") == []


@pytest.mark.parametrize(
    ("own", "shown"),
    [
        ({"value": True, "seconds": 60}, [("thumbs", 1.0, "")]),
        ({"value": True, "seconds": -60}, [("thumbs", 0.0, "Wrong.")]),
        ({"value": None, "seconds": 60}, []),
    ],
)
def test_the_newest_of_both_wins(other_process, own, shown):
    store = AppRatingStore(KEYS, other_process)
    asyncio.run(store.submit(vote(**own)))
    assert current(store) == shown


def test_without_a_service_this_process_remembers_in_order():
    store = AppRatingStore(KEYS, None)
    late = vote(False, seconds=-5)
    for rating in (vote(True), late, vote(True, rater="u-8")):
        asyncio.run(store.submit(rating))
    assert current(store) == [("thumbs", 1.0, "")]
    asyncio.run(store.submit(vote(None, seconds=1)))
    assert current(store) == []
    assert current(store, "u-8") == [("thumbs", 1.0, "")]


def test_a_service_that_refuses_hangs_or_is_gone_leaves_what_this_process_remembers(other_process):
    with socket.create_server(("127.0.0.1", 0)) as hanging:
        gone = socket.create_server(("127.0.0.1", 0))
        port = gone.getsockname()[1]
        gone.close()
        for keys, url in (
            (Keyring(("another",)), other_process),
            (KEYS, f"http://127.0.0.1:{hanging.getsockname()[1]}"),
            (KEYS, f"http://127.0.0.1:{port}"),
            (KEYS, other_process + "/elsewhere"),
        ):
            store = AppRatingStore(keys, url)
            asyncio.run(store.submit(vote(True)))
            assert current(store) == [("thumbs", 1.0, "")]
            assert store._asks_again_at > time.monotonic()


@pytest.mark.parametrize(
    ("settings", "environment", "url"),
    [
        ({}, {}, None),
        ({"OTEL_FEEDBACK_ENDPOINT": "https://svc:4318/"}, {}, "https://svc:4318"),
        ({}, {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://svc:4317"}, None),
        ({}, {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://svc:4317", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, None),
        (
            {},
            {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://svc:4318", "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"},
            "http://svc:4318",
        ),
        ({"OTEL_FEEDBACK_ENDPOINT": "file:///etc/passwd"}, {}, None),
    ],
)
def test_the_service_is_where_the_settings_say(settings, environment, url, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert service_url(Settings.load(settings), environment) == url
