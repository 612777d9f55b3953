"""A language model that is asked many questions: several at once, at a bounded rate, each question once for all time.

Answers are kept in a file under a hash of the whole question, so that what was broken off or ran out of its budget is
continued for the price of what is missing, and the same questions get the same answers.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import threading
import time
import weakref
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from otel_feedback.errors import DataDirectoryError
from otel_feedback.insights import sqlite_statements
from otel_feedback.insights.chat_model import ChatModel, Message, ModelError
from otel_feedback.insights.spending import Prices, Spending

KEPT_DAYS: Final = 30
"""Answers may quote what people wrote, so they are not kept for ever."""
_FAILURES_BORNE: Final = 0.2
_FEWEST_FAILURES: Final = 5


@dataclass(frozen=True, slots=True)
class ModelUse:
    """How a model may be used. None of it changes what is asked.

    Attributes:
        cache: the file where answers are kept; None keeps them for this run alone.
        parallel: questions at once.
        per_minute: questions in a minute; None leaves it to the server, which is waited for.
        most_cost: in the unit of ``prices``; ``most_tokens`` of both kinds together.
        prices: of a million input and output tokens.
    """

    cache: Path | None = None
    parallel: int = 4
    per_minute: int | None = None
    most_cost: float | None = None
    most_tokens: int | None = None
    prices: Prices | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, and the JSON schema of the answer."""

    messages: Sequence[Message]
    schema: Mapping[str, Any]
    most_tokens: int


class AskedModel:
    """One model behind its file of answers; both are closed when nobody holds it any more."""

    def __init__(
        self, model: str, base_url: str, use: ModelUse, *, sleep: Callable[[float], object] = time.sleep
    ) -> None:
        self.spending = Spending(use.most_cost, use.most_tokens)
        self._model = ChatModel(model, base_url=base_url, prices=use.prices, spending=self.spending)
        self.base_url = self._model.base_url
        self._use = use
        self._pace = _Pace(use.per_minute, sleep)
        self._lock = threading.Lock()
        try:
            if use.cache is not None:
                use.cache.parent.mkdir(parents=True, exist_ok=True)
            self._kept = sqlite3.connect(use.cache or ":memory:", check_same_thread=False, isolation_level=None)
            self._kept.executescript(sqlite_statements.load("model_answers"))
            self._kept.execute(sqlite_statements.load("forget_answers"), (_today() - KEPT_DAYS,))
        except (OSError, sqlite3.Error) as error:
            raise DataDirectoryError(f"{use.cache} can't hold a model's answers: {error}") from None
        weakref.finalize(self, _close, self._kept, self._model)

    def ask(self, question: Question) -> Any:
        """The answer by the schema.

        Raises:
            BudgetSpentError: what is left of the budget may not be enough.
            ModelError: the model gave no answer that can be used.
        """
        key = self._key(question)
        if (kept := self._find(key)) is not None:
            return json.loads(kept)
        self._pace.wait()
        answer = self._model.ask(question.messages, schema=question.schema, most_tokens=question.most_tokens, seed=1)
        with self._lock:
            row = (key, _today(), json.dumps(answer.value, ensure_ascii=False))
            self._kept.execute(sqlite_statements.load("keep_answer"), row)
        return answer.value

    def ask_all(self, questions: Sequence[Question]) -> list[Any | ModelError]:
        """The answer to each, in their order; a ModelError for one that the model did not answer.

        Raises:
            BudgetSpentError: as ``ask``; answers that came before are kept.
            ModelError: so many questions fail that it can't be their fault.
        """
        with ThreadPoolExecutor(self._use.parallel, thread_name_prefix="judge") as threads:
            asked = [threads.submit(self.ask, each) for each in questions]
            found: list[Any | ModelError] = []
            failures = 0
            try:
                for each in asked:
                    try:
                        found.append(each.result())
                    except ModelError as error:
                        failures += 1
                        if failures >= max(_FEWEST_FAILURES, _FAILURES_BORNE * len(questions)):
                            raise
                        found.append(error)
            finally:
                threads.shutdown(wait=True, cancel_futures=True)
        if found and failures == len(found):
            raise next(each for each in found if isinstance(each, ModelError))
        return found

    def _key(self, question: Question) -> bytes:
        told = [self._model.model, self.base_url, list(question.messages), question.schema, question.most_tokens]
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).digest()

    def _find(self, key: bytes) -> str | None:
        with self._lock:
            row = self._kept.execute(sqlite_statements.load("find_answer"), (key,)).fetchone()
        return None if row is None else str(row[0])


def _close(kept: sqlite3.Connection, model: ChatModel) -> None:
    kept.close()
    model.close()


class _Pace:
    """Lets so many go a minute, evenly."""

    def __init__(self, per_minute: int | None, sleep: Callable[[float], object]) -> None:
        self._apart_seconds = 60 / per_minute if per_minute else 0.0
        self._sleep = sleep
        self._lock = threading.Lock()
        self._next = 0.0

    def wait(self) -> None:
        """Return when it is this one's turn."""
        if not self._apart_seconds:
            return
        with self._lock:
            now = time.monotonic()
            turn = max(now, self._next)
            self._next = turn + self._apart_seconds
        self._sleep(max(turn - now, 0.0))


def _today() -> int:
    return int(time.time() // 86_400)
