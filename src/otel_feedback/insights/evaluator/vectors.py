"""Prompts and answers as numbers that a linear model can weigh, in any language and without a vocabulary.

Terms are hashed to columns, so memory does not grow with the texts, a stored model holds no words of anybody's, and
the same text is the same row with every version of every library. Numbers are told by steps, so that a linear model
can say "neither short nor long". Nothing here tells how long the model took: who judges a text must not judge that.
"""

from __future__ import annotations

import re
import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
from scipy import sparse

from otel_feedback.insights import texts
from otel_feedback.insights.evaluator.answers import Answers
from otel_feedback.insights.statistics import Numbers

COLUMNS: Final = 1 << 18
_OPENING_CHARACTERS: Final = 80
_MOST_ANSWER_TERMS: Final = 800
"""The first ones; so that texts of megabytes are rows of a bounded length."""
_MOST_PROMPT_TERMS: Final = 400
_PIECE_CHARACTERS: Final = 4
_PIECES_OF: Final = 1000
"""Characters that are read by pieces."""

NUMBERS: Final = (
    "answer_characters", "prompt_characters", "answer_per_prompt", "messages", "lines", "list_lines", "headings",
    "code_fences", "bold", "links", "digits", "capitals", "marks", "questions", "exclamations", "ends_open",
    "repeats", "compresses", "prompt_in_answer", "answer_in_prompt", "other_script", "prompt_questions",
)  # fmt: skip
_LIST_LINE: Final = re.compile(r"^\s*(?:[-*\u2022]|\d{1,3}[.)])\s", re.MULTILINE)
_HEADING: Final = re.compile(r"^#{1,6}\s", re.MULTILINE)
_QUESTIONS: Final = ("?", "\uff1f", "\u061f", "\u037e")
_EXCLAMATIONS: Final = ("!", "\uff01")
_ENDS: Final = (
    *".!?\u2026)]}\"'`*|>:",
    *_QUESTIONS,
    *_EXCLAMATIONS,
    "\u3002",
    "\uff09",
    "\u300d",
    "\u201d",
    "\u0964",
    "\u06d4",
)


def numbers_of(answers: Answers) -> Numbers:
    """Calls by NUMBERS; all are finite."""
    rows = [
        _numbers(prompt, answer, prompt_characters, answer_characters, messages)
        for prompt, answer, prompt_characters, answer_characters, messages in zip(
            answers.prompts, answers.answers, answers.prompt_characters, answers.answer_characters, answers.messages,
            strict=True,
        )
    ]  # fmt: skip
    return np.array(rows, dtype=np.float64).reshape(len(rows), len(NUMBERS))


def _numbers(prompt: str, answer: str, prompt_characters: float, answer_characters: float, messages: float) -> Numbers:
    lines = answer.count("\n") + 1
    told = max(len(answer), 1)
    asked, said = texts.terms(prompt)[:_MOST_PROMPT_TERMS], texts.terms(answer)[:_MOST_ANSWER_TERMS]
    asked_terms, said_terms = set(asked), set(said)
    both = len(asked_terms & said_terms)
    packed = len(zlib.compress(answer.encode("utf-8", "replace"), 1)) / max(len(answer.encode("utf-8", "replace")), 1)
    scripts = texts.script(prompt), texts.script(answer)
    stripped = answer.rstrip()
    return np.array(
        [
            np.log1p(answer_characters),
            np.log1p(prompt_characters),
            np.log1p(answer_characters) - np.log1p(prompt_characters),
            np.log1p(messages),
            np.log(lines),
            len(_LIST_LINE.findall(answer)) / lines,
            np.log1p(len(_HEADING.findall(answer))),
            np.log1p(answer.count("```")),
            np.log1p(answer.count("**")),
            np.log1p(answer.count("http")),
            sum(map(str.isdigit, answer)) / told,
            sum(map(str.isupper, answer)) / told,
            1 - sum(map(str.isalnum, answer)) / told,
            np.log1p(sum(map(answer.count, _QUESTIONS))),
            np.log1p(sum(map(answer.count, _EXCLAMATIONS))),
            float(bool(stripped) and not stripped.endswith(_ENDS)),
            1 - len(said_terms) / max(len(said), 1),
            packed,
            both / max(len(asked_terms), 1),
            both / max(len(said_terms), 1),
            float("" not in scripts and scripts[0] != scripts[1]),
            np.log1p(sum(map(prompt.count, _QUESTIONS))),
        ]
    )


def terms_of(prompt: str, answer: str) -> Counter[str]:
    """What of the texts is weighed, as people read it, by how often it is said.

    Words and pairs of words of prompt, answer, and the answer's opening.
    """
    counts: Counter[str] = Counter()
    counts.update(f"answer: {term}" for term in texts.terms(answer)[:_MOST_ANSWER_TERMS])
    counts.update(f"prompt: {term}" for term in texts.terms(prompt)[:_MOST_PROMPT_TERMS])
    counts.update(f"opening: {term}" for term in texts.terms(answer[:_OPENING_CHARACTERS]))
    return counts


def column_of(term: str) -> int:
    """The column that a term is hashed to."""
    return zlib.crc32(term.encode("utf-8", "replace")) % COLUMNS


def counts_of(answers: Answers) -> sparse.csr_array:
    """Calls by COLUMNS: 1 + ln of how often each term is said, and which pieces of words are there."""
    return _stacked(_row(prompt, answer) for prompt, answer in zip(answers.prompts, answers.answers, strict=True))


def _row(prompt: str, answer: str) -> tuple[np.ndarray, np.ndarray]:
    counts = terms_of(prompt, answer)
    columns = np.fromiter((column_of(term) for term in counts), dtype=np.int64, count=len(counts))
    values = 1 + np.log(np.fromiter(counts.values(), dtype=np.float64, count=len(counts)))
    pieces = _pieces(answer)
    return np.concatenate([columns, pieces]), np.concatenate([values, np.ones(len(pieces))])


def _pieces(text: str) -> np.ndarray:
    """The columns of a text's runs of four characters, which tell endings and compounds that words don't."""
    codes = np.frombuffer(text[:_PIECES_OF].casefold().encode("utf-32-le", "replace"), dtype="<u4").astype(np.uint64)
    if len(codes) < _PIECE_CHARACTERS:
        return np.zeros(0, dtype=np.int64)
    width = len(codes) - _PIECE_CHARACTERS + 1
    mixed = np.zeros(width, dtype=np.uint64)
    for place in range(_PIECE_CHARACTERS):
        mixed = (mixed ^ codes[place : place + width]) * np.uint64(0x9E3779B97F4A7C15)
        mixed ^= mixed >> np.uint64(29)
    return np.unique(mixed % np.uint64(COLUMNS)).astype(np.int64)


def _stacked(rows: Iterable[tuple[np.ndarray, np.ndarray]]) -> sparse.csr_array:
    columns: list[np.ndarray] = []
    values: list[np.ndarray] = []
    starts = [0]
    for found, value in rows:
        columns.append(found.astype(np.int32))
        values.append(value.astype(np.float32))
        starts.append(starts[-1] + len(found))
    data = np.concatenate(values) if values else np.zeros(0, dtype=np.float32)
    indices = np.concatenate(columns) if columns else np.zeros(0, dtype=np.int32)
    matrix = sparse.csr_array((data, indices, np.array(starts)), shape=(len(starts) - 1, COLUMNS))
    matrix.sum_duplicates()
    return matrix


def edges_of(values: Numbers, steps: int) -> list[Numbers]:
    """For each column the quantiles at which steps begin; equal ones once."""
    shares = np.arange(1, steps) / steps
    return [np.unique(np.quantile(column, shares)) for column in values.T]


def stepped(values: Numbers, edges: Sequence[Numbers]) -> Numbers:
    """For each edge 1.0 where the column's value is beyond it, column after column."""
    columns = zip(values.T, edges, strict=True)
    return np.hstack([(column[:, None] > steps[None, :]).astype(np.float64) for column, steps in columns])
