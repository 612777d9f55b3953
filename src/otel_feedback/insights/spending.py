"""What questions to a model cost, and a budget that holds however many are asked at once.

The most that a question may take is put aside before it is asked and given back when its answer is counted, so that
questions under way never go beyond the budget together.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from otel_feedback.errors import OtelFeedbackError


class BudgetSpentError(OtelFeedbackError):
    """The next question might cost more than is left; it was not asked."""


@dataclass(frozen=True, slots=True)
class Prices:
    """What a million tokens cost, in any currency."""

    input: float
    output: float

    def of(self, input_tokens: int, output_tokens: int) -> float:
        """The cost of so many tokens."""
        return (input_tokens * self.input + output_tokens * self.output) / 1e6


@dataclass(slots=True)
class Spending:
    """What all questions together have taken, and may take. Several models may share one.

    Attributes:
        most_cost: no question is asked that might go beyond this; None for no bound. ``most_tokens`` likewise.
        questions: requests answered, those with a useless answer included.
    """

    most_cost: float | None = None
    most_tokens: int | None = None
    questions: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost: float = 0.0
    _aside_tokens: int = 0
    _aside_cost: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def put_aside(self, tokens: int, cost: float) -> None:
        """Hold back what a question may take at most.

        Raises:
            BudgetSpentError: there is not so much left.
        """
        with self._lock:
            taken_tokens = self.input_tokens + self.output_tokens + self._aside_tokens
            if self.most_tokens is not None and taken_tokens + tokens > self.most_tokens:
                raise BudgetSpentError(
                    f"The budget of {self.most_tokens} tokens does not cover the next question, which may take "
                    f"{tokens}: {taken_tokens} are spent or under way, by {self.questions} questions"
                )
            taken_cost = self.cost + self._aside_cost
            if self.most_cost is not None and taken_cost + cost > self.most_cost:
                raise BudgetSpentError(
                    f"The budget of {self.most_cost:g} does not cover the next question, which may cost {cost:.4g}: "
                    f"{taken_cost:.4g} are spent or under way, by {self.questions} questions"
                )
            self._aside_tokens += tokens
            self._aside_cost += cost

    def release(self, tokens: int, cost: float) -> None:
        """Give back what was put aside."""
        with self._lock:
            self._aside_tokens -= tokens
            self._aside_cost -= cost

    def spend(self, input_tokens: int, output_tokens: int, cost: float) -> None:
        """Count one answered question."""
        with self._lock:
            self.questions += 1
            self.input_tokens += input_tokens
            self.output_tokens += output_tokens
            self.cost += cost
