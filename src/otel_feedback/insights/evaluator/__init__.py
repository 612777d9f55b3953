"""Evaluators: judges of answers that learn from people's ratings, are tried on other people's, and judge the rest."""

from otel_feedback.insights.evaluator.manifest import Evaluator, load
from otel_feedback.insights.evaluator.train import Difference, Options, reproduce, train

__all__ = ["Difference", "Evaluator", "Options", "load", "reproduce", "train"]
