"""Answers to judge, or judged by people: columns of the same length, read from the database."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Self, TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from otel_feedback.insights.clusters import cluster_of
from otel_feedback.insights.statistics import Numbers

Rows: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Answers:
    """Calls with what was said in them, and what is known of how people rated them.

    Attributes:
        people: for each call who rated it, and who had it.
        messages: how many messages the model was given.
        prompts: text of the last user message: its first 3,000 and last 1,000 characters; ``answers`` likewise.
        prompt_characters: of the whole text.
        seconds: how long the call took.
        is_negative: 1.0 where a rating is negative, else 0.0; NaN where there is none.
        comments: what was said of a disliked answer.
        rating_ids: the FeedbackIds of the ratings.
        rated_unix_nano: when the last of them was given; 0 where there is none.
        scores: what an evaluator said of the call before; NaN where it said nothing.
    """

    trace_ids: Sequence[str]
    span_ids: Sequence[str]
    session_ids: Sequence[str]
    conversations: Sequence[str]
    people: Sequence[Sequence[str]]
    unix_nano: Sequence[int]
    messages: Numbers
    prompts: Sequence[str]
    answers: Sequence[str]
    prompt_characters: Numbers
    answer_characters: Numbers
    seconds: Numbers
    is_negative: Numbers
    comments: Sequence[str]
    rating_ids: Sequence[Sequence[str]]
    rated_unix_nano: Sequence[int]
    scores: Numbers

    def __len__(self) -> int:
        return len(self.trace_ids)

    @classmethod
    def of(cls, table: pa.Table) -> Self:
        """What ``insights/evaluator_rated.sql`` or ``evaluator_unrated.sql`` answers; the second knows no ratings."""
        count = table.num_rows

        def told(name: str, default: Any) -> list[Any]:
            column = table.column(name).to_pylist() if name in table.column_names else [None] * count
            return [default if value is None else value for value in column]

        def numbers(name: str, default: float = 0.0) -> Numbers:
            return np.asarray(told(name, default), dtype=np.float64)

        people = [
            sorted({*raters, user} - {""}) for raters, user in zip(told("Raters", ()), told("UserId", ""), strict=True)
        ]
        return cls(
            told("TraceId", ""), told("SpanId", ""), told("SessionId", ""), told("Conversation", ""), people,
            told("TimeUnixNano", 0), numbers("Messages"), told("Prompt", ""), told("Answer", ""),
            numbers("PromptCharacters"), numbers("AnswerCharacters"), numbers("Seconds"),
            numbers("IsNegative", np.nan), told("Comment", ""), told("RatingIds", ()), told("LastRatedUnixNano", 0),
            numbers("Score", np.nan),
        )  # fmt: skip

    def take(self, rows: Rows) -> Answers:
        """Some of the calls, in this order."""
        chosen = rows.tolist()
        columns: dict[str, Any] = {each.name: getattr(self, each.name) for each in fields(self)}
        taken: dict[str, Any] = {
            name: column[rows] if isinstance(column, np.ndarray) else [column[row] for row in chosen]
            for name, column in columns.items()
        }
        return Answers(**taken)

    def groups(self, *, by_people: bool = True) -> Rows:
        """For each call the number of its group: calls that share a conversation or a person, or a chain of these."""
        own, people, conversations = [], [], []
        for row, (names, conversation) in enumerate(zip(self.people, self.conversations, strict=True)):
            for name in names if by_people and names else ("",):
                own.append(row)
                people.append(name)
                conversations.append(conversation)
        numbers = cluster_of(people, conversations)
        found = np.zeros(len(self), dtype=np.int64)
        found[own] = numbers
        return found

    def data_hash(self) -> str:
        """SHA-256 of what a judge learns from: texts, numbers, who rated and how."""
        digest = hashlib.sha256()
        for row in range(len(self)):
            told: Mapping[str, Any] = {
                "call": [self.trace_ids[row], self.span_ids[row], self.conversations[row], self.people[row]],
                "said": [self.prompts[row], self.answers[row], self.comments[row]],
                "numbers": [self.messages[row], self.prompt_characters[row], self.answer_characters[row]],
                "seconds": self.seconds[row],
                "rated": [self.is_negative[row], self.rating_ids[row]],
            }
            digest.update(json.dumps(told).encode())
        return digest.hexdigest()
