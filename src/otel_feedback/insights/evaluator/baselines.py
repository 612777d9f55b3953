"""What an evaluator must beat: judges that look at next to nothing. They learn and are tried on the same folds."""

from __future__ import annotations

from typing import Final

import numpy as np
from sklearn.linear_model import LogisticRegression

from otel_feedback.insights.evaluator import vectors
from otel_feedback.insights.evaluator.answers import Answers, Rows
from otel_feedback.insights.statistics import Numbers

_STEPS: Final = 6
_FEWEST_PER_SIDE: Final = 2


def numbers_of(answers: Answers) -> dict[str, Numbers | None]:
    """What each baseline looks at; ``None`` for the one that always says what most people say."""
    return {
        "majority": None,
        "answer length": np.log1p(answers.answer_characters)[:, None],
        "latency": np.log1p(np.maximum(answers.seconds, 0))[:, None],
    }


def scores_of(numbers: Numbers | None, is_negative: Numbers, known: Rows, tried: Rows) -> tuple[Numbers, Numbers]:
    """Scores of the known and the tried rows: a logistic regression over the number itself and its steps."""
    ratings = is_negative[known]
    if numbers is None or min(ratings.sum(), len(ratings) - ratings.sum()) < _FEWEST_PER_SIDE:
        return np.zeros(len(known)), np.zeros(len(tried))
    edges = vectors.edges_of(numbers[known], _STEPS)
    middle, spread = numbers[known].mean(), max(float(numbers[known].std()), 1e-9)

    def seen(rows: Rows) -> Numbers:
        return np.hstack([(numbers[rows] - middle) / spread, vectors.stepped(numbers[rows], edges)])

    model = LogisticRegression(C=1.0).fit(seen(known), ratings)
    return model.decision_function(seen(known)), model.decision_function(seen(tried))
