"""Two weeks of a shop's chat, made up: who asked what, which prompt answered, and how people rated it.

The texts are in ``history.toml``. With the new prompt, version v2, answers get better and ratings with them.
"""

from __future__ import annotations

import functools
import importlib.resources
import random
import time
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from otel_feedback.demo.history_spans import SCOPE_NAME, SECOND, HistorySpans, Turn
from otel_feedback.demo.processes import DemoError
from otel_feedback.demo.running_service import RunningService
from otel_feedback.rating import Action, Scope, Target, make_rating

SERVICE_NAME: Final = "shop-assistant"
DAYS: Final = 14
_DAY_OF_NEW_PROMPT: Final = 7
_VISIBLE_SECONDS: Final = 60.0
_SEED: Final = 20
_ERRORS: Final = ("openai.RateLimitError", "openai.APITimeoutError")


@dataclass(frozen=True, slots=True)
class _Model:
    """A model of the shop: how often it is asked, how much worse its answers are, and how long it takes."""

    name: str
    share: int
    weakness: float
    seconds: float


_MODELS: Final = (
    _Model("shop-assistant-small", 5, 0.06, 0.7),
    _Model("shop-assistant-large", 3, -0.06, 1.6),
    _Model("shop-assistant-thinking", 2, -0.10, 4.2),
)
_WEAKNESS: Final = {"v1": 0.42, "v2": 0.15}


def send_history(service: RunningService, now: float) -> str:
    """Send the two weeks before today, unless the database has them or those of an earlier day; what to say of it.

    Once this returns the history can be queried.

    Raises:
        DemoError: the service does not take it, or it does not show up.
    """
    deadline = time.monotonic() + _VISIBLE_SECONDS
    _wait_until_written(service, deadline)  # what an earlier start had sent may still be on its way
    if _count_sessions(service):
        return "two weeks of made-up conversations, sent by an earlier start"
    spans = make_history(datetime.fromtimestamp(now, UTC).date() - timedelta(days=DAYS))
    service.export_traces(spans.serialize())
    _wait_until_written(service, deadline)
    return f"{_count_sessions(service)} made-up conversations of the last {DAYS} days"


def make_history(start_day: date) -> HistorySpans:
    """The conversations from that day (UTC) on. The same day gives the same bytes; another one other ids and times."""
    spans = HistorySpans(SERVICE_NAME, random.Random(f"ids from {start_day}"))
    story = _Story(spans, random.Random(_SEED))
    for day in range(DAYS):
        midnight = datetime.combine(start_day + timedelta(days=day), datetime.min.time(), UTC)
        for number in range(story.sessions_of_day(day)):
            story.tell_session(day, f"shop-{midnight:%m%d}-{number + 1:02}", int(midnight.timestamp()) * SECOND)
    return spans


class _Story:
    """Draws conversation after conversation."""

    def __init__(self, spans: HistorySpans, chance: random.Random) -> None:
        self._spans = spans
        self._chance = chance
        self._texts = _read_texts()
        self._topics = {each["name"]: each for each in self._texts["topic"]}

    def sessions_of_day(self, day: int) -> int:
        """Somewhat more at the weekends."""
        return self._chance.randint(7, 9) + (2 if day % 7 in {5, 6} else 0)

    def tell_session(self, day: int, session: str, midnight: int) -> None:
        """One person's conversation with its ratings."""
        chance = self._chance
        user = chance.choice(self._texts["people"])
        model = chance.choices(_MODELS, [each.share for each in _MODELS])[0]
        version = "v1" if day < _DAY_OF_NEW_PROMPT else "v2"
        if day == _DAY_OF_NEW_PROMPT:
            version = chance.choice(("v1", "v2"))
        at = midnight + chance.randint(7 * 3600, 22 * 3600) * SECOND + chance.randrange(SECOND)
        topic = chance.choice([each for each in self._texts["topic"] if each["name"] != "thanks"])
        said: list[tuple[str, str]] = []
        weak_answers = turns = 0
        while topic is not None and turns < 4:
            is_weak = chance.random() < _WEAKNESS[version] + model.weakness
            turn = self._draw_turn(topic, is_weak=is_weak, at=at, user=user, model=model, version=version)
            turn = replace(turn, session=session, history=tuple(said))
            target = self._spans.add_turn(turn)
            if not turn.error:
                self._rate(topic, target, user, at + int(turn.seconds * SECOND), is_weak=is_weak)
                said += [("user", turn.question), ("assistant", turn.answer)]
            turns += 1
            weak_answers += is_weak
            at += chance.randint(40, 300) * SECOND
            topic = self._next_topic(topic, stays=bool(turn.error))
        if chance.random() < 0.18:
            self._rate_session(Target(Scope.SESSION, session_id=session), user, at, 1 - weak_answers / turns)

    def _draw_turn(
        self, topic: Mapping[str, Any], *, is_weak: bool, at: int, user: str, model: _Model, version: str
    ) -> Turn:
        chance = self._chance
        error = chance.choice(_ERRORS) if chance.random() < 0.03 else ""
        seconds = model.seconds * chance.uniform(0.7, 1.8)
        if error:
            seconds = 30.0 if "Timeout" in error else 0.2
        return Turn(
            at=at,
            session="",
            user=user,
            model=model.name,
            prompt_version=version,
            instructions=self._texts["instructions"][version],
            history=(),
            question=chance.choice(topic["ask"]),
            answer=chance.choice(topic["weak" if is_weak else "good"]),
            order=None if is_weak else topic.get("order"),  # what makes an answer weak is that nothing was looked up
            seconds=round(seconds, 3),
            error=error,
        )

    def _next_topic(self, topic: Mapping[str, Any], *, stays: bool) -> Mapping[str, Any] | None:
        if stays:
            return topic  # people ask again when they got no answer
        following = topic["follow_up"]
        return self._topics[self._chance.choice(following)] if following and self._chance.random() < 0.6 else None

    def _rate(self, topic: Mapping[str, Any], target: Target, user: str, at: int, *, is_weak: bool) -> None:
        chance = self._chance
        if chance.random() > (0.62 if is_weak else 0.42):
            return
        if chance.random() < 0.2:  # the widget under a streamed answer rates its trace
            target = replace(target, scope=Scope.TRACE)
        is_good = chance.random() < (0.1 if is_weak else 0.93)
        at += chance.randint(4, 90) * SECOND
        if chance.random() < 0.08:  # a wrong click, put right
            first = make_rating("thumbs", not is_good, target, rater_id=user, time_unix_nano=at)
            self._spans.add_rating(first)
            at += chance.randint(2, 20) * SECOND
        says = chance.random() < (0.3 if is_good else 0.65)
        details: dict[str, Any] = {"comment": chance.choice(topic["praise" if is_good else "blame"]) if says else ""}
        if not is_good and chance.random() < 0.6:
            details["reasons"] = (chance.choice(topic["reasons"]),)
        if not is_good and "wish" in topic and chance.random() < 0.3:
            details["correction"] = topic["wish"]
        rating = make_rating("thumbs", is_good, target, rater_id=user, time_unix_nano=at, **details)
        self._spans.add_rating(rating)
        if chance.random() < 0.05:
            at += chance.randint(3, 60) * SECOND
            retract = make_rating("thumbs", None, target, rater_id=user, time_unix_nano=at, action=Action.RETRACT)
            self._spans.add_rating(retract)

    def _rate_session(self, target: Target, user: str, at: int, goodness: float) -> None:
        stars = max(1, min(5, round(1.4 + 3.4 * goodness + self._chance.uniform(-0.7, 0.7))))
        comment = {1: "Useless.", 2: "Had to ask everything twice.", 5: "Fast and friendly."}.get(stars, "")
        self._spans.add_rating(
            make_rating("stars", stars, target, minimum=1, maximum=5, comment=comment, rater_id=user, time_unix_nano=at)
        )


@functools.cache
def _read_texts() -> dict[str, Any]:
    return tomllib.loads(importlib.resources.files("otel_feedback.demo").joinpath("history.toml").read_text("utf-8"))


def _count_sessions(service: RunningService) -> int:
    (row,) = service.rows("history_sessions", service=SERVICE_NAME, scope=SCOPE_NAME)
    return int(row["Sessions"])


def _wait_until_written(service: RunningService, deadline: float) -> None:
    while not service.is_queue_empty():
        if time.monotonic() > deadline:
            raise DemoError(f"The database did not take what was sent within {_VISIBLE_SECONDS:g} s")
        time.sleep(0.05)
