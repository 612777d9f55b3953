"""Who agreed that answers to them become training data, as the app tells it: by an attribute of the calls' spans."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from otel_feedback.errors import UsageError
from otel_feedback.insights import asking
from otel_feedback.insights.asking import Ask


@dataclass(frozen=True, slots=True)
class Consent:
    """An attribute that says that a person agreed.

    ``otel_feedback.session(..., attributes={"consent.training": "yes"})`` puts it on every span of a session.

    Attributes:
        attribute: its name; of the span, or of its resource where the span does not tell it.
        value: what it must be, as text; OpenTelemetry's true is "true".
    """

    attribute: str
    value: str

    @classmethod
    def parse(cls, text: str) -> Consent:
        """``consent.training=yes``; without ``=``, its value is "true".

        Raises:
            UsageError: there is no name before the ``=``.
        """
        attribute, equals, value = text.partition("=")
        if not attribute.strip():
            raise UsageError(f"{text!r} names no attribute; write consent.training=yes")
        return cls(attribute.strip(), value.strip() if equals else "true")

    def __str__(self) -> str:
        return f"{self.attribute}={self.value}"

    def given(self, ask: Ask, rows: Sequence[Mapping[str, Any]], first: int, last: int) -> set[tuple[str, str]]:
        """The trace and span ids of those calls, which began from ``first`` on and before ``last`` (Unix seconds).

        Raises:
            DatabaseError: ClickHouse refused the statement or can't be asked.
        """
        values = {
            "attribute": self.attribute,
            "value": self.value,
            "first": str(first),
            "last": str(last),
            "traces": sorted({row["TraceId"] for row in rows}),
        }
        found = asking.rows(ask, "insights/export_consents", values)
        return {(row["TraceId"], row["SpanId"]) for row in found}
