"""Nobody, no conversation and no text is on both sides."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.support.judged_answers import as_answers, judged_answers

from otel_feedback.insights.duplicates import near_groups
from otel_feedback.insights.evaluator.folds import Corpus, fold_of


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    answers = as_answers(judged_answers(600))
    people = [list(each) for each in answers.people]
    people[10] = [*people[10], *people[300]]  # a call that a second person rated joins both
    answers = replace(answers, people=people)
    texts = list(answers.answers)
    texts[0] = texts[599]  # the same text in two groups
    same = near_groups(texts)
    return Corpus(answers, answers.groups(), same)


def test_people_and_conversations_stay_together(corpus: Corpus):
    rows = np.arange(600)
    tried_once = np.zeros(600, dtype=int)
    for known, tried in corpus.parts(rows, 5, 1):
        tried_once[tried] += 1
        for kind in ("people", "conversations"):
            names = [set(), set()]
            for side, chosen in enumerate((known, tried)):
                for row in chosen:
                    value = getattr(corpus.answers, kind)[row]
                    names[side] |= {value} if isinstance(value, str) else set(value)
            assert not names[0] & names[1]
    assert set(tried_once) == {1}


def test_who_rated_together_with_another_is_in_their_group(corpus: Corpus):
    assert corpus.groups[10] == corpus.groups[300]
    assert len(np.unique(corpus.groups)) == 59


def test_nearly_the_same_text_is_not_learned_from(corpus: Corpus):
    for known, tried in corpus.parts(np.arange(600), 5, 1):
        assert not set(corpus.same[known]) & set(corpus.same[tried])
    assert corpus.same[0] == corpus.same[599]


def test_folds_are_of_like_size_and_share_of_negatives(corpus: Corpus):
    fold = fold_of(corpus.groups, corpus.is_negative, 5, 1)
    sizes = np.bincount(fold)
    negative = np.bincount(fold, weights=corpus.is_negative) / sizes
    assert sizes.min() > 100
    assert negative.max() - negative.min() < 0.1
    assert (fold == fold_of(corpus.groups, corpus.is_negative, 5, 1)).all()
    assert (fold != fold_of(corpus.groups, corpus.is_negative, 5, 2)).any()


def test_texts_that_nearly_agree_are_one_and_others_are_not():
    long = (
        "the parcel was sent on monday and will be there within three to five working days, with a number to follow it"
    )
    texts = [
        long,
        long.upper() + "!",
        "something else entirely, of quite other words",
        "",
        " ",
        long.replace("monday", "mondy"),
    ]
    same = near_groups(texts)
    assert same[0] == same[1] == same[5]
    assert same[2] != same[0]
    assert same[3] == same[4]
    assert list(near_groups([])) == []
