"""The local model's answers fit the question, and are the same for the same question."""

import json

import pytest

from otel_feedback.demo.replies import ORDER_TOOL, Reply, reply_to, text_of
from otel_feedback.demo.shop import LOOK_UP_ORDER, run_tool


def ask(question: str, *tools: str) -> Reply:
    return reply_to([{"role": "system", "content": "Refund!"}, {"role": "user", "content": question}], tools)


@pytest.mark.parametrize(
    ("question", "word"),
    [
        ("When do I get my refund?", "refund"),
        ("Can I return an opened item?", "30 days"),
        ("Where is my parcel?", "A-10"),
        ("Which pans work on induction?", "coil symbol"),
        ("There is RUST on my pan", "230"),
        ("What is the meaning of life?", "know"),
    ],
)
def test_an_answer_is_about_the_question(question: str, word: str):
    assert word.lower() in ask(question).text.lower()


def test_the_same_question_gets_the_same_answer_and_another_wording_may_get_another():
    assert ask("Do you ship to Oslo?") == ask("Do you ship to Oslo?")
    assert len({ask(f"Do you ship to {town}?").text for town in ("Oslo", "Rome", "Bern", "Porto")}) > 1


@pytest.mark.parametrize("written", ["A-1010", "a-1010", "a1010"])
def test_a_question_that_names_an_order_calls_the_tool(written: str):
    assert ask(f"Where is {written}?", ORDER_TOOL) == Reply(tool=ORDER_TOOL, arguments={"order": "A-1010"})


def test_without_the_tool_it_asks_like_everybody_else():
    assert ask("Where is order A-1010?").tool == ""


def test_what_the_tool_found_is_put_into_words():
    found = run_tool(ORDER_TOOL, json.dumps({"order": "A-1010"}))
    assert "left Lyon this morning" in reply_to([{"role": "tool", "content": found}]).text


@pytest.mark.parametrize("found", ["", "[]", "no JSON", '{"order": "A-1"}', '{"error": "no order has this number"}'])
def test_what_the_tool_did_not_find_is_told_too(found: str):
    assert "order" in reply_to([{"role": "tool", "content": found}]).text


@pytest.mark.parametrize("arguments", ["", "null", "{}", "[1]", '{"order": "Z-9999"}'])
def test_a_wrong_call_is_answered_with_what_is_wrong(arguments: str):
    assert "error" in json.loads(run_tool(ORDER_TOOL, arguments))
    assert "error" in json.loads(run_tool("launch", "{}"))


def test_the_tool_is_the_one_that_the_model_knows():
    assert LOOK_UP_ORDER["function"]["name"] == ORDER_TOOL


def test_content_may_come_in_parts():
    assert text_of({"content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}) == "a\nb"
    assert text_of({"content": None}) == ""


def test_half_a_surrogate_pair_is_answered():
    assert ask("\ud800").text
