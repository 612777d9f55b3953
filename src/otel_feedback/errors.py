"""The errors that people see. Each message says what happened, where, and what to do about it."""

from __future__ import annotations


class OtelFeedbackError(Exception):
    """Base of every error that this project raises on purpose. Its text is fit to print as it is."""


class UsageError(OtelFeedbackError):
    """What was typed can't be meant; nothing was done."""


class ConfigurationError(OtelFeedbackError):
    """A setting is missing, malformed or unsafe; nothing was started."""


class DataDirectoryError(OtelFeedbackError):
    """The data directory can't be used: not writable, or another service has it."""


class DatabaseError(OtelFeedbackError):
    """ClickHouse refused a statement. ``code`` is ClickHouse's error code, 0 where it is not known."""

    def __init__(self, message: str, *, code: int = 0) -> None:
        super().__init__(message)
        self.code = code


class DatabaseUnavailableError(DatabaseError):
    """ClickHouse can't be reached at all; trying again later may help."""


class NotFlatError(DatabaseError):
    """A segment holds attribute values that ClickHouse does not decode; nothing of it was stored."""


class SchemaVersionError(OtelFeedbackError):
    """The database holds an older or a newer schema than this version works with."""


class RejectedRequestError(OtelFeedbackError):
    """A request over the feedback API that is refused; ``status`` and ``code`` go into the JSON answer."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class TokenError(RejectedRequestError):
    """A rating token that is malformed, altered, expired, signed by a foreign key, or used beyond its grant."""
