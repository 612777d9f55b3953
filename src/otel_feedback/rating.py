"""What a rating is: one person's judgement of one target under one name.

Everything here is plain data with its rules; nothing is sent anywhere.
"""

from __future__ import annotations

import enum
import os
import time
from dataclasses import dataclass, field
from typing import Final, TypeAlias

MAX_NAME_CHARACTERS: Final = 64
MAX_COMMENT_CHARACTERS: Final = 10_000
MAX_CORRECTION_CHARACTERS: Final = 100_000
MAX_REASONS: Final = 32
MAX_REASON_CHARACTERS: Final = 200
MAX_IDENTIFIER_CHARACTERS: Final = 256
_HEXADECIMAL: Final = "0123456789abcdef"

RatingValue: TypeAlias = bool | int | float | str | None


class Scope(enum.StrEnum):
    """How much a rating speaks of."""

    SPAN = "span"
    TRACE = "trace"
    SESSION = "session"


class Action(enum.StrEnum):
    """What a submission does to the current rating of its (target, name, rater)."""

    SUBMIT = "submit"
    RETRACT = "retract"


class Label(enum.StrEnum):
    """The three labels that every dashboard and query understands; other labels are categories of the app's."""

    POSITIVE = "positive"
    NEUTRAL = "neutral"
    NEGATIVE = "negative"


@dataclass(frozen=True, slots=True)
class Target:
    """What is rated. At least one of span, trace, session or response must be named.

    Attributes:
        scope: span, trace or session.
        trace_id: 32 lower-case hex digits, or "".
        span_id: 16 lower-case hex digits, or "". For scope ``trace`` it only names a span to hang the carrier on.
        session_id: the conversation, or "".
        response_id: ``gen_ai.response.id``, or "".
    """

    scope: Scope
    trace_id: str = ""
    span_id: str = ""
    session_id: str = ""
    response_id: str = ""

    def __post_init__(self) -> None:
        if self.scope is Scope.SESSION and not self.session_id:
            raise ValueError("a session-scoped target needs a session_id")
        if self.scope is Scope.TRACE and not self.trace_id:
            raise ValueError("a trace-scoped target needs a trace_id")
        if self.scope is Scope.SPAN and not (self.response_id or (self.trace_id and self.span_id)):
            raise ValueError("a span-scoped target needs a trace_id with a span_id, or a response_id")
        _check_hexadecimal("trace_id", self.trace_id, 32)
        _check_hexadecimal("span_id", self.span_id, 16)


def new_submission_id() -> str:
    """A UUIDv7 (RFC 9562, section 5.7): 48 bits of Unix milliseconds, then randomness; sorts by time."""
    milliseconds = time.time_ns() // 1_000_000
    value = (milliseconds & ((1 << 48) - 1)) << 80 | int.from_bytes(os.urandom(10), "big")
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    digits = f"{value:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


@dataclass(frozen=True, slots=True)
class Rating:
    """One submission: the rating as its rater gave it (or took it back) at one moment.

    Attributes:
        value: score as a double, None where the rating is a label, a comment or a correction alone.
        label: positive, neutral, negative, a category of the app's, or "".
        time_unix_nano: when the person clicked.
        id: UUIDv7 of this submission; receivers that see it twice store it once.
    """

    name: str
    target: Target
    value: float | None = None
    label: str = ""
    comment: str = ""
    correction: str = ""
    reasons: tuple[str, ...] = ()
    score_min: float | None = None
    score_max: float | None = None
    rater_id: str = ""
    source: str = "end_user"
    action: Action = Action.SUBMIT
    time_unix_nano: int = field(default_factory=time.time_ns)
    id: str = field(default_factory=new_submission_id)
    attributes: tuple[tuple[str, str], ...] = ()


def has_content(rating: Rating) -> bool:
    """Whether there is anything in it that a submission must have: a value, a label, a reason, or text."""
    return rating.value is not None or bool(rating.label or rating.comment or rating.correction or rating.reasons)


def label_of_score(value: float, score_min: float | None = None, score_max: float | None = None) -> str:
    """The label of a score that came without one.

    Relative to its range: the lowest third is negative, the highest third positive, the rest neutral. Without
    a range 0 and 1 are thumbs; any other score has no label, since nobody knows what it means.
    """
    if score_min is None or score_max is None or score_max <= score_min:
        if value in {0.0, 1.0} and score_min is None and score_max is None:
            return Label.POSITIVE if value == 1.0 else Label.NEGATIVE
        return ""
    position = (value - score_min) / (score_max - score_min)
    if position <= 1 / 3:
        return Label.NEGATIVE
    return Label.POSITIVE if position >= 2 / 3 else Label.NEUTRAL


def label_of_category(category: str) -> str:
    """The label of a category: pass and fail mean positive and negative, any other category stands for itself."""
    return {"pass": Label.POSITIVE, "fail": Label.NEGATIVE}.get(category.strip().lower(), category)


def make_rating(
    name: str,
    value: RatingValue,
    target: Target,
    *,
    comment: str = "",
    correction: str = "",
    reasons: tuple[str, ...] | list[str] = (),
    minimum: float | None = None,
    maximum: float | None = None,
    rater_id: str = "",
    source: str = "end_user",
    action: Action = Action.SUBMIT,
    submission_id: str = "",
    time_unix_nano: int | None = None,
    attributes: dict[str, str] | None = None,
) -> Rating:
    """Build a checked rating from what a person or a developer gives.

    ``value`` is True/False (thumbs), a number (a score in [minimum, maximum]), a string (a label), or None for a
    rating that is only a comment or a correction.

    Raises:
        TypeError: an argument has the wrong type; the message names it.
        ValueError: an argument is out of its bounds; the message names it.
    """
    _check_text("name", name, MAX_NAME_CHARACTERS)
    if not name.strip():
        raise ValueError('name must not be empty: say what is rated, e.g. "thumbs"')
    _check_text("comment", comment, MAX_COMMENT_CHARACTERS)
    _check_text("correction", correction, MAX_CORRECTION_CHARACTERS)
    _check_text("rater", rater_id, MAX_IDENTIFIER_CHARACTERS)
    _check_text("source", source, MAX_NAME_CHARACTERS)
    checked_reasons = _check_reasons(reasons)
    score_min, score_max = _check_range(minimum, maximum)
    score, label = _score_and_label(value, score_min, score_max)
    if action is Action.SUBMIT and score is None and not (label or comment or correction or checked_reasons):
        raise ValueError("value is None: a rating needs a value, a comment, a correction or reasons")
    return Rating(
        name=name,
        target=target,
        value=score,
        label=label,
        comment=comment,
        correction=correction,
        reasons=checked_reasons,
        score_min=score_min,
        score_max=score_max,
        rater_id=rater_id,
        source=source,
        action=action,
        time_unix_nano=time.time_ns() if time_unix_nano is None else time_unix_nano,
        id=submission_id or new_submission_id(),
        attributes=tuple(sorted(attributes.items())) if attributes else (),
    )


def _check_hexadecimal(argument: str, digits: str, count: int) -> None:
    if digits and (len(digits) != count or digits.strip(_HEXADECIMAL) or not digits.strip("0")):
        raise ValueError(f"{argument} must be {count} lower-case hexadecimal digits and not all zero, not {digits!r}")


def _check_text(argument: str, text: object, most_characters: int) -> None:
    if not isinstance(text, str):
        raise TypeError(f"{argument} must be a string, not {type(text).__name__}")
    if len(text) > most_characters:
        raise ValueError(f"{argument} has {len(text)} characters; at most {most_characters} are taken")
    if text.isascii():
        return
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError(f"{argument} holds half of a surrogate pair, which is no text in UTF-8") from None


def _check_reasons(reasons: tuple[str, ...] | list[str]) -> tuple[str, ...]:
    if not isinstance(reasons, tuple | list):
        raise TypeError(f"reasons must be a list of strings, not {type(reasons).__name__}")
    if len(reasons) > MAX_REASONS:
        raise ValueError(f"reasons has {len(reasons)} entries; at most {MAX_REASONS} are taken")
    for reason in reasons:
        _check_text("reasons", reason, MAX_REASON_CHARACTERS)
    return tuple(reasons)


def _check_range(minimum: float | None, maximum: float | None) -> tuple[float | None, float | None]:
    if minimum is None and maximum is None:
        return None, None
    for argument, bound in (("minimum", minimum), ("maximum", maximum)):
        if bound is not None and (isinstance(bound, bool) or not isinstance(bound, int | float)):
            raise TypeError(f"{argument} must be a number, not {type(bound).__name__}")
        if bound is not None and not _is_finite(bound):
            raise ValueError(f"{argument} must be finite")
    if (minimum is None) != (maximum is None):
        raise ValueError("minimum and maximum belong together: give both or neither")
    if minimum is not None and maximum is not None and minimum >= maximum:
        raise ValueError(f"minimum {minimum} must be below maximum {maximum}")
    return (None if minimum is None else float(minimum)), (None if maximum is None else float(maximum))


def _score_and_label(value: RatingValue, score_min: float | None, score_max: float | None) -> tuple[float | None, str]:
    if value is None:
        return None, ""
    if isinstance(value, bool):
        return float(value), Label.POSITIVE if value else Label.NEGATIVE
    if isinstance(value, int | float):
        if not _is_finite(value):
            raise ValueError("value must be finite")
        score = float(value)
        if score_min is not None and score_max is not None and not score_min <= score <= score_max:
            raise ValueError(f"value {value} is outside [{score_min:g}, {score_max:g}]")
        return score, label_of_score(score, score_min, score_max)
    if not isinstance(value, str):
        raise TypeError(f"value must be True, False, a number, a label or None, not {type(value).__name__}")
    _check_text("value", value, MAX_NAME_CHARACTERS)
    if not value.strip():
        raise ValueError("value must not be an empty string; use None for a comment alone")
    return None, label_of_category(value)


def _is_finite(number: float) -> bool:
    try:
        return float("-inf") < float(number) < float("inf")
    except OverflowError:
        return False
