"""The unattended demo tells exactly what is wrong with a rating that is not joined as it should be."""

import json
from pathlib import Path
from typing import Any, cast

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from tests.support.http_app import serve

from otel_feedback.demo import unattended
from otel_feedback.demo.model_choice import ModelChoice
from otel_feedback.demo.processes import Children, DemoError
from otel_feedback.demo.running_service import RunningService
from otel_feedback.demo.start import Demo
from otel_feedback.demo.unattended import VISITS, Rated, Visit, Vote, _not_joined, _wrong_with, run_unattended
from otel_feedback.rating import Scope, Target
from otel_feedback.tokens import Grant, Keyring

CHANGED = Rated(
    Visit("c", "kofi", "Why?", (Vote(is_good=True), Vote(is_good=False, comment="No.", reasons=("Incorrect",)))), "t", 0
)
TAKEN_BACK = Rated(Visit("c", "kofi", "Why?", (Vote(is_good=True),), takes_back=True), "t", 0)
ROW = {
    "Label": "negative",
    "Comment": "No.",
    "Reasons": ["Incorrect"],
    "RaterId": "kofi",
    "Prompt": "Why?",
    "Changes": 1,
    "Duration": 7,
    "InputTokens": 7,
    "OutputTokens": 7,
    "RequestModel": "m",
    "Completion": "Because.",
}


def test_a_joined_rating():
    assert _wrong_with(CHANGED, [ROW], ["submit", "submit"]) == ""
    assert _wrong_with(CHANGED, [ROW | {"Changes": "1"}], ["submit", "submit"]) == ""


@pytest.mark.parametrize(
    ("row", "wrong"),
    [
        ({"Label": "positive"}, "Label is 'positive' instead of 'negative'"),
        ({"Comment": ""}, "Comment is '' instead of 'No.'"),
        ({"Reasons": []}, "Reasons is [] instead of ['Incorrect']"),
        ({"Prompt": ""}, "Prompt is '' instead of 'Why?'"),
        ({"Changes": 0}, "Changes is 0 instead of 1"),
        ({"Duration": 0}, "Duration is missing"),
        ({"OutputTokens": "0", "Completion": ""}, "OutputTokens is missing; Completion is missing"),
    ],
)
def test_what_is_wrong_with_a_row(row: dict[str, Any], wrong: str):
    assert _wrong_with(CHANGED, [ROW | row], []) == wrong


def test_a_row_that_is_missing_or_doubled():
    assert _wrong_with(CHANGED, [], []) == "0 rows in rated_llm_calls instead of one; 0 submissions have arrived"
    assert _wrong_with(CHANGED, [ROW, ROW], ["submit"]).startswith("2 rows in rated_llm_calls instead of one")


def test_a_rating_that_was_taken_back():
    assert _wrong_with(TAKEN_BACK, [], ["submit", "retract"]) == ""
    assert _wrong_with(TAKEN_BACK, [], ["submit"]) == "the retraction has not arrived"
    assert "although it was taken back" in _wrong_with(TAKEN_BACK, [ROW], ["submit", "retract"])


def test_the_complaint_names_the_rating_and_what_was_found():
    assert _not_joined(CHANGED, "0 rows") == (
        "The rating of 'Why?' (negative, by kofi) is not joined with its call 10 s after its click: 0 rows. "
        "Its trace is t"
    )


def test_the_visits_are_what_the_demo_promises():
    assert len(VISITS) >= 4
    assert len({visit.user for visit in VISITS}) == 2
    assert len({visit.conversation for visit in VISITS}) == 3
    votes = [visit.votes[-1] for visit in VISITS]
    assert any(not vote.is_good and vote.comment and vote.reasons for vote in votes)
    assert [visit.takes_back for visit in VISITS].count(True) == 1
    assert any(len(visit.votes) == 2 for visit in VISITS)


KEYS = ("key of this test",)
TOKEN = Keyring(KEYS).mint(Grant(Target(Scope.TRACE, "1" * 32, "2" * 16), "ana"))
ANSWER = json.dumps({"text": "Here."}) + "\n" + json.dumps({"done": True}) + "\n"


class _StoresNothing:
    """A service in whose database no rating ever arrives."""

    def rows(self, _name: str, **_: Any) -> list[dict[str, Any]]:
        return []


def demo_at(chat_url: str) -> Demo:
    service = cast(RunningService, _StoresNothing())
    return Demo(Children(), service, chat_url, ModelChoice({}, ""), KEYS, "", Path())


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unattended, "JOINED_WITHIN_SECONDS", 0.3)


def chat_that(answer: Response, rated: Response) -> Starlette:
    async def chat(_: Request) -> Response:
        return answer

    async def rate(_: Request) -> Response:
        return rated

    return Starlette(
        routes=[Route("/api/chat", chat, methods=["POST"]), Route("/v1/feedback", rate, methods=["POST", "DELETE"])]
    )


GOOD_ANSWER = PlainTextResponse(ANSWER, headers={"Otel-Feedback-Token": TOKEN})
TAKEN = JSONResponse({"id": "x", "state": "recorded"}, 202)


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize(
    ("answer", "rated", "complaint"),
    [
        (GOOD_ANSWER, TAKEN, r"The rating of 'Where is my order A-1010\?'.* 0 rows in rated_llm_calls instead of one"),
        (GOOD_ANSWER, JSONResponse({"error": "no"}, 403), "did not take a rating: HTTP status 403"),
        (PlainTextResponse(ANSWER), TAKEN, "came without the header Otel-Feedback-Token"),
        (PlainTextResponse('{"text": "He"}\n{"error": "gone"}\n'), TAKEN, "broke off"),
        (JSONResponse({"error": "x"}, 502), TAKEN, "did not answer 'Where is my order A-1010[?]': HTTP status 502"),
    ],
)
def test_it_fails_loudly(answer: Response, rated: Response, complaint: str):
    with serve(chat_that(answer, rated)) as url, pytest.raises(DemoError, match=complaint):
        run_unattended(demo_at(url))
