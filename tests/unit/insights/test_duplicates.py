"""Duplicates of texts, splits of conversations, and opposed answers."""

from __future__ import annotations

import random

import pytest

from otel_feedback.errors import UsageError
from otel_feedback.insights.duplicates import Duplicates
from otel_feedback.insights.opposed import MOST_PAIRS, OpposedAnswers
from otel_feedback.insights.splits import Splits

WORDS = random.Random(1)
LONG = " ".join(WORDS.choice(["cast", "iron", "pan", "oil", "oven", "rust"]) + str(number) for number in range(80))


def test_the_same_text_is_found_whatever_its_case_and_spaces():
    with Duplicates() as seen:
        assert seen.look("Hello  World") == "new"
        assert seen.look("hello world\n") == "exact"
        assert seen.look("hello world", "other kind") == "new"


def test_nearly_the_same_text_is_found_and_a_different_one_is_not():
    with Duplicates() as seen, Duplicates(near=False) as exact_only:
        for each in (seen, exact_only):
            assert each.look(LONG) == "new"
        changed = LONG.replace("pan", "wok", 1)
        assert seen.look(changed) == "near"
        assert exact_only.look(changed) == "new"
        assert seen.look(LONG[: len(LONG) // 2]) == "new"
        assert seen.look(LONG[::-1]) == "new"
        assert seen.look(changed, "other kind") == "new"


def test_of_texts_of_known_likeness_near_ones_alone_are_called_near():
    """Texts that share 95 % and 60 % of their pieces, a hundred of each."""
    chance = random.Random(2)
    letters = "abcdefghijklmnopqrstuvwxyz"
    called = {0.95: 0, 0.6: 0}
    for likeness in called:
        for _ in range(100):
            first = "".join(chance.choice(letters) for _ in range(1000))
            shared = round(2 * likeness / (1 + likeness) * 1000)
            second = first[:shared] + "".join(chance.choice(letters) for _ in range(1000 - shared))
            with Duplicates() as seen:
                seen.look(first)
                called[likeness] += seen.look(second) == "near"
    assert called[0.95] >= 95
    assert called[0.6] <= 1


def test_a_conversation_is_always_in_the_same_part():
    splits = Splits.parse("70/20/10")
    found = [splits.of(f"session-{number}") for number in range(5000)]
    assert found == [splits.of(f"session-{number}") for number in range(5000)]
    assert [found.count(name) / 50 for name in ("train", "validation", "test")] == pytest.approx([70, 20, 10], abs=2)
    assert {Splits(100, 0, 0).of(str(number)) for number in range(100)} == {"train"}


@pytest.mark.parametrize("text", ["80/20", "80/10/20", "0/50/50", "a/b/c", "-10/100/10", ""])
def test_what_is_no_split_is_told(text: str):
    with pytest.raises(UsageError, match="80/10/10"):
        Splits.parse(text)


def test_answers_to_one_prompt_meet_once_within_their_group():
    with OpposedAnswers() as opposed:
        for number in range(12):
            opposed.add("train", ["hello"], is_positive=number % 2 == 0, content=number)
        opposed.add("test", ["hello"], is_positive=True, content="elsewhere")
        opposed.add("train", ["bye"], is_positive=True, content="alone")
        opposed.add("train", ["why"], is_positive=False, content="bad")
        opposed.add("train", ["why"], is_positive=True, content="good")
        pairs = list(opposed.pairs())
    assert pairs == [*((2 * number, 2 * number + 1) for number in range(MOST_PAIRS)), ("good", "bad")]
