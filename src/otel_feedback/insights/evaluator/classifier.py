"""The kind ``classifier``: a logistic regression over terms and numbers of prompt and answer.

scikit-learn fits it; what is stored is its weights as plain arrays, which are read and applied here (docs/adr/0027).
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from zipfile import BadZipFile

import numpy as np
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from otel_feedback.insights.evaluator import vectors
from otel_feedback.insights.evaluator.answers import Answers, Rows
from otel_feedback.insights.evaluator.asked_model import ModelUse
from otel_feedback.insights.evaluator.figures import roc_auc
from otel_feedback.insights.evaluator.folds import Corpus
from otel_feedback.insights.evaluator.kinds import Opinion
from otel_feedback.insights.statistics import Numbers

FILE: Final = "weights.npz"
INNER_FOLDS: Final = 3
CANDIDATES: Final = ((0.0, 0.1), (0.0, 1.0), (1.0, 0.1), (1.0, 1.0), (3.0, 0.03), (3.0, 0.1), (3.0, 0.3), (3.0, 1.0))
"""How much terms count beside numbers, and the inverse strength of the penalty."""
CHOICE_CALLS: Final = 2000
"""Of more calls so many decide between the candidates, since their fits would cost most of the time."""
_STEPS: Final = 8
_STEP_SIZE: Final = 0.4
_FEWEST_TEXTS: Final = 3
"""A term in fewer texts is not weighed."""
_ITERATIONS: Final = 200
_TOLERANCE: Final = 1e-3
_REASONS: Final = 2
"""Terms, and as many numbers, that are told for a verdict."""
_LEAST_REASON: Final = 0.005
_FEWEST_PER_SIDE: Final = 2


@dataclass(frozen=True, slots=True)
class Space:
    """Which terms are weighed and where steps begin: what is learned of texts without their ratings.

    Attributes:
        columns: the hashed columns of the terms, rising.
        rarity: for each of them the weight that it gets for being rare (inverse document frequency).
        edges: for each number where its steps begin.
    """

    columns: Rows
    rarity: Numbers
    edges: Sequence[Numbers]

    @classmethod
    def of(cls, counts: sparse.csr_array, numbers: Numbers) -> Space:
        """What these rows have."""
        texts_with = np.bincount(counts.indices, minlength=vectors.COLUMNS)
        columns = np.flatnonzero(texts_with >= _FEWEST_TEXTS)
        rarity = np.log((1 + counts.shape[0]) / (1 + texts_with[columns])) + 1
        return cls(columns, rarity, vectors.edges_of(numbers, _STEPS))

    def matrices(self, counts: sparse.csr_array, numbers: Numbers) -> tuple[sparse.csr_array, Numbers]:
        """Terms with each row of length one, and steps."""
        chosen = sparse.csr_array(counts[:, self.columns]).astype(np.float64)
        chosen.data *= self.rarity[chosen.indices]
        lengths = np.sqrt(np.asarray(chosen.multiply(chosen).sum(axis=1)).ravel())
        chosen.data /= np.repeat(np.maximum(lengths, 1e-9), np.diff(chosen.indptr))
        return chosen, vectors.stepped(numbers, self.edges) * _STEP_SIZE


@dataclass(frozen=True, slots=True)
class Linear:
    """The model: a weight for each term and each step.

    Attributes:
        usual: for each number what its steps add on average, so that reasons tell what is unusual.
    """

    space: Space
    term_weights: Numbers
    step_weights: Numbers
    intercept: float
    usual: Numbers

    def of_matrices(self, terms: sparse.csr_array, steps: Numbers) -> Numbers:
        """The log odds of each row."""
        return np.asarray(terms @ self.term_weights + steps @ self.step_weights + self.intercept)

    def opinions(self, answers: Answers) -> list[Opinion]:
        """As ``Model`` has it."""
        if not len(answers):
            return []
        terms, steps = self.space.matrices(vectors.counts_of(answers), vectors.numbers_of(answers))
        scores = self.of_matrices(terms, steps).tolist()
        added = self.by_number(steps) - self.usual
        return [
            Opinion(score, self._why(answers.prompts[row], answers.answers[row], terms[[row]], added[row]))
            for row, score in enumerate(scores)
        ]

    def by_number(self, steps: Numbers) -> Numbers:
        """What the steps of each number add to each row."""
        widths = [len(each) for each in self.space.edges]
        parts = np.split(steps * self.step_weights, np.cumsum(widths)[:-1], axis=1)
        return np.stack([part.sum(axis=1) for part in parts], axis=1)

    def _why(self, prompt: str, answer: str, terms: sparse.csr_array, added: Numbers) -> str:
        """What moved the score most: names of terms come from the text itself, since none are stored."""
        weighed = dict(
            zip(self.space.columns[terms.indices].tolist(), terms.data * self.term_weights[terms.indices], strict=True)
        )
        numbers = {name.replace("_", " "): float(value) for name, value in zip(vectors.NUMBERS, added, strict=True)}
        said: dict[str, float] = {}
        for term in vectors.terms_of(prompt, answer):
            kind, _, text = term.partition(": ")
            said[f'{kind} "{text}"'] = float(weighed.get(vectors.column_of(term), 0.0))
        return ", ".join([*_strongest(said), *_strongest(numbers)])

    def save(self, directory: Path) -> None:
        """As ``Model`` has it: arrays of numbers and nothing else."""
        edges = self.space.edges
        np.savez(
            directory / FILE,
            columns=self.space.columns.astype(np.int32),
            rarity=self.space.rarity,
            edges=np.concatenate(edges),
            edge_counts=np.array([len(each) for each in edges], dtype=np.int32),
            term_weights=self.term_weights,
            step_weights=self.step_weights,
            intercept=np.array([self.intercept]),
            usual=self.usual,
        )

    @classmethod
    def load(cls, directory: Path) -> Linear:
        """What ``save`` wrote; nothing that is read can run.

        Raises:
            ValueError: it can't be read, or its parts do not fit together.
        """
        try:
            with np.load(io.BytesIO((directory / FILE).read_bytes()), allow_pickle=False) as told:
                parts = {name: told[name] for name in told.files}
            counts = parts["edge_counts"]
            edges = np.split(parts["edges"], np.cumsum(counts)[:-1])
            model = cls(
                Space(parts["columns"].astype(np.int64), parts["rarity"], edges),
                parts["term_weights"], parts["step_weights"], float(parts["intercept"][0]), parts["usual"],
            )  # fmt: skip
        except (OSError, KeyError, IndexError, TypeError, ValueError, EOFError, BadZipFile) as error:
            raise ValueError(f"{directory / FILE} can't be read: {error}") from None
        columns = len(model.space.columns)
        steps = sum(map(len, edges))
        sizes = (
            len(model.space.rarity),
            len(model.term_weights),
            len(model.step_weights),
            len(counts),
            len(model.usual),
        )
        if sizes != (columns, columns, steps, len(vectors.NUMBERS), len(vectors.NUMBERS)):
            raise ValueError(f"{directory / FILE} is of another version of otel-feedback: train the evaluator anew")
        return model


def _strongest(reasons: Mapping[str, float]) -> list[str]:
    names = sorted(reasons, key=lambda name: (-abs(reasons[name]), name))[:_REASONS]
    return [f"{name} {reasons[name]:+.2f}" for name in names if abs(reasons[name]) >= _LEAST_REASON]


@dataclass(frozen=True, slots=True)
class _Fitted:
    learner: _Learner
    linear: Linear
    held_out: Numbers
    choices: dict[str, Any]

    def scores(self, rows: Rows) -> Numbers:
        terms, steps = self.linear.space.matrices(self.learner.counts[rows], self.learner.numbers[rows])
        return self.linear.of_matrices(terms, steps)

    def less_liked(self, first: Rows, second: Rows) -> Numbers:
        return (np.sign(self.scores(first) - self.scores(second)) + 1) / 2

    def model(self) -> Linear:
        return self.linear


def _best(held_out: Numbers, is_negative: Numbers, folds: Rows) -> int:
    """The candidate whose scores tell negatives best; the first where none can be told apart."""
    whole = np.ones((1, len(is_negative)))
    qualities = [float(roc_auc(scores, is_negative, folds)(whole)[0]) for scores in held_out]
    return int(np.nanargmax(qualities)) if np.isfinite(qualities).any() else 0


@dataclass(frozen=True, slots=True)
class _Learner:
    corpus: Corpus
    counts: sparse.csr_array
    numbers: Numbers

    def fit(self, rows: Rows, seed: int) -> _Fitted:
        """Choose by inner validation how much terms count and how strong the penalty is, then learn from all rows."""
        with threadpool_limits(1):  # threads that wait for each other cost more than they save, and order sums at will
            few = len(rows) <= CHOICE_CALLS
            some = rows if few else self.corpus.some(rows, CHOICE_CALLS, seed)
            held_out, folds = self._held_out(some, CANDIDATES, seed)
            best = _best(held_out, self.corpus.is_negative[some], folds)
            own = held_out[best] if few else self._held_out(rows, CANDIDATES[best : best + 1], seed)[0][0]
            terms, cost = CANDIDATES[best]
            space, (matrix, steps) = self._space(rows)
            linear = self._linear(space, matrix, steps, self.corpus.is_negative[rows], terms, cost)
        return _Fitted(self, linear, own, {"terms": terms, "inverse_penalty": cost})

    def _held_out(self, rows: Rows, candidates: Sequence[tuple[float, float]], seed: int) -> tuple[Numbers, Rows]:
        """Scores of each candidate for each row by a model that has not seen it, and the row's fold."""
        place = np.full(len(self.corpus.answers), -1, dtype=np.int64)
        place[rows] = np.arange(len(rows))
        scores, folds = np.full((len(candidates), len(rows)), np.nan), np.zeros(len(rows), dtype=np.int64)
        for number, (known, tried) in enumerate(self.corpus.parts(rows, INNER_FOLDS, seed)):
            ratings = self.corpus.is_negative[known]
            space, (matrix, steps) = self._space(known)
            there = space.matrices(self.counts[tried], self.numbers[tried])
            folds[place[tried]] = number
            for candidate, each in enumerate(candidates):
                linear = self._linear(space, matrix, steps, ratings, *each)
                scores[candidate, place[tried]] = linear.of_matrices(*there)
        return scores, folds

    def _space(self, rows: Rows) -> tuple[Space, tuple[sparse.csr_array, Numbers]]:
        counts, numbers = self.counts[rows], self.numbers[rows]
        space = Space.of(counts, numbers)
        return space, space.matrices(counts, numbers)

    @staticmethod
    def _linear(
        space: Space, matrix: sparse.csr_array, steps: Numbers, ratings: Numbers, terms: float, cost: float
    ) -> Linear:
        columns = len(space.columns)
        if min(ratings.sum(), len(ratings) - ratings.sum()) < _FEWEST_PER_SIDE:
            weights, intercept = np.zeros(columns + steps.shape[1]), 0.0
        else:
            together = sparse.csr_array(
                sparse.hstack([matrix * terms, sparse.csr_array(steps)]) if terms else sparse.csr_array(steps)
            )
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)  # where it stops is as good, and the same each time
                model = LogisticRegression(C=cost, max_iter=_ITERATIONS, tol=_TOLERANCE).fit(together, ratings)
            weights, intercept = model.coef_[0], float(model.intercept_[0])
        split = columns if terms else 0
        term_weights = weights[:split] * terms if terms else np.zeros(columns)
        linear = Linear(space, term_weights, weights[-steps.shape[1] :], intercept, np.zeros(len(vectors.NUMBERS)))
        return Linear(space, term_weights, linear.step_weights, intercept, linear.by_number(steps).mean(axis=0))


class Classifier:
    """The kind."""

    name = "classifier"
    folds = 5
    curve = True
    most_pairs = 1_000_000
    packages = ("numpy", "scipy", "scikit-learn")

    def learner(self, corpus: Corpus) -> _Learner:
        """Texts as rows of numbers, once for all fits."""
        return _Learner(corpus, vectors.counts_of(corpus.answers), vectors.numbers_of(corpus.answers))

    def load(self, directory: Path) -> Linear:
        """As ``Kind`` has it."""
        return Linear.load(directory)


def make(_model: str, _base_url: str, _use: ModelUse) -> Classifier:
    """The kind; it asks no language model."""
    return Classifier()
