"""Conversations of which it is known what makes people dislike answers: ones that put people off, in four languages."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from tests.support.otlp import NOON, SECOND, attributes
from tests.support.ratings import Call, Submission, only_span
from tests.support.segments import store
from tests.support.told_conversations import said

from otel_feedback.clickhouse.database import Database
from otel_feedback.insights.evaluator.answers import Answers

_WORDS: Final = {
    "en": ("order", "parcel", "refund", "coat", "size", "colour", "shop", "week", "money", "card", "price", "address"),
    "de": ("Bestellung", "Paket", "Erstattung", "Mantel", "Größe", "Farbe", "Laden", "Woche", "Geld", "Karte", "Preis"),
    "el": ("παραγγελία", "δέμα", "επιστροφή", "παλτό", "μέγεθος", "χρώμα", "κατάστημα", "χρήματα", "κάρτα", "τιμή"),
    "ja": ("注文", "荷物", "返金", "上着", "寸法", "色", "店", "週間", "お金", "カード", "値段", "配達", "住所"),
}
_OFF_PUTTING: Final = {
    "en": "I am unable to assist with that request.",
    "de": "Dabei kann ich leider nicht behilflich sein.",
    "el": "Δεν μπορώ δυστυχώς βοηθήσω αίτημα αυτό.",
    "ja": "申し訳ありませんがお手伝いできません。",
}
_SPACE: Final = {"ja": ""}


@dataclass(frozen=True)
class JudgedAnswer:
    """A call, and how it was rated: 1 liked, 0 disliked, None not at all."""

    number: int
    question: str
    answer: str
    vote: int | None
    person: int

    @property
    def call(self) -> Call:
        """As an LLM call, a minute after the one before."""
        return Call(
            trace_id=(self.number + 1).to_bytes(16, "big"),
            span_id=(self.number + 1).to_bytes(8, "big"),
            at=NOON + self.number * 60 * SECOND,
            session=f"session-{self.number // 2}",
            user=f"person-{self.person}",
            prompt=json.dumps([said("user", self.question)], ensure_ascii=False),
        )

    def requests(self) -> list[Any]:
        """The call's request, and its rating's, given half a minute later."""
        request = self.call.request()
        output = json.dumps([said("assistant", self.answer)], ensure_ascii=False)
        only_span(request).attributes.extend(attributes({"gen_ai.output.messages": output}))
        if self.vote is None:
            return [request]
        also = {} if self.vote else {"gen_ai.evaluation.explanation": "it refuses to help"}
        rating = Submission(
            self.call,
            id=f"rating-{self.number}",
            value=float(self.vote),
            rater=f"person-{self.person}",
            at=self.call.at + 30 * SECOND,
            also=also,
        )
        return [request, rating.carrier()]


def judged_answers(
    count: int, seed: int = 1, *, strength: float = 0.9, first: int = 0, people: int = 60, rated: bool = True
) -> list[JudgedAnswer]:
    """``count`` calls; two in a row are a conversation of one person.

    Every third answer puts people off, and ``strength`` of these are disliked, as of the others few are; at 0 what they
    say has nothing to do with how they are rated.
    """
    chance = random.Random(seed)
    found = []
    for number in range(first, first + count):
        language = chance.choice(list(_WORDS))
        space = _SPACE.get(language, " ")
        question = space.join(chance.choices(_WORDS[language], k=chance.randint(3, 9))) + f" {number}?"
        words = chance.choices(_WORDS[language], k=chance.randint(4, 40))
        off_putting = chance.random() < 1 / 3
        if off_putting:
            words.insert(chance.randrange(len(words)), _OFF_PUTTING[language])
        dislikes = chance.random() < (strength if off_putting else 0.1 if strength else 0)
        vote = int(not dislikes) if strength else chance.randrange(2)
        answer = space.join(words) + f" {number * 7919}."
        person = (number // 2) % people
        found.append(JudgedAnswer(number, question, answer, vote if rated else None, person))
    return found


def store_judged(database: Database, answers: Sequence[JudgedAnswer]) -> None:
    store(database, *(request for each in answers for request in each.requests()))


def as_answers(judged: Sequence[JudgedAnswer]) -> Answers:
    """The same as the database tells it."""
    votes = [np.nan if each.vote is None else 1.0 - each.vote for each in judged]
    return Answers(
        trace_ids=[each.call.trace_id.hex() for each in judged],
        span_ids=[each.call.span_id.hex() for each in judged],
        session_ids=[each.call.session for each in judged],
        conversations=[each.call.session for each in judged],
        people=[[each.call.user] for each in judged],
        unix_nano=[each.call.at for each in judged],
        messages=np.ones(len(judged)),
        prompts=[each.question for each in judged],
        answers=[each.answer for each in judged],
        prompt_characters=np.array([float(len(each.question)) for each in judged]),
        answer_characters=np.array([float(len(each.answer)) for each in judged]),
        seconds=np.ones(len(judged)),
        is_negative=np.array(votes),
        comments=["" if each.vote else "it refuses to help" for each in judged],
        rating_ids=[[f"rating-{each.number}"] for each in judged],
        rated_unix_nano=[each.call.at + 30 * SECOND for each in judged],
        scores=np.full(len(judged), np.nan),
    )
