"""A rating that a chat UI hands on and that is refused: the app goes on, and its log says once what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from otel_feedback.errors import TokenError
from otel_feedback.sdk.quiet import warn_once

_ADVICE: Final = {
    "expired_token": "Give feedback_token() a longer lifetime_seconds where pages stay open for longer",
    "unknown_key": "Set OTEL_FEEDBACK_SIGNING_KEYS to the same secret in every process",
    "invalid_token": "Hand on what feedback_token() returned as it is",
    "name_not_allowed": "Give feedback_token() this name too, or no names",
    "other_rater": "Give feedback_token() the rater who sees the answer",
}


@contextmanager
def refusals_reported(ui: str) -> Iterator[None]:
    """Log what is refused inside, once for each reason, instead of raising it.

    Only the click is lost: the page may have been open for longer than its tokens last, or come from another process.
    """
    try:
        yield
    except TokenError as error:
        _warn(ui, error.code, f"{error}. {_ADVICE[error.code]}" if error.code in _ADVICE else str(error))
    except (TypeError, ValueError) as error:  # e.g. an option's label, or a comment, that is too long
        _warn(ui, type(error).__name__, str(error))


def _warn(ui: str, reason: str, message: str) -> None:
    warn_once(f"a rating of {ui}'s was refused: {message}", kind=f"{ui}: {reason}")
