"""An evaluator at work: what nobody rated is judged, newest calls first, and the verdicts are recorded as ratings.

A verdict's id follows from the evaluator's version and the call, so that one that is sent twice is stored once; which
calls have one is asked of the database. A run that ends anywhere is therefore just continued by the next.
"""

from __future__ import annotations

import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final, TypeAlias

import numpy as np

from otel_feedback.errors import UsageError
from otel_feedback.insights import asking
from otel_feedback.insights.asking import Ask
from otel_feedback.insights.contrast_run import Filter
from otel_feedback.insights.evaluator.answers import Answers
from otel_feedback.insights.evaluator.manifest import Evaluator
from otel_feedback.insights.spending import BudgetSpentError
from otel_feedback.rating import MAX_COMMENT_CHARACTERS, Rating, Scope, Target, make_rating

Record: TypeAlias = Callable[[Sequence[Rating]], object]
"""Makes ratings durable; once it returns they are."""

SOURCE: Final = "evaluator"
HOUR_SECONDS: Final = 3600.0
PAGE_CALLS: Final = 100
LOOK_AGAIN_SECONDS: Final = 30.0
_VISIBLE_SECONDS: Final = 20.0
_POLL_SECONDS: Final = 0.5
_VERDICTS: Final = uuid.UUID("6f0d3a52-4c3b-5d0e-9f0c-2a7c1c4be9a4")
_LAST_NANO: Final = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Budget:
    """What a run may take; ``None`` is no bound. It ends with the page of calls that goes beyond it.

    Attributes:
        calls: calls that are judged.
        seconds: how long it may last.
    """

    calls: int | None = None
    seconds: float | None = None


@dataclass(slots=True)
class Judged:
    """What a run did.

    Attributes:
        labels: how many verdicts of each label it recorded.
        skipped: calls of which OpenTelemetry's ids can't be told, so that nothing can be recorded of them.
        spent: which bound ended it; "" where nothing was left to judge.
    """

    labels: Counter[str] = field(default_factory=Counter)
    skipped: int = 0
    spent: str = ""

    @property
    def calls(self) -> int:
        """Calls that were judged."""
        return self.labels.total()


def run(
    evaluator: Evaluator,
    record: Record,
    ask: Ask | None = None,
    *,
    of: Filter | None = None,
    budget: Budget | None = None,
    unpromoted: bool = False,
    step: Callable[[int], object] = lambda _: None,
) -> Judged:
    """Judge the calls that no user rated and that this version has not judged yet, and record each verdict.

    Args:
        evaluator: a promoted one.
        record: where verdicts go.
        ask: asks the database (``asker``); None for the one of the environment's settings.
        of: which calls; ``name`` counts calls with ratings of other names as not rated.
        budget: what it may take.
        unpromoted: whether one that was not promoted may judge.
        step: called with how many calls were judged more.

    Raises:
        UsageError: the evaluator is not promoted, or a moment can't be read.
        DatabaseError: ClickHouse refused a statement or can't be asked, or the service does not take verdicts.
    """
    ask, budget, done = ask or asking.asker(), budget or Budget(), Judged()
    check_promoted(evaluator, unpromoted=unpromoted)
    began = time.monotonic()
    values = (of or Filter()).values(datetime.now(UTC)) | {"rater": evaluator.rater_id}
    ends: list[str] = []
    try:
        for answers in _pages(ask, values, lambda: _left(budget, done)):
            ends = _judge(evaluator, answers, record, done)
            step(len(answers))
            if budget.seconds is not None and time.monotonic() - began >= budget.seconds:
                done.spent = f"{budget.seconds:g} seconds"
                break
            if _left(budget, done) == 0:
                done.spent = f"{budget.calls} calls"
                break
    except BudgetSpentError as error:
        done.spent = str(error)
    _wait_until_seen(ask, ends, evaluator.rater_id)
    return done


def check_promoted(evaluator: Evaluator, *, unpromoted: bool) -> None:
    """Return if it may judge.

    Raises:
        UsageError: it may not; the text says why.
    """
    if evaluator.refused and not unpromoted:
        raise UsageError(
            f"{evaluator.rater_id} is not promoted: {'; '.join(evaluator.refused)}. To let it judge all the same, "
            "state --unpromoted"
        )


def watch(
    evaluator: Evaluator,
    record: Record,
    ask: Ask,
    *,
    of: Filter,
    hourly: Budget,
    unpromoted: bool = False,
    told: Callable[[Judged], object] = lambda _: None,
    sleep: Callable[[float], object] = time.sleep,
) -> None:
    """Judge what comes, for ever, within a budget for each hour; ``told`` is called with what each look found.

    Raises:
        As ``run``.
    """
    while True:
        hour_ends = time.monotonic() + HOUR_SECONDS
        left = hourly
        while (until_end := hour_ends - time.monotonic()) > 0:
            began = time.monotonic()
            done = run(evaluator, record, ask, of=of, budget=left, unpromoted=unpromoted)
            if done.calls or done.skipped:
                told(done)
            if done.spent:
                sleep(max(hour_ends - time.monotonic(), 0))
                break
            left = _less(left, done.calls, time.monotonic() - began)
            sleep(min(LOOK_AGAIN_SECONDS, until_end))


def _less(budget: Budget, calls: int, seconds: float) -> Budget:
    return Budget(
        None if budget.calls is None else budget.calls - calls,
        None if budget.seconds is None else budget.seconds - seconds,
    )


def _left(budget: Budget, done: Judged) -> int:
    """How many more calls may be judged, of a page."""
    return PAGE_CALLS if budget.calls is None else max(0, min(PAGE_CALLS, budget.calls - done.calls))


def _pages(ask: Ask, values: Mapping[str, str], most: Callable[[], int]) -> Iterator[Answers]:
    place: dict[str, Any] = {"before": str(_LAST_NANO), "trace": "", "span": ""}
    while count := most():
        page = {**values, **place, "most": str(count)}
        answers = Answers.of(asking.table(ask, "insights/evaluator_unrated", page))
        if not len(answers):
            return
        place = {"before": str(answers.unix_nano[-1]), "trace": answers.trace_ids[-1], "span": answers.span_ids[-1]}
        yield answers


def _judge(evaluator: Evaluator, answers: Answers, record: Record, done: Judged) -> list[str]:
    """The recorded calls as trace/span."""
    opinions = evaluator.model.opinions(answers)
    shares = evaluator.calibration.shares_of(np.array([each.score for each in opinions]))
    labels = evaluator.verdicts.labels(shares)
    ratings, calls = [], []
    for row, (opinion, share, label) in enumerate(zip(opinions, shares.tolist(), labels, strict=True)):
        rating = _verdict(evaluator, answers, row, share, label, opinion.why)
        if rating is None:
            done.skipped += 1
            continue
        ratings.append(rating)
        calls.append(f"{rating.target.trace_id}/{rating.target.span_id}")
    record(ratings)
    done.labels.update(str(each.label) for each in ratings)
    return calls


def _verdict(evaluator: Evaluator, answers: Answers, row: int, share: float, label: str, why: str) -> Rating | None:
    """The rating that says it, its value how likely people like it; None for ids that are not OpenTelemetry's."""
    trace_id, span_id = answers.trace_ids[row], answers.span_ids[row]
    explanation = f"{share:.0%} likely to be disliked" + (f": {why}" if why else "")
    try:
        rating = make_rating(
            evaluator.rating_name,
            label,
            Target(Scope.SPAN, trace_id, span_id, answers.session_ids[row]),
            comment=explanation[:MAX_COMMENT_CHARACTERS].encode("utf-8", "replace").decode(),
            minimum=0.0,
            maximum=1.0,
            rater_id=evaluator.rater_id,
            source=SOURCE,
            submission_id=str(uuid.uuid5(_VERDICTS, f"{evaluator.rater_id}/{trace_id}/{span_id}")),
        )
    except ValueError:
        return None
    return replace(rating, value=round(1 - share, 6))


def _wait_until_seen(ask: Ask, calls: Sequence[str], rater: str) -> None:
    """Wait until SQL knows of the last verdicts, so that a run that comes right after does not judge them again."""
    deadline = time.monotonic() + _VISIBLE_SECONDS
    while calls and time.monotonic() < deadline:
        (row,) = asking.rows(ask, "insights/evaluator_missing", {"calls": list(calls), "rater": rater})
        if not int(row["Missing"]):
            return
        time.sleep(_POLL_SECONDS)
