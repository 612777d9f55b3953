"""Putting ratings to use: what sets disliked answers apart, which arm is better, and data sets to train on.

    from otel_feedback.insights import Filter, contrast

    for finding in contrast(of=Filter(since="7d", service="shop-assistant")).contrast.findings:
        print(finding.dimension, finding.value, finding.difference, finding.q)

Needs ``pip install 'otel-feedback[insights]'``. Everything is asked of the database in SQL, through the service while
one runs; results that pages show are stored there, so that neither the service nor the dashboard needs this room.
"""

from otel_feedback.insights.asking import asker
from otel_feedback.insights.chat_model import ChatModel
from otel_feedback.insights.consent import Consent
from otel_feedback.insights.contrast import Contrast, Example, Finding, Limits
from otel_feedback.insights.contrast_run import Filter, Run, contrast
from otel_feedback.insights.experiment import Arm, Comparison, Design, Experiment
from otel_feedback.insights.experiment_run import Arms, ExperimentRun, experiment
from otel_feedback.insights.export import Options as ExportOptions
from otel_feedback.insights.export import export
from otel_feedback.insights.export_verify import Stale, verify
from otel_feedback.insights.prompt_proposal import Proposal, propose
from otel_feedback.insights.spending import BudgetSpentError, Prices, Spending
from otel_feedback.insights.splits import Splits

__all__ = [
    "Arm", "Arms", "BudgetSpentError", "ChatModel", "Comparison", "Consent", "Contrast", "Design", "Example",
    "Experiment", "ExperimentRun", "ExportOptions", "Filter", "Finding", "Limits", "Prices", "Proposal", "Run",
    "Spending", "Splits", "Stale", "asker", "contrast", "experiment", "export", "propose", "verify",
]  # fmt: skip
