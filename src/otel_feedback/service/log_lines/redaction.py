"""No secret in a log line, whichever library wrote it."""

from __future__ import annotations

import re
from dataclasses import fields
from typing import Final
from urllib.parse import unquote, urlsplit

from otel_feedback.hidden import HIDDEN
from otel_feedback.settings import Settings

SHORTEST_SECRET: Final = 4
"""Hiding shorter ones wherever they stand would spoil every line, and would not keep them secret."""

_PASSWORD_IN_URL: Final = re.compile(r"(?<=://)([^:/@\s]*):[^@/\s]+@")
_BEARER: Final = re.compile(r"(authorization\W*b?\W*bearer )[\w.~+/=-]+", re.IGNORECASE)
_WEB_TOKEN: Final = re.compile(r"\beyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]{10,}")


class Redaction:
    """Hides the secrets of these settings, and whatever looks like a password in a URL, a bearer or a rating token."""

    def __init__(self, settings: Settings) -> None:
        self._secrets: frozenset[str] = frozenset()
        self._known: re.Pattern[str] | None = None
        self.hide(settings)

    def hide(self, settings: Settings) -> None:
        """Hide the secrets of these settings, too; those that were replaced may still be somebody's."""
        if self._secrets >= secrets_of(settings):
            return
        self._secrets |= secrets_of(settings)
        longest_first = sorted(self._secrets, key=len, reverse=True)
        known = [re.escape(secret) for secret in longest_first if len(secret) >= SHORTEST_SECRET]
        self._known = re.compile("|".join(known)) if known else None

    def __call__(self, text: str) -> str:
        """The text with its secrets hidden."""
        known = self._known
        if known is not None:
            text = known.sub(HIDDEN, text)
        text = _PASSWORD_IN_URL.sub(rf"\1:{HIDDEN}@", text)
        text = _BEARER.sub(rf"\1{HIDDEN}", text)
        return _WEB_TOKEN.sub(HIDDEN, text)


def secrets_of(settings: Settings) -> set[str]:
    """Every value that a setting marked as secret holds, and the database's passwords as they are written and meant."""
    secrets: set[str] = set()
    for each in fields(settings):
        if each.metadata["secret"]:
            value = getattr(settings, each.name)
            secrets.update(value if isinstance(value, tuple) else (value,))
    for url in (settings.database_url, settings.reader_database_url):
        password = urlsplit(url).password or ""
        secrets |= {password, unquote(password)}
    return secrets - {""}
