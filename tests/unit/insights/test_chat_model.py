from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from tests.support.scripted_model import Reply, refuses, says, scripted_model

from otel_feedback.errors import ConfigurationError
from otel_feedback.insights.chat_model import ChatModel, ModelError
from otel_feedback.insights.spending import BudgetSpentError, Prices, Spending

QUESTION = [{"role": "user", "content": "Is this answer good?"}]
VERDICT = {
    "type": "object",
    "properties": {"verdict": {"enum": ["good", "bad"]}, "score": {"type": "integer", "minimum": 1, "maximum": 5}},
    "required": ["verdict", "score"],
    "additionalProperties": False,
}


def in_turn(*replies):
    left = list(replies)
    return lambda _body: left.pop(0) if len(left) > 1 else left[0]


def model_at(server, waited=None, **settings):
    sleep = (waited if waited is not None else []).append
    return ChatModel("scripted", base_url=server.base_url, api_key="k-1", sleep=sleep, **settings)


def test_an_answer_comes_with_its_tokens_and_cost():
    with scripted_model(in_turn(says("Yes."))) as server, model_at(server, prices=Prices(2.0, 10.0)) as model:
        answer = model.ask(QUESTION, most_tokens=50, seed=7)
    assert (answer.text, answer.value, answer.model) == ("Yes.", None, "scripted-2026-01-01")
    assert (answer.input_tokens, answer.output_tokens) == (100, 20)
    assert answer.cost == pytest.approx(100 * 2e-6 + 20 * 10e-6)
    assert (model.spending.questions, model.spending.cost) == (1, answer.cost)
    assert server.paths == ["/v1/chat/completions"]
    assert server.headers[0]["Authorization"] == "Bearer k-1"
    assert server.asked == [
        {"model": "scripted", "messages": QUESTION, "max_tokens": 50, "temperature": 0.0, "seed": 7}
    ]


def test_where_the_server_counts_no_tokens_they_are_estimated():
    with scripted_model(in_turn(says("word " * 300, usage=None))) as server, model_at(server) as model:
        answer = model.ask([{"role": "user", "content": "x" * 3000}])
    assert 700 <= answer.input_tokens <= 1500
    assert 300 <= answer.output_tokens <= 600


@pytest.mark.parametrize(
    "text",
    [
        '{"verdict": "bad", "score": 2}',
        'Here it is:\n```json\n{"verdict": "bad", "score": 2}\n```\nHope it helps!',
        'I think {"verdict": "bad", "score": 2} is right',
    ],
)
def test_an_answer_by_a_schema_is_found_in_what_the_model_wrote(text):
    with scripted_model(in_turn(says(text))) as server, model_at(server) as model:
        assert model.ask(QUESTION, schema=VERDICT).value == {"verdict": "bad", "score": 2}
    asked = server.asked[0]["response_format"]
    assert (asked["type"], asked["json_schema"]["strict"], asked["json_schema"]["schema"]) == (
        "json_schema", True, VERDICT,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("no idea", "holds no JSON"),
        ('{"verdict": "fine", "score": 2}', "answer.verdict must be one of"),
        ('{"verdict": "bad"}', "lacks 'score'"),
        ('{"verdict": "bad", "score": 9}', "answer.score must keep to"),
        ('{"verdict": "bad", "score": true}', "answer.score must be of type integer"),
        ('{"verdict": "bad", "score": 2, "more": 1}', "'more', which was not asked for"),
        ("[" * 5000, "holds no JSON"),
        (None, "it is empty"),
    ],
)
def test_an_answer_that_never_fits_is_told_with_the_reason(text, told):
    with scripted_model(in_turn(says(text))) as server, model_at(server, most_tries=2) as model:
        with pytest.raises(ModelError, match="no answer in 2 tries") as raised:
            model.ask(QUESTION, schema=VERDICT)
        assert told in str(raised.value)
    assert len(server.asked) == 2
    assert model.spending.questions == 2  # both were paid for


def test_an_answer_that_fits_at_the_second_try_is_taken():
    good = '{"verdict": "good", "score": 5}'
    cut = says(good, finish_reason="length")
    with scripted_model(in_turn(cut, says(good))) as server, model_at(server) as model:
        assert model.ask(QUESTION, schema=VERDICT).value["verdict"] == "good"
    assert len(server.asked) == 2


def test_a_busy_server_is_asked_again_when_it_says():
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    replies = (
        refuses(429, "slow down", retry_after="3"),
        refuses(503, "starting", retry_after=later),
        refuses(429, "slow down", retry_after_ms="250"),
        refuses(500, "oops", retry_after="soon"),
        says("Yes."),
    )
    waited: list[float] = []
    with scripted_model(in_turn(*replies)) as server, model_at(server, waited) as model:
        assert model.ask(QUESTION).text == "Yes."
    assert waited[0] == 3.0
    assert 25 < waited[1] <= 30
    assert waited[2] == 0.25
    assert 2.0 <= waited[3] <= 4.0  # its own backoff, the fourth


def test_a_server_that_stays_away_is_told_with_its_last_words():
    waited: list[float] = []
    with (
        scripted_model(in_turn(refuses(502, "bad gateway", retry_after="9999"))) as server,
        model_at(server, waited, most_tries=3) as model,
        pytest.raises(ModelError, match="status 502: bad gateway"),
    ):
        model.ask(QUESTION)
    assert waited == [60.0, 60.0]
    with model_at(server, most_tries=2) as model, pytest.raises(ModelError, match="ConnectError"):
        model.ask(QUESTION)


@pytest.mark.parametrize(
    "refusal",
    [
        refuses(401, "no such key"),
        refuses(404, "no such model"),
        refuses(429, "you have no money", code="insufficient_quota"),
        Reply(b"<html>teapot</html>", 418),
    ],
)
def test_what_another_try_can_not_mend_is_told_at_once(refusal):
    with (
        scripted_model(in_turn(refusal)) as server,
        model_at(server) as model,
        pytest.raises(ModelError, match=f"refused the question with status {refusal.status}") as raised,
    ):
        model.ask(QUESTION)
    assert len(server.asked) == 1
    assert "k-1" not in str(raised.value)


def test_what_a_server_does_not_take_is_said_in_another_way_from_then_on():
    def old_server(body):
        if "response_format" in body:
            return refuses(400, "response_format json_schema is not supported")
        if "max_tokens" in body:
            return refuses(400, "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens'")
        if "temperature" in body:
            return refuses(400, "'temperature' does not support 0.0 with this model")
        return says('{"verdict": "good", "score": 4}')

    with scripted_model(old_server) as server, model_at(server) as model:
        for _ in range(2):
            assert model.ask(QUESTION, schema=VERDICT, most_tokens=9).value == {"verdict": "good", "score": 4}
    assert len(server.asked) == 5
    last = server.asked[-1]
    assert set(last) == {"model", "messages", "max_completion_tokens"}
    assert json.dumps(VERDICT) in last["messages"][-1]["content"]


def test_no_question_is_asked_that_may_cost_more_than_is_left():
    spending = Spending(most_cost=0.35)
    with (
        scripted_model(in_turn(says("Yes.", usage=(1, 100)))) as server,
        model_at(server, prices=Prices(0.0, 1000.0), spending=spending) as model,  # a token of answer costs 0.001
    ):
        for _ in range(3):
            model.ask(QUESTION, most_tokens=100)
        with pytest.raises(BudgetSpentError, match=r"budget of 0\.35 does not cover .* by 3 questions"):
            model.ask(QUESTION, most_tokens=100)
        assert len(server.asked) == 3
    assert spending.cost == pytest.approx(0.3)


def test_a_budget_may_be_in_tokens():
    with (
        scripted_model(in_turn(says("Yes.", usage=(1, 100)))) as server,
        model_at(server, spending=Spending(most_tokens=50)) as model,
        pytest.raises(BudgetSpentError, match="budget of 50 tokens"),
    ):
        model.ask(QUESTION, most_tokens=100)
    assert server.asked == []


def test_a_budget_holds_for_questions_asked_at_once():
    together = threading.Barrier(8)
    with scripted_model(in_turn(says("Yes.", usage=(1, 100)))) as server:
        model = model_at(server, prices=Prices(0.0, 1000.0), spending=Spending(most_cost=0.5))

        def ask(_number):
            together.wait()
            try:
                return model.ask(QUESTION, most_tokens=100).text
            except BudgetSpentError:
                return ""

        with model, ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(ask, range(16)))
        assert 1 <= answers.count("Yes.") <= 5
        assert model.spending.cost <= 0.5


def test_what_is_missing_is_told_before_anything_is_asked(monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    with pytest.raises(ConfigurationError, match="OPENAI_API_KEY"):
        ChatModel("m")
    with pytest.raises(ConfigurationError, match="--model"):
        ChatModel(" ", api_key="k")
    with pytest.raises(ConfigurationError, match="prices"):
        ChatModel("m", api_key="k", spending=Spending(most_cost=1.0))


def test_the_environment_says_where_the_server_is(monkeypatch):
    with scripted_model(in_turn(says("Yes."))) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url + "/")
        monkeypatch.setenv("OPENAI_API_KEY", "from-the-environment\n")
        with ChatModel("m") as model:
            assert model.ask(QUESTION, temperature=None).text == "Yes."
    assert server.headers[0]["Authorization"] == "Bearer from-the-environment"


@pytest.mark.parametrize(
    ("body", "told"), [(b"<html>", "its answer is no JSON"), (b" " * (17 * 1024 * 1024), "more than 16777216 bytes")]
)
def test_a_server_that_answers_no_json_or_too_much_is_told(body, told):
    with (
        scripted_model(in_turn(Reply(body))) as server,
        model_at(server, most_tries=2) as model,
        pytest.raises(ModelError, match=told),
    ):
        model.ask(QUESTION)
