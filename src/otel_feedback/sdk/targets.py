"""From what a developer names (a token, a span, the current context, ...) to what is rated."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

from opentelemetry import trace
from opentelemetry.trace import Span, SpanContext, TraceFlags

from otel_feedback import semconv
from otel_feedback.errors import TokenError
from otel_feedback.rating import MAX_IDENTIFIER_CHARACTERS, Scope, Target
from otel_feedback.sdk.configuration import keyring
from otel_feedback.sdk.frame import LlmCall, current_frame
from otel_feedback.sdk.llm_call import is_llm_call

RatedThing: TypeAlias = str | Span | SpanContext | None

_TRACEPARENT: Final = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_TRACE_ID: Final = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Rated:
    """A target with what is known around it.

    Attributes:
        target: what is rated.
        span_context: the span to hang the carrier on, with its flags; None where the target tells all that is known.
        span: the rated span itself while it still records.
        rater_id: who rates, as the target tells: a token's rater, or the session's user.
        names: the rating names that a token allows; empty for any.
        is_bound_to_rater: whether another rater must be refused.
    """

    target: Target
    span_context: SpanContext | None = None
    span: Span | None = None
    rater_id: str = ""
    names: tuple[str, ...] = ()
    is_bound_to_rater: bool = False

    def allow(self, name: str | None, rater: str | None) -> str:
        """The rater of a rating of this name.

        Raises:
            TokenError: 403 when the token that named the target is for other names, or for another rater.
        """
        if name is not None and self.names and name not in self.names:
            raise TokenError(403, "name_not_allowed", f"the rating token does not allow the name {name!r}")
        if self.is_bound_to_rater and self.rater_id and rater is not None and rater != self.rater_id:
            raise TokenError(403, "other_rater", f"the rating token is for another rater than {rater!r}")
        if rater is not None:
            return rater
        frame = current_frame()
        return self.rater_id or (frame.user if frame else "")


def resolve(
    target: RatedThing,
    *,
    session_id: str | None = None,
    response_id: str | None = None,
    trace_id: str | None = None,
    for_later: bool = False,
) -> Rated | None:
    """What is rated, or None where nothing can be: no span and no session here, e.g. without a tracer provider.

    With nothing named it is the latest LLM call of this context, else the current span, else the session.
    ``for_later`` says that the rating comes later (a token): then the whole trace stands in for a current span that
    is no LLM call, since the call may still come.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: an argument is malformed, or more than one thing is named.
        TokenError: ``target`` is a string but neither a traceparent nor a valid token.
    """
    named = {"target": target, "session_id": session_id, "response_id": response_id, "trace_id": trace_id}
    given = [argument for argument, value in named.items() if value is not None]
    if len(given) > 1:
        raise ValueError(f"{' and '.join(given)} name different things to rate: give one of them")
    if session_id is not None:
        return Rated(Target(Scope.SESSION, session_id=_identifier("session_id", session_id)))
    if response_id is not None:
        return Rated(Target(Scope.SPAN, response_id=_identifier("response_id", response_id)))
    if trace_id is not None:
        if not isinstance(trace_id, str):
            raise TypeError(f"trace_id must be a string, not {type(trace_id).__name__}")
        if not _TRACE_ID.fullmatch(trace_id) or not int(trace_id, 16):
            raise ValueError(f"trace_id must be 32 lower-case hexadecimal digits and not all zero, not {trace_id!r}")
        return Rated(Target(Scope.TRACE, trace_id=trace_id))
    if target is None:
        return _of_current_context(for_later=for_later)
    return _of_target(target)


def span_context_of(target: Target) -> SpanContext | None:
    """The remote span of a target, as a carrier's parent; None without a span id.

    A token does not tell whether its trace was sampled. Counting it as sampled keeps the rating.
    """
    if not (target.trace_id and target.span_id):
        return None
    span_context = SpanContext(
        int(target.trace_id, 16), int(target.span_id, 16), is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED)
    )
    return span_context if span_context.is_valid else None


def span_target(span_context: SpanContext, *, session_id: str = "", response_id: str = "") -> Target:
    """The target that is this span."""
    return Target(
        Scope.SPAN,
        trace_id=trace.format_trace_id(span_context.trace_id),
        span_id=trace.format_span_id(span_context.span_id),
        session_id=session_id,
        response_id=response_id,
    )


def call_target(call: LlmCall) -> Target:
    """The target that is this LLM call."""
    return span_target(call.span_context, session_id=call.session_id, response_id=call.response_id)


def _of_target(target: object) -> Rated | None:
    if isinstance(target, str):
        return _of_traceparent(target) or _of_token(target)
    if isinstance(target, SpanContext):
        return Rated(span_target(target), target) if target.is_valid else None
    if isinstance(target, Span):
        return _of_span(target)
    raise TypeError(
        f"target must be a rating token, a traceparent, a Span, a SpanContext or None, not {type(target).__name__}"
    )


def _of_traceparent(text: str) -> Rated | None:
    match = _TRACEPARENT.fullmatch(text)
    if not match:
        return None
    span_context = SpanContext(
        int(match[2], 16), int(match[3], 16), is_remote=True, trace_flags=TraceFlags(int(match[4], 16))
    )
    if match[1] == "ff" or not span_context.is_valid:
        raise ValueError(f"target {text!r} is no valid traceparent: version ff and all-zero ids are forbidden")
    return Rated(span_target(span_context), span_context)


def _of_token(token: str) -> Rated:
    grant = keyring().verify(token)
    return Rated(
        grant.target,
        rater_id=grant.rater_id,
        names=grant.names,
        is_bound_to_rater=True,
    )


def _of_span(span: Span) -> Rated | None:
    span_context = span.get_span_context()
    if not span_context.is_valid:
        return None
    attributes = _attributes_of(span)
    target = span_target(
        span_context,
        session_id=str(attributes.get(semconv.SESSION_ID) or ""),
        response_id=str(attributes.get(semconv.RESPONSE_ID) or ""),
    )
    return Rated(target, span_context, span if span.is_recording() else None)


def _of_current_context(*, for_later: bool) -> Rated | None:
    frame = current_frame()
    if frame is not None and frame.latest_call is not None:
        call = frame.latest_call
        return Rated(call_target(call), call.span_context, call.span, rater_id=call.user)
    user, session_id = (frame.user, frame.session_id) if frame else ("", "")
    span = trace.get_current_span()
    rated = _of_span(span)
    if rated is not None:
        target = replace(rated.target, session_id=rated.target.session_id or session_id)
        if for_later and not is_llm_call(_attributes_of(span)):
            target = replace(target, scope=Scope.TRACE)
        return replace(rated, target=target, rater_id=user)
    if session_id:
        return Rated(Target(Scope.SESSION, session_id=session_id), rater_id=user)
    return None


def _attributes_of(span: Span) -> Any:
    """A span of the SDK can be read; one of the API alone can't."""
    return getattr(span, "attributes", None) or {}


def _identifier(argument: str, value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{argument} must be a string, not {type(value).__name__}")
    if not value.strip():
        raise ValueError(f"{argument} must not be empty")
    if len(value) > MAX_IDENTIFIER_CHARACTERS:
        raise ValueError(f"{argument} has {len(value)} characters; at most {MAX_IDENTIFIER_CHARACTERS} are taken")
    return value
