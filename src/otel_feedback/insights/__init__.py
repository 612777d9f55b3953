"""Putting ratings to use: what sets disliked answers apart, and data sets to train on.

    from otel_feedback.insights import Filter, contrast

    for finding in contrast(of=Filter(since="7d", service="shop-assistant")).contrast.findings:
        print(finding.dimension, finding.value, finding.difference, finding.q)

Needs ``pip install 'otel-feedback[insights]'``. Everything is asked of the database in SQL, through the service while
one runs; results that pages show are stored there, so that neither the service nor the dashboard needs this room.
"""

from otel_feedback.insights.asking import asker
from otel_feedback.insights.contrast import Contrast, Example, Finding, Limits
from otel_feedback.insights.contrast_run import Filter, Run, contrast
from otel_feedback.insights.export import Options as ExportOptions
from otel_feedback.insights.export import export
from otel_feedback.insights.export_verify import Stale, verify
from otel_feedback.insights.splits import Splits

__all__ = [
    "Contrast", "Example", "ExportOptions", "Filter", "Finding", "Limits", "Run", "Splits", "Stale", "asker",
    "contrast", "export", "verify",
]  # fmt: skip
