"""Evaluators: judges of answers that learn from people's ratings, are tried on other people's, and judge the rest."""

from otel_feedback.insights.evaluator.asked_model import ModelUse
from otel_feedback.insights.evaluator.drift import Drift, drift
from otel_feedback.insights.evaluator.manifest import Evaluator, load
from otel_feedback.insights.evaluator.run import Budget, Judged, check_promoted, run, watch
from otel_feedback.insights.evaluator.train import Difference, Options, reproduce, train

__all__ = [
    "Budget", "Difference", "Drift", "Evaluator", "Judged", "ModelUse", "Options", "check_promoted", "drift", "load",
    "reproduce", "run", "train", "watch",
]  # fmt: skip
