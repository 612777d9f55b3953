"""``record``, ``retract`` and ``feedback_token``: ratings from Python, and the tokens with which browsers give them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

from otel_feedback.rating import Action, Rating, RatingValue, Scope, Target, has_content, make_rating
from otel_feedback.sdk.carriers import send
from otel_feedback.sdk.configuration import keyring, settings
from otel_feedback.sdk.pseudonyms import pseudonym_of
from otel_feedback.sdk.quiet import logger
from otel_feedback.sdk.targets import Rated, RatedThing, resolve
from otel_feedback.tokens import DEFAULT_LIFETIME_SECONDS, Grant

# Stands in while a rating is checked although there is nothing here to rate.
_NOWHERE = Target(Scope.SESSION, session_id="-")


def record(
    name: str,
    value: RatingValue,
    *,
    target: RatedThing = None,
    session_id: str | None = None,
    response_id: str | None = None,
    trace_id: str | None = None,
    comment: str = "",
    reasons: tuple[str, ...] | list[str] = (),
    correction: str = "",
    minimum: float | None = None,
    maximum: float | None = None,
    rater: str | None = None,
    source: str = "end_user",
    attributes: Mapping[str, str] | None = None,
) -> str:
    """Send a rating through OpenTelemetry and return the id of this submission.

    Args:
        name: what is judged: ``"thumbs"``, ``"stars"``, ... (few different names).
        value: True or False, a number, a label, or None for a comment or a correction alone.
        target: a rating token, a W3C traceparent, a Span, a SpanContext, or None for the latest LLM call of this
            context, else the current span, else the session.
        session_id: rate a whole session instead of a target.
        response_id: rate the LLM call with this ``gen_ai.response.id`` instead of a target.
        trace_id: rate a whole trace instead of a target.
        comment: what the rater says; dropped with OTEL_FEEDBACK_CAPTURE_COMMENTS=false, like the correction. Both,
            and the reasons, go through the redactor where there is one.
        reasons: chosen reasons, e.g. ``["too long"]``.
        correction: the answer that the rater wanted.
        minimum: the lowest score possible; together with ``maximum`` it makes a number mean something.
        maximum: the highest score possible.
        rater: who rates, stored as ``pseudonym`` tells; default: the token's rater, else the session's user.
        source: ``end_user``, ``annotator`` or ``evaluator``.
        attributes: more attributes (strings) to store with the rating.

    Returns:
        The id of this submission, also when there is no tracer provider and nothing could be sent.

    Raises:
        TypeError: an argument has the wrong type; the message names it.
        ValueError: an argument is out of its bounds, or two things to rate are named; the message names it.
        TokenError: ``target`` is a token that is altered, expired, signed by a foreign key, or for other names or
            another rater. Tokens come back from browsers, so be ready for it.
    """
    rated = resolve(target, session_id=session_id, response_id=response_id, trace_id=trace_id)
    rating = make_rating(
        name,
        value,
        rated.target if rated else _NOWHERE,
        comment=comment,
        correction=correction,
        reasons=reasons,
        minimum=minimum,
        maximum=maximum,
        rater_id=_rater(rated, name, rater),
        source=source,
        attributes=_checked_attributes(attributes),
    )
    if not settings().capture_comments:
        rating = replace(rating, comment="", correction="")
        if not has_content(rating):
            return rating.id
    return _send(rated, rating)


def retract(
    name: str,
    *,
    target: RatedThing = None,
    session_id: str | None = None,
    response_id: str | None = None,
    trace_id: str | None = None,
    rater: str | None = None,
    source: str = "end_user",
    attributes: Mapping[str, str] | None = None,
) -> str:
    """Take the rater's rating of this name back; the arguments and errors are those of ``record``.

    Returns:
        The id of this submission.
    """
    rated = resolve(target, session_id=session_id, response_id=response_id, trace_id=trace_id)
    rating = make_rating(
        name,
        None,
        rated.target if rated else _NOWHERE,
        rater_id=_rater(rated, name, rater),
        source=source,
        action=Action.RETRACT,
        attributes=_checked_attributes(attributes),
    )
    return _send(rated, rating)


def feedback_token(
    *,
    target: RatedThing = None,
    session_id: str | None = None,
    response_id: str | None = None,
    trace_id: str | None = None,
    names: tuple[str, ...] | list[str] = (),
    lifetime_seconds: float = DEFAULT_LIFETIME_SECONDS,
    rater: str | None = None,
) -> str:
    """A signed token with which its holder can rate one thing, read that rating back and retract it.

    Made here without asking any server. With no target it names the latest LLM call of this context; before any call
    it names the trace, which stands for the trace's final LLM call.

    Args:
        target: as in ``record``; so are ``session_id``, ``response_id`` and ``trace_id``.
        session_id: see ``record``.
        response_id: see ``record``.
        trace_id: see ``record``.
        names: the rating names that the holder may use; any when empty.
        lifetime_seconds: how long the token is good for; 90 days by default.
        rater: who rates, stored as ``pseudonym`` tells; default: the session's user.

    Returns:
        The token, or ``""`` where there is nothing to rate (no span and no session, e.g. without a tracer provider);
        the widget stays disabled with it.

    Raises:
        TypeError: an argument has the wrong type; the message names it.
        ValueError: an argument is out of its bounds; the message names it.
        TokenError: ``target`` is a token that is refused.
    """
    allowed = _checked_names(names)
    if isinstance(lifetime_seconds, bool) or not isinstance(lifetime_seconds, int | float):
        raise TypeError(f"lifetime_seconds must be a number, not {type(lifetime_seconds).__name__}")
    if not math.isfinite(lifetime_seconds) or lifetime_seconds <= 0:
        raise ValueError(f"lifetime_seconds must be positive and finite, not {lifetime_seconds}")
    rated = resolve(target, session_id=session_id, response_id=response_id, trace_id=trace_id, for_later=True)
    for name in allowed:
        if rated is not None:
            rated.allow(name, None)
    rater_id = _rater(rated, None, rater)
    if rated is None:
        logger.debug("no rating token: there is no span and no session here")
        return ""
    grant = Grant(rated.target, rater_id, allowed or rated.names)
    return keyring().mint(grant, lifetime_seconds=lifetime_seconds)


def _send(rated: Rated | None, rating: Rating) -> str:
    if rated is None:
        logger.debug("rating %r is dropped: there is no span and no session here to rate", rating.name)
        return rating.id
    send(rating, rated.span_context, rated.span)
    return rating.id


def _rater(rated: Rated | None, name: str | None, rater: str | None) -> str:
    if rater is not None:
        rater = pseudonym_of("rater", rater)
    return rated.allow(name, rater) if rated is not None else rater or ""


def _checked_attributes(attributes: object) -> dict[str, str]:
    if attributes is None:
        return {}
    if not isinstance(attributes, Mapping):
        raise TypeError(f"attributes must be a mapping, not {type(attributes).__name__}")
    for key, value in attributes.items():
        if not isinstance(key, str) or not isinstance(value, str):
            raise TypeError(f"attributes must map strings to strings; {key!r} does not")
    return dict(attributes)


def _checked_names(names: object) -> tuple[str, ...]:
    if not isinstance(names, tuple | list):
        raise TypeError(f"names must be a list of strings, not {type(names).__name__}")
    for name in names:
        if not isinstance(name, str):
            raise TypeError(f"names must be a list of strings, not of {type(name).__name__}")
    return tuple(names)
