"""Answers to one prompt of which one is liked and one is not, found among any number in a temporary file."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterator
from itertools import groupby
from types import TracebackType
from typing import Any, Final, Self

from otel_feedback.insights import sqlite_statements

MOST_PAIRS: Final = 5
"""Of one prompt; a greeting that everybody sends would fill the data set otherwise."""


class OpposedAnswers:
    """What was answered so far, by prompt."""

    def __init__(self) -> None:
        self._file = sqlite3.connect("")  # a temporary file, gone with the connection
        self._file.executescript(sqlite_statements.load("answers_by_prompt"))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._file.close()

    def add(self, group: str, prompt: Any, *, is_positive: bool, content: Any) -> None:
        """Remember an answer. Only answers of one group meet; contents are JSON."""
        text = json.dumps([group, prompt], sort_keys=True, ensure_ascii=False)
        digest = hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=16).digest()
        values = (digest, is_positive, json.dumps(content, ensure_ascii=False))
        self._file.execute(sqlite_statements.load("add_answer"), values)

    def pairs(self) -> Iterator[tuple[Any, Any]]:
        """The contents of a liked and a disliked answer to one prompt, each used once, in the order they came in."""
        self._file.execute(sqlite_statements.load("index_prompts"))
        opposed = self._file.execute(sqlite_statements.load("opposed_answers"))
        for _, rows in groupby(opposed, key=lambda row: row[0]):
            sides: tuple[list[str], list[str]] = ([], [])
            for _, is_positive, content in rows:
                if len(sides[is_positive]) < MOST_PAIRS:
                    sides[is_positive].append(content)
            for liked, disliked in zip(sides[1], sides[0], strict=False):
                yield json.loads(liked), json.loads(disliked)
