"""The settings and the signing keys that are in force in this process, read once."""

from __future__ import annotations

import os
import secrets
from functools import lru_cache
from pathlib import Path

from otel_feedback.errors import ConfigurationError
from otel_feedback.redaction import Redactor, load_redactor, redact_everything
from otel_feedback.sdk.quiet import logger, warn_once
from otel_feedback.secret_files import secret_file
from otel_feedback.settings import DEFAULT_FILE, PREFIX, Settings
from otel_feedback.tokens import Keyring


@lru_cache(maxsize=1)
def settings() -> Settings:
    """The settings, read from the environment and the TOML file at the first call.

    An app must start although a setting is malformed: that is logged as an error, and only what keeps secrets and
    privacy is taken from the environment. Comments are then not captured, since the broken setting may have been the
    one that forbids them; and where a file may name a pseudonym key and a redactor, users get pseudonyms of this
    process, and no text is kept.
    """
    try:
        return Settings.load()
    except ConfigurationError as error:
        logger.error("%s. Until then: defaults, and comments are not captured", error)
        kept = {
            **{PREFIX + name: _secret_that_can_be_read(name) for name in ("SIGNING_KEYS", "PSEUDONYM_KEY")},
            PREFIX + "REDACT": os.environ.get(PREFIX + "REDACT", ""),
        }
        has_file = bool(os.environ.get(PREFIX + "CONFIG")) or Path(DEFAULT_FILE).exists()
        if has_file or os.environ.get(PREFIX + "PSEUDONYM_KEY_FILE"):
            kept[PREFIX + "PSEUDONYM_KEY"] = kept[PREFIX + "PSEUDONYM_KEY"] or secrets.token_urlsafe(32)
        if has_file:
            kept[PREFIX + "REDACT"] = kept[PREFIX + "REDACT"] or "otel_feedback.redaction:redact_everything"
        return Settings.load({**kept, PREFIX + "CAPTURE_COMMENTS": "false", PREFIX + "CONFIG": os.devnull})


def _secret_that_can_be_read(name: str) -> str:
    """What the environment says, or the file that it names; "" for a file that can't be read."""
    try:
        file = secret_file(name.lower(), PREFIX, os.environ, {})
        return file.read(is_list=True) if file is not None else os.environ.get(PREFIX + name, "")
    except ConfigurationError:
        return os.environ.get(PREFIX + name, "")


@lru_cache(maxsize=1)
def keyring() -> Keyring:
    """The keys of OTEL_FEEDBACK_SIGNING_KEYS, else one random key for this process (with a warning, once)."""
    keys = settings().signing_keys
    if not keys:
        warn_once(
            "OTEL_FEEDBACK_SIGNING_KEYS is not set: rating tokens are signed with a random key of this process, and "
            "ratings that reach another process, or this one after a restart, are refused. "
            "Set it to the same secret in every process"
        )
        keys = (secrets.token_urlsafe(32),)
    return Keyring(keys)


@lru_cache(maxsize=1)
def _named_redactor() -> Redactor | None:
    try:
        return load_redactor(settings().redact)
    except ConfigurationError as error:
        logger.error("%s. Until then comments, corrections and reasons are left out", error)
        return redact_everything


_given_redactor: Redactor | None = None


def redact_with(redact: Redactor) -> None:
    """Use this function, whatever OTEL_FEEDBACK_REDACT names.

    Raises:
        TypeError: ``redact`` is no function.
    """
    global _given_redactor  # noqa: PLW0603  # one for the process, like the settings
    if not callable(redact):
        raise TypeError(f"redact must be a function that takes and returns a text, not {type(redact).__name__}")
    _given_redactor = redact


def redactor() -> Redactor | None:
    """What ``instrument(redact=...)`` was given, else what OTEL_FEEDBACK_REDACT names, else None."""
    return _given_redactor or _named_redactor()


def has_shared_keys() -> bool:
    """Whether other processes can verify the tokens minted here."""
    return bool(settings().signing_keys)


def forget() -> None:
    """Read everything again at the next use; for tests."""
    global _given_redactor  # noqa: PLW0603  # as in redact_with
    _given_redactor = None
    settings.cache_clear()
    keyring.cache_clear()
    _named_redactor.cache_clear()
