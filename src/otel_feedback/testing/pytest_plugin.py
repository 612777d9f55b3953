"""The pytest plugin: one fixture. Imports nothing of otel-feedback until a test asks for it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from otel_feedback.testing.recorder import RecordedFeedback


@pytest.fixture
def recorded_feedback() -> Iterator[RecordedFeedback]:
    """What the app records during the test; see ``otel_feedback.testing``."""
    from otel_feedback.testing.recorder import record_feedback  # noqa: PLC0415  # see above

    with record_feedback() as recorded:
        yield recorded
