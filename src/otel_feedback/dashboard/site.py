"""What every page needs: someone to ask, and someone to show it."""

from __future__ import annotations

from dataclasses import dataclass

from otel_feedback.dashboard.access import Access
from otel_feedback.dashboard.charts.drawing import Drawing
from otel_feedback.dashboard.ingest_health import TellHealth
from otel_feedback.dashboard.questions import Questions
from otel_feedback.dashboard.render import Renderer


@dataclass(frozen=True, slots=True)
class Site:
    """The parts that the pages share."""

    questions: Questions
    renderer: Renderer
    access: Access
    drawing: Drawing
    tell_health: TellHealth | None
