"""Keeps what an app records in memory, so that a test can look at it."""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from opentelemetry import trace

from otel_feedback import semconv
from otel_feedback.rating import Rating, Target
from otel_feedback.sdk import configuration
from otel_feedback.sdk.carriers import observers
from otel_feedback.sdk.outbox import outbox

_DRAIN_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class RecordedRating:
    """A rating as it left the app, in the words of ``record``'s arguments.

    Attributes:
        value: the score; thumbs are 1.0 and 0.0, which equal True and False. None where there is none.
        label: ``positive``, ``neutral`` or ``negative``, a category, or "".
        rater: who rated: the pseudonym that is stored.
        target: what was rated: its ``scope`` (span, trace or session) and ids.
        session: the conversation of the target, or "".
        action: ``submit`` or ``retract``.
        id: what ``record`` returned.
    """

    name: str
    value: float | None
    label: str
    comment: str
    correction: str
    reasons: tuple[str, ...]
    minimum: float | None
    maximum: float | None
    rater: str
    target: Target
    session: str
    action: str
    source: str
    attributes: Mapping[str, str]
    id: str


@dataclass(frozen=True, slots=True)
class RecordedSpan:
    """A span of the app's that has ended, with the session and the user that it carries ("" for none)."""

    name: str
    session: str
    user: str
    attributes: Mapping[str, Any]
    trace_id: str
    span_id: str


class RecordedFeedback:
    """What was recorded, oldest first. A rating is there as soon as ``record`` or the endpoint has taken it.

    Attributes:
        spans: the app's spans that have ended.
    """

    def __init__(self) -> None:
        self._ratings: list[RecordedRating] = []
        self.spans: list[RecordedSpan] = []

    @property
    def ratings(self) -> list[RecordedRating]:
        """The ratings that were recorded so far."""
        outbox.drain(_DRAIN_SECONDS)
        return self._ratings

    def rating(self, name: str | None = None) -> RecordedRating:
        """The one rating of this name, or of any.

        Raises:
            AssertionError: there is none, or more than one; the message lists what there is.
        """
        ratings = self.ratings
        found = [rating for rating in ratings if name in {None, rating.name}]
        if len(found) != 1:
            there = ", ".join(f"{each.action} {each.name}={each.label or each.value}" for each in ratings)
            raise AssertionError(
                f"{len(found)} ratings {name or ''} were recorded, not one. There are: {there or 'none'}"
            )
        return found[0]

    def span(self, name: str) -> RecordedSpan:
        """The one span of this name.

        Raises:
            AssertionError: there is none, or more than one; the message lists the spans that have ended.
        """
        found = [span for span in self.spans if span.name == name]
        if len(found) != 1:
            there = ", ".join(span.name for span in self.spans)
            raise AssertionError(f"{len(found)} spans {name!r} have ended, not one. There are: {there or 'none'}")
        return found[0]

    def clear(self) -> None:
        """Forget everything so far."""
        self.ratings.clear()
        self.spans.clear()

    def _observe(self, rating: Rating) -> None:
        self._ratings.append(
            RecordedRating(
                name=rating.name,
                value=rating.value,
                label=str(rating.label),
                comment=rating.comment,
                correction=rating.correction,
                reasons=rating.reasons,
                minimum=rating.score_min,
                maximum=rating.score_max,
                rater=rating.rater_id,
                target=rating.target,
                session=rating.target.session_id,
                action=str(rating.action),
                source=rating.source,
                attributes=dict(rating.attributes),
                id=rating.id,
            )
        )


@contextmanager
def record_feedback() -> Iterator[RecordedFeedback]:
    """Keep what the app records until the end of the ``with`` block.

    Settings are read anew at its start and at its end, so environment variables that a test sets count. What is
    recorded still goes to the providers that are set up. Where there is no tracer provider yet, one of OpenTelemetry's
    SDK is set, without an exporter: it stays, because OpenTelemetry sets a provider once in a process. Without that
    SDK there are no spans, and ratings need a ``session_id``, ``response_id``, ``trace_id`` or token.
    """
    recorded = RecordedFeedback()
    outbox.drain(_DRAIN_SECONDS)  # what was recorded before is not of this block
    configuration.forget()
    _fit_span_processor()
    observers.append(recorded._observe)  # noqa: SLF001  # one class in two parts
    _recording.append(recorded)
    try:
        yield recorded
    finally:
        outbox.drain(_DRAIN_SECONDS)
        _recording.remove(recorded)
        observers.remove(recorded._observe)  # noqa: SLF001  # as above
        configuration.forget()


_recording: Final[list[RecordedFeedback]] = []
_fitted: Final[weakref.WeakSet[Any]] = weakref.WeakSet()


class _RecordingSpanProcessor:
    """Hands ended spans to whoever records at that moment; has the methods of the SDK's ``SpanProcessor``."""

    def on_start(self, span: Any, parent_context: Any = None) -> None:
        """A span is looked at when it has ended."""

    def _on_ending(self, span: Any) -> None:
        """Asked for by the SDK."""

    def on_end(self, span: Any) -> None:
        """Keep it, unless it only carries a rating."""
        if not _recording or span.name.startswith(semconv.CARRIER_SPAN_PREFIX):
            return
        attributes = dict(span.attributes or {})
        ended = RecordedSpan(
            name=span.name,
            session=str(attributes.get(semconv.SESSION_ID, "")),
            user=str(attributes.get(semconv.ENDUSER_PSEUDO_ID, "")),
            attributes=attributes,
            trace_id=trace.format_trace_id(span.context.trace_id),
            span_id=trace.format_span_id(span.context.span_id),
        )
        for recorded in _recording:
            recorded.spans.append(ended)

    def shutdown(self) -> None:
        """Nothing is held that would have to be closed."""

    def force_flush(self, timeout_millis: int = 30_000) -> bool:  # noqa: ARG002  # the SDK's signature
        """Nothing is held back."""
        return True


def _fit_span_processor() -> None:
    """Add the processor to the tracer provider in use, or to a new one where there is none; once for each."""
    provider: Any = trace.get_tracer_provider()
    if not hasattr(provider, "add_span_processor"):
        try:
            from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415  # an app's tests may do without
        except ModuleNotFoundError:
            return
        provider = TracerProvider(shutdown_on_exit=False)
        trace.set_tracer_provider(provider)
    if provider not in _fitted:
        provider.add_span_processor(_RecordingSpanProcessor())
        _fitted.add(provider)
