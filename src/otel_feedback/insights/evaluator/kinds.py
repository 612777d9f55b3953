"""What every kind of evaluator is to the rest: how it learns, is tried, stored and asked.

A new kind is one file with ``make(model, base_url, use)``, which returns a ``Kind``, and its line in MODULES.
Validation, refusals, manifests and runs are the same for all.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

from otel_feedback.errors import UsageError
from otel_feedback.insights.evaluator.answers import Answers, Rows
from otel_feedback.insights.evaluator.asked_model import ModelUse
from otel_feedback.insights.evaluator.folds import Corpus
from otel_feedback.insights.statistics import Numbers

MODULES: Final = {
    "classifier": "otel_feedback.insights.evaluator.classifier",
    "judge": "otel_feedback.insights.evaluator.judge",
    "finetuned": "otel_feedback.insights.evaluator.finetuned",
}
"""Where each kind is made; imported when it is asked for, since some need much."""
ASKS_A_MODEL: Final = frozenset({"judge"})
NEEDS_A_MODEL: Final = frozenset({"judge", "finetuned"})


@dataclass(frozen=True, slots=True)
class Opinion:
    """What a model says of one answer: a score, higher for likelier disliked, and why."""

    score: float
    why: str


class Model(Protocol):
    """What has learned, ready to judge any answer."""

    def opinions(self, answers: Answers) -> list[Opinion]:
        """What it says of each answer. The same answer gets the same score every time."""

    def save(self, directory: Path) -> None:
        """Write what ``load`` needs into this directory, which is there."""


class Fitted(Protocol):
    """A model with what its own inner validation said.

    Attributes:
        held_out: scores of the rows that it learned from, in their order, each by a model that had not seen the row;
            NaN for rows that were not tried.
        choices: what was chosen by inner validation, for people to read.
    """

    held_out: Numbers
    choices: dict[str, Any]

    def scores(self, rows: Rows) -> Numbers:
        """What it says of rows of the corpus."""

    def less_liked(self, first: Rows, second: Rows) -> Numbers:
        """For each pair of rows of one prompt whether the first is liked less: 1.0, 0.0, or 0.5 where it can't tell."""

    def model(self) -> Model:
        """The model by itself."""


class Learner(Protocol):
    """A kind that has looked at the texts of a corpus, but not at its ratings."""

    def fit(self, rows: Rows, seed: int) -> Fitted:
        """Learn from these rows, choosing among options by inner validation on these rows alone."""


class Kind(Protocol):
    """A kind of evaluator.

    Attributes:
        folds: how many parts the rated calls are divided in to be tried; each is one fit.
        curve: whether fits are cheap enough to be tried on fewer calls, too.
        most_pairs: how many pairs of answers to one prompt it compares when it is tried.
        packages: whose versions a manifest must name, since figures change with them.
    """

    name: str
    folds: int
    curve: bool
    most_pairs: int
    packages: Sequence[str]

    def learner(self, corpus: Corpus) -> Learner:
        """Look at the texts."""

    def load(self, directory: Path) -> Model:
        """What ``save`` wrote.

        Raises:
            ValueError: it can't be read.
        """


def kind_of(name: str, model: str = "", base_url: str = "", use: ModelUse | None = None) -> Kind:
    """The kind of this name; ``model`` is for kinds that need one, ``base_url`` and ``use`` for those that ask it.

    Raises:
        UsageError: there is none, or what it needs is not installed.
    """
    if name not in MODULES:
        raise UsageError(f"{name!r} is no kind of evaluator; there are {', '.join(MODULES)}")
    try:
        module = importlib.import_module(MODULES[name])
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        raise UsageError(
            f"the kind {name} needs the package {missing!r}. Run: pip install 'otel-feedback[finetune]'"
        ) from None
    found: Kind = module.make(model, base_url, use or ModelUse())
    return found
