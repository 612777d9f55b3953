"""What every page needs: someone to ask, and someone to draw."""

from __future__ import annotations

from dataclasses import dataclass

from otel_feedback.dashboard.access import Access
from otel_feedback.dashboard.questions import Questions
from otel_feedback.dashboard.render import Renderer


@dataclass(frozen=True, slots=True)
class Site:
    """The parts that the pages share."""

    questions: Questions
    renderer: Renderer
    access: Access
