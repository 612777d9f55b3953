"""Who rates, under a name that means nothing outside of the app."""

from __future__ import annotations

from otel_feedback.pseudonym import pseudonym_by
from otel_feedback.rating import MAX_IDENTIFIER_CHARACTERS
from otel_feedback.sdk.configuration import settings
from otel_feedback.sdk.quiet import warn_once


def pseudonym(user: str) -> str:
    """What is stored for a user or rater that the app names so: on spans, in ratings and in rating tokens.

    With OTEL_FEEDBACK_PSEUDONYM_KEY it is ``p-`` and 128 bits of an HMAC-SHA256 of the id, the same in every process
    that has the key; who does not have it can neither undo nor try it. Without the key it is the id as given, so give
    one that means nothing outside of your own database.

    Raises:
        TypeError: ``user`` is no string.
        ValueError: ``user`` is too long.
    """
    return pseudonym_of("user", user)


def pseudonym_of(argument: str, user: object) -> str:
    """``pseudonym``, with errors that name the argument in which the user was given."""
    if not isinstance(user, str):
        raise TypeError(f"{argument} must be a string, not {type(user).__name__}")
    if len(user) > MAX_IDENTIFIER_CHARACTERS:
        raise ValueError(f"{argument} has {len(user)} characters; at most {MAX_IDENTIFIER_CHARACTERS} are taken")
    key = settings().pseudonym_key
    if not key and "@" in user:
        warn_once(
            f"{argument} looks like an e-mail address, and is stored as given. Give an id that means nothing outside "
            "of your database, or set OTEL_FEEDBACK_PSEUDONYM_KEY to a secret and a pseudonym is stored instead"
        )
    return pseudonym_by(key, user)
