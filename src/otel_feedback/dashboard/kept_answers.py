"""Answers that many readers share: one question at a time for each, and the next only when it is worth its cost.

An answer is fresh for twenty times as long as it took, so that however many look, asking takes no more than a twentieth
of a core. For a while after that readers get it at once, and it is asked for anew behind their backs; then they wait.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from otel_feedback.errors import DatabaseError

FRESH_SECONDS_PER_SECOND: Final = 20.0
SHOWN_SECONDS_PER_SECOND: Final = 60.0
MOST_FRESH_SECONDS: Final = 60.0
MOST_SHOWN_SECONDS: Final = 120.0
MOST_ANSWERS: Final = 512

_LOGGER: Final = logging.getLogger(__name__)
Rows = list[dict[str, Any]]
Ask = Callable[[], Awaitable[tuple[Rows, float]]]
"""Gives rows, and how many seconds the database took for them."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Rows with when they were asked for (of a monotonic clock) and how long that took, in seconds."""

    rows: Rows
    asked_at: float
    took_seconds: float

    def age_seconds(self, now: float) -> float:
        """How long ago the database was asked."""
        return now - self.asked_at


class KeptAnswers:
    """The answers of one event loop. Failures are told to whoever waits for them, and not kept."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._answers: OrderedDict[str, Answer] = OrderedDict()
        self._asking: dict[str, asyncio.Task[Answer]] = {}

    async def get(self, key: str, ask: Ask) -> Answer:
        """The kept answer to ``key`` while it may be shown, else what ``ask`` answers; many wait for one."""
        kept = self._answers.get(key)
        if kept is not None:
            age = kept.age_seconds(self._clock())
            if age <= min(kept.took_seconds * FRESH_SECONDS_PER_SECOND, MOST_FRESH_SECONDS):
                return kept
            if age <= min(kept.took_seconds * SHOWN_SECONDS_PER_SECOND, MOST_SHOWN_SECONDS):
                self._ask_once(key, ask)
                return kept
        return await asyncio.shield(self._ask_once(key, ask))

    def forget(self) -> None:
        """Keep nothing of what was asked before, as when a person was erased."""
        self._answers.clear()
        self._asking.clear()

    def _ask_once(self, key: str, ask: Ask) -> asyncio.Task[Answer]:
        asking = self._asking.get(key)
        if asking is None:
            asking = self._asking[key] = asyncio.create_task(self._ask(key, ask))
            asking.add_done_callback(lambda done: self._end(key, done))
        return asking

    async def _ask(self, key: str, ask: Ask) -> Answer:
        began = self._clock()
        rows, took_seconds = await ask()
        answer = Answer(rows, began, took_seconds)
        if self._asking.get(key) is not asyncio.current_task():
            return answer  # it was to be forgotten meanwhile
        self._answers[key] = answer
        self._answers.move_to_end(key)
        if len(self._answers) > MOST_ANSWERS:
            self._answers.popitem(last=False)
        return answer

    def _end(self, key: str, done: asyncio.Task[Answer]) -> None:
        """Nobody may be waiting for a failure; the next reader asks again, and is told."""
        if self._asking.get(key) is done:
            del self._asking[key]
        error = None if done.cancelled() else done.exception()
        if error is not None:
            is_bug = not isinstance(error, DatabaseError)
            _LOGGER.log(logging.ERROR if is_bug else logging.DEBUG, "an answer could not be had", exc_info=error)
