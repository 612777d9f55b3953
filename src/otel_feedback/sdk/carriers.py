"""How a rating travels: an event on the rated span or on a carrier span of its own, and a log record.

OTEL_FEEDBACK_RATINGS_AS leaves one of the two out.

All carriers of one submission have the same attributes and the same ``otel_feedback.id``, so that a receiver that
sees two of them stores one rating.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final, TypeAlias

from opentelemetry import trace
from opentelemetry._logs import LogRecord, SeverityNumber, get_logger
from opentelemetry.trace import Link, NonRecordingSpan, Span, SpanContext, SpanKind, TraceFlags

from otel_feedback import semconv
from otel_feedback.rating import Rating, Scope
from otel_feedback.redaction import Redactor, redacted
from otel_feedback.sdk.configuration import redactor, settings
from otel_feedback.sdk.frame import empty_context
from otel_feedback.sdk.outbox import outbox
from otel_feedback.sdk.providers import prepare_providers
from otel_feedback.sdk.quiet import report_failure
from otel_feedback.sdk.targets import span_context_of

SCOPE_NAME: Final = "otel_feedback"

Observer: TypeAlias = Callable[[Rating], None]
observers: Final[list[Observer]] = []
"""Called with every rating that is sent; ``otel_feedback.testing`` is one."""


def send(
    rating: Rating, span_context: SpanContext | None = None, span: Span | None = None, *, is_redacted: bool = False
) -> None:
    """Put the rating on its way; it leaves the process with the next batch of the exporters. Never raises.

    A rated span that still records has the event when this returns, since it may end then. Everything else is left to
    the outbox.

    Args:
        rating: what is sent.
        span_context: the rated span with its own flags (default: made from the target).
        span: the rated span while it still records.
        is_redacted: whether the rating's texts went through the redactor already.
    """
    try:
        prepare_providers()
    except Exception as error:  # noqa: BLE001  # telemetry never breaks the app
        report_failure("looking at the providers", error)
    carriers = settings().ratings_as
    redact = None if is_redacted else redactor()
    as_span = carriers != "logs"
    if as_span and span is not None and rating.target.scope is Scope.SPAN:
        rating, redact = redacted(rating, redact), None
        as_span = not _is_added(rating, span)
    outbox.put(partial(_carry, rating, span_context, redact, as_span=as_span, as_log=carriers != "spans"))


def _is_added(rating: Rating, span: Span) -> bool:
    """Whether the span itself has the rating now, because it still records."""
    try:
        if not span.is_recording():
            return False
        span.add_event(semconv.EVALUATION_EVENT, attributes_of(rating), timestamp=rating.time_unix_nano)
    except Exception as error:  # noqa: BLE001  # as above
        report_failure("adding a rating to its span", error)
        return False
    return True


def _carry(
    rating: Rating, span_context: SpanContext | None, redact: Redactor | None, *, as_span: bool, as_log: bool
) -> None:
    rating = redacted(rating, redact)
    is_of_session = rating.target.scope is Scope.SESSION
    rated = None if is_of_session else span_context or span_context_of(rating.target)
    attributes = attributes_of(rating)
    if as_span:
        try:
            _send_carrier_span(rating, rated, attributes)
        except Exception as error:  # noqa: BLE001  # the log record goes out all the same
            report_failure("sending a rating as a span", error)
    if as_log:
        try:
            _send_log_record(rating, rated, attributes)
        except Exception as error:  # noqa: BLE001  # who observes gets it all the same
            report_failure("sending a rating as a log record", error)
    for observe in tuple(observers):
        observe(rating)


def attributes_of(rating: Rating) -> dict[str, Any]:
    """The attributes of every carrier; parts that are absent are left out, numbers are doubles."""
    target = rating.target
    parts: dict[str, Any] = {
        **dict(rating.attributes),
        semconv.EVALUATION_NAME: rating.name,
        semconv.EVALUATION_SCORE_VALUE: rating.value,
        semconv.EVALUATION_SCORE_LABEL: str(rating.label),
        semconv.EVALUATION_EXPLANATION: rating.comment,
        semconv.RESPONSE_ID: target.response_id,
        semconv.SESSION_ID: target.session_id,
        semconv.CONVERSATION_ID: target.session_id,
        semconv.ENDUSER_PSEUDO_ID: rating.rater_id,
        semconv.FEEDBACK_ID: rating.id,
        semconv.FEEDBACK_ACTION: str(rating.action),
        semconv.FEEDBACK_SOURCE: rating.source,
        semconv.FEEDBACK_SCOPE: str(target.scope),
        semconv.FEEDBACK_SCORE_MIN: rating.score_min,
        semconv.FEEDBACK_SCORE_MAX: rating.score_max,
        semconv.FEEDBACK_REASONS: rating.reasons,
        semconv.FEEDBACK_CORRECTION: rating.correction,
    }
    return {key: value for key, value in parts.items() if value is not None and value not in ("", ())}


def _send_carrier_span(rating: Rating, rated: SpanContext | None, attributes: dict[str, Any]) -> None:
    """A span of no duration at the moment of the click.

    Its context starts empty: the request that brought the click must not become its parent.
    """
    parent = rated or _trace_context(rating)
    context = empty_context()
    if parent is not None:
        context = trace.set_span_in_context(NonRecordingSpan(parent), context)
    span = trace.get_tracer(SCOPE_NAME).start_span(
        semconv.CARRIER_SPAN_PREFIX + rating.name,
        context=context,
        kind=SpanKind.INTERNAL,
        attributes=attributes,
        links=[Link(rated)] if rated is not None else (),
        start_time=rating.time_unix_nano,
    )
    span.add_event(semconv.EVALUATION_EVENT, attributes, timestamp=rating.time_unix_nano)
    span.end(end_time=rating.time_unix_nano)


def _trace_context(rating: Rating) -> SpanContext | None:
    """For a trace of which no span is known: a parent made from the trace id, as the only way into the trace.

    OpenTelemetry has no span that is in a trace without being its root or a child.
    """
    if not rating.target.trace_id or rating.target.scope is Scope.SESSION:
        return None
    trace_id = int(rating.target.trace_id, 16)
    span_id = trace_id & 0xFFFF_FFFF_FFFF_FFFF or 1
    return SpanContext(trace_id, span_id, is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED))


def _send_log_record(rating: Rating, rated: SpanContext | None, attributes: dict[str, Any]) -> None:
    """A log record in the context of the rated span. It is stored whatever the samplers do with spans."""
    if rated is None and rating.target.trace_id and rating.target.scope is not Scope.SESSION:
        rated = SpanContext(int(rating.target.trace_id, 16), 0, is_remote=True)
    # A context without a span would fall back to the span that is current here, which is not what was rated.
    context = trace.set_span_in_context(NonRecordingSpan(rated) if rated else trace.INVALID_SPAN, empty_context())
    get_logger(SCOPE_NAME).emit(
        LogRecord(
            timestamp=rating.time_unix_nano,
            context=context,
            severity_number=SeverityNumber.INFO,
            event_name=semconv.EVALUATION_EVENT,
            attributes=attributes,
        )
    )
