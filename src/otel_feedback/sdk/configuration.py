"""The settings and the signing keys that are in force in this process, read once."""

from __future__ import annotations

import os
import secrets
from functools import lru_cache

from otel_feedback.errors import ConfigurationError
from otel_feedback.sdk.quiet import logger, warn_once
from otel_feedback.settings import PREFIX, Settings
from otel_feedback.tokens import Keyring


@lru_cache(maxsize=1)
def settings() -> Settings:
    """The settings, read from the environment and the TOML file at the first call.

    An app must start although a setting is malformed: that is logged as an error, and only the signing keys of the
    environment are kept. Comments are then not captured, since the broken setting may have been the one that
    forbids them.
    """
    try:
        return Settings.load()
    except ConfigurationError as error:
        logger.error("%s. Until then: defaults, and comments are not captured", error)
        kept = PREFIX + "SIGNING_KEYS"
        return Settings.load(
            {kept: os.environ.get(kept, ""), PREFIX + "CAPTURE_COMMENTS": "false", PREFIX + "CONFIG": os.devnull}
        )


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


def has_shared_keys() -> bool:
    """Whether other processes can verify the tokens minted here."""
    return bool(settings().signing_keys)


def forget() -> None:
    """Read everything again at the next use; for tests."""
    settings.cache_clear()
    keyring.cache_clear()
