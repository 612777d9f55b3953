"""Who may send OTLP: anyone when no tokens are set, else whoever shows one of them."""

from __future__ import annotations

import hmac


class BearerTokens:
    """The tokens that open the OTLP ports. Both ports share them, and they may be replaced at any time."""

    def __init__(self, tokens: tuple[str, ...]) -> None:
        self._tokens: tuple[bytes, ...] = ()
        self.use(tokens)

    def use(self, tokens: tuple[str, ...]) -> None:
        """Let these open the ports, and no others."""
        self._tokens = tuple(token.encode() for token in tokens)

    @property
    def are_needed(self) -> bool:
        """Whether there are any."""
        return bool(self._tokens)

    def admit(self, authorization: str) -> bool:
        """Whether the value of an Authorization header opens the door; compared in constant time."""
        tokens = self._tokens
        if not tokens:
            return True
        scheme, _, credentials = authorization.partition(" ")
        if scheme.lower() != "bearer":
            return False
        given = credentials.strip().encode()
        return any(hmac.compare_digest(given, token) for token in tokens)
