"""What a person wrote (comment, correction, reasons), put through a function of the app's before anything is sent."""

from __future__ import annotations

import importlib
import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Final, TypeAlias

from otel_feedback.errors import ConfigurationError
from otel_feedback.rating import (
    MAX_COMMENT_CHARACTERS,
    MAX_CORRECTION_CHARACTERS,
    MAX_REASON_CHARACTERS,
    Rating,
    has_content,
)

Redactor: TypeAlias = Callable[[str], str]
"""Gets one text and returns what may be stored of it; ``""`` leaves it out."""

REDACTED: Final = "[redacted]"
"""The comment of a rating that was nothing but text, of which nothing may be stored."""

_logger: Final = logging.getLogger("otel_feedback")


def load_redactor(path: str) -> Redactor | None:
    """The function that OTEL_FEEDBACK_REDACT names as ``package.module:function``; None for ``""``.

    Raises:
        ConfigurationError: it can't be imported, or is no function.
    """
    if not path:
        return None
    try:
        module, name = path.split(":")
        found: object = importlib.import_module(module)
        for part in name.split("."):
            found = getattr(found, part)
    except Exception as error:  # noqa: BLE001  # a module that is imported may raise anything
        reason = f"{type(error).__name__}: {error}"
        raise ConfigurationError(
            f"OTEL_FEEDBACK_REDACT={path!r} can't be imported ({reason}). Name a function, e.g. myapp.privacy:redact"
        ) from None
    if not callable(found):
        raise ConfigurationError(f"OTEL_FEEDBACK_REDACT={path!r} is a {type(found).__name__}, and must be a function")
    return found


def redact_everything(_: str) -> str:
    """Stands in for a redactor that could not be loaded: no text gets through."""
    return ""


def redacted(rating: Rating, redact: Redactor | None) -> Rating:
    """The rating with each text as the function returns it; ``None`` changes nothing. Never raises.

    A text for which the function raises, or returns no text, is left out, and so is what it returns beyond the
    text's own limit. The rating itself is never lost: one that was nothing but text keeps ``REDACTED`` as its comment.
    """
    if redact is None:
        return rating
    reasons = (_apply(redact, reason, MAX_REASON_CHARACTERS) for reason in rating.reasons)
    kept = replace(
        rating,
        comment=_apply(redact, rating.comment, MAX_COMMENT_CHARACTERS),
        correction=_apply(redact, rating.correction, MAX_CORRECTION_CHARACTERS),
        reasons=tuple(reason for reason in reasons if reason),
    )
    return replace(kept, comment=REDACTED) if has_content(rating) and not has_content(kept) else kept


def _apply(redact: Redactor, text: str, most_characters: int) -> str:
    if not text:
        return ""
    try:
        kept = redact(text)[:most_characters]
        kept.encode()  # half of a surrogate pair would stop the exporter
    except Exception as error:  # noqa: BLE001  # whatever the app's function raises
        # Neither the error's text nor its traceback: they may quote what must not be stored.
        _logger.warning("the redactor failed with %s; the text is left out of the rating", type(error).__name__)
        return ""
    return kept
