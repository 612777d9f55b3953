"""The pseudonym that a secret makes of a person's id: the same in every process that has the secret."""

from __future__ import annotations

import hashlib
import hmac
from typing import Final

PURPOSE: Final = b"otel-feedback pseudonym v1"


def pseudonym_by(key: str, user: str) -> str:
    """``p-`` and 128 bits of an HMAC-SHA256 of the id; the id as given where there is no key, or no id."""
    if not user or not key:
        return user
    secret = hmac.digest(key.encode(), PURPOSE, hashlib.sha256)
    return "p-" + hmac.digest(secret, user.encode(errors="surrogatepass"), hashlib.sha256).hex()[:32]
