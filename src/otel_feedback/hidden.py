"""Secrets are never shown: what stands in their place, and URLs without their passwords."""

from __future__ import annotations

import re
from typing import Final

HIDDEN: Final = "***"

# Up to the last @: a password that nobody escaped may hold any of /:@ itself.
_PASSWORD: Final = re.compile(r"(?<=://)([^:/@]*):.*@", re.DOTALL)


def without_password(url: str) -> str:
    """The URL of a setting with *** for its password, also where it is not written as a URL has to be."""
    return _PASSWORD.sub(rf"\1:{HIDDEN}@", url)
