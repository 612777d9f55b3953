"""Whether an evaluator is still as good as its training promised, by what users have rated since."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from math import sqrt
from typing import Any, Final

import numpy as np

from otel_feedback.errors import DataDirectoryError
from otel_feedback.insights import asking
from otel_feedback.insights.asking import Ask
from otel_feedback.insights.contrast_run import Filter
from otel_feedback.insights.evaluator import figures
from otel_feedback.insights.evaluator.answers import Answers
from otel_feedback.insights.evaluator.figures import Bootstrap, Figure
from otel_feedback.insights.evaluator.manifest import Evaluator
from otel_feedback.insights.evaluator.train import MOMENT, STATEMENT
from otel_feedback.insights.evaluator.validation import PRIMARY
from otel_feedback.insights.export_files import PROVENANCE
from otel_feedback.insights.statistics import Numbers

FEWEST_RATED: Final = 50
FEWEST_PER_SIDE: Final = 10
FEWEST_CALLED: Final = 20
_MILLION: Final = "1000000"
_Z: Final = 1.96


@dataclass(frozen=True, slots=True)
class Compared:
    """A figure as it was promised and as it is, with the interval of the difference."""

    promised: Figure
    now: Figure
    change: Figure


@dataclass(frozen=True, slots=True)
class Drift:
    """What ratings after the training say.

    Attributes:
        rated_calls: calls rated since that it has not learned from; ``negative`` of them negatively.
        judged_before: how many of these it had given its verdict before anybody looked here.
        figures: by name; empty where there are too few ratings to tell.
        reasons: why it should be trained anew; empty if it need not.
    """

    rated_calls: int
    negative: int
    judged_before: int
    figures: Mapping[str, Compared]
    reasons: list[str]

    @property
    def is_told(self) -> bool:
        """Whether there are enough ratings to tell."""
        return bool(self.figures)


def drift(evaluator: Evaluator, ask: Ask | None = None, *, since: str = "") -> Drift:
    """Compare its verdicts with ratings of users that came after its training.

    Calls that it has judged count with the recorded verdict, others are judged now; nothing is recorded.

    Args:
        evaluator: promoted or not.
        ask: asks the database (``asker``); None for the one of the environment's settings.
        since: only ratings from this moment on, as Filter has it; by default all since the training.

    Raises:
        UsageError: the moment can't be read.
        DataDirectoryError: its record of what it learned from can't be read.
        DatabaseError: ClickHouse refused a statement or can't be asked.
    """
    ask, now = ask or asking.asker(), datetime.now(UTC)
    trained_on: Mapping[str, str] = evaluator.manifest["filter"]
    trained_until = trained_on["rated_until"]
    values = {
        **trained_on,
        "until": Filter().values(now)["until"],
        "rated_since": max(trained_until, Filter(since).values(now)["since"]) if since else trained_until,
        "rated_until": now.strftime(MOMENT),
        "rater": evaluator.rater_id,
        "drawn": _MILLION,
    }
    answers = Answers.of(asking.table(ask, STATEMENT, values))
    learned_from = set(_learned_from(evaluator))
    ids = zip(answers.trace_ids, answers.span_ids, strict=True)
    answers = answers.take(np.array([row for row, call in enumerate(ids) if call not in learned_from], dtype=np.int64))
    negative = int(answers.is_negative.sum())
    shares, judged_before = _shares(evaluator, answers)
    if len(answers) < FEWEST_RATED or min(negative, len(answers) - negative) < FEWEST_PER_SIDE:
        return Drift(len(answers), negative, judged_before, {}, [])
    compared = _compared(evaluator.manifest, answers, shares)
    first = compared[PRIMARY]  # one figure decides: of four, one falls by chance too often
    fell = (
        f"ROC AUC was {first.promised.value:.3f} and is {first.now.value:.3f}, a change of {first.change.value:+.3f} "
        f"({first.change.low:+.3f} to {first.change.high:+.3f})"
    )
    reasons = [fell] if first.change.high < 0 else []
    return Drift(len(answers), negative, judged_before, compared, reasons + _too_imprecise(evaluator, answers, shares))


def _learned_from(evaluator: Evaluator) -> Iterator[tuple[str, str]]:
    path = evaluator.directory / PROVENANCE / "train.jsonl"
    try:
        with path.open(encoding="utf-8") as file:
            for line in file:
                for source in json.loads(line):
                    yield source["trace_id"], source["span_id"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataDirectoryError(f"{path} can't be read: {error}") from None


def _shares(evaluator: Evaluator, answers: Answers) -> tuple[Numbers, int]:
    """How likely each is disliked: as it was recorded, or else as the model says now."""
    shares = 1 - answers.scores
    fresh = np.flatnonzero(~np.isfinite(shares))
    opinions = evaluator.model.opinions(answers.take(fresh))
    shares[fresh] = evaluator.calibration.shares_of(np.array([each.score for each in opinions], dtype=np.float64))
    return shares, len(answers) - len(fresh)


def _compared(manifest: Mapping[str, Any], answers: Answers, shares: Numbers) -> dict[str, Compared]:
    is_called = shares >= manifest["negative"] / manifest["rated_calls"]
    came = answers.is_negative
    measures = {
        "roc_auc": figures.roc_auc(shares, came),
        "balanced_accuracy": figures.balanced_accuracy(is_called, came),
        "average_precision": figures.average_precision(shares, came),
        "kappa": figures.kappa(is_called, came),
    }
    bootstrap = Bootstrap(answers.groups(), int(manifest["options"]["seed"]))
    promises = {name: Figure(*manifest["figures"]["evaluator"][name]) for name in measures}
    return {name: _change(promises[name], bootstrap.figure(measure)) for name, measure in measures.items()}


def _change(promised: Figure, now: Figure) -> Compared:
    """The difference of two figures of different people, each with the spread that its own interval has."""
    spread = sqrt(sum(((each.high - each.low) / 2) ** 2 for each in (promised, now)))
    value = now.value - promised.value
    return Compared(promised, now, Figure(value, value - spread, value + spread))


def _too_imprecise(evaluator: Evaluator, answers: Answers, shares: Numbers) -> list[str]:
    stated = evaluator.manifest["options"]["precision"]
    is_called = shares >= evaluator.verdicts.negative_from
    if stated is None or is_called.sum() < FEWEST_CALLED:
        return []
    measure = figures.precision(is_called, answers.is_negative)
    got = Bootstrap(answers.groups(), int(evaluator.manifest["options"]["seed"])).figure(measure)
    if got.high >= stated:
        return []
    return [f"a precision of {stated:g} was stated and it is {got.value:.2f} ({got.low:.2f} to {got.high:.2f})"]
