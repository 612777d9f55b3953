"""Who may give a rating: signed tokens, minted offline in the app and checked by whoever receives the click.

A token is a JSON Web Token (RFC 7519) signed with HS256, so that an app in any language can mint one. Its key is
HMAC-SHA256(secret, KEY_PURPOSE): a secret that also signs something else can't be used to forge a token here.
``kid`` names the secret, so that old tokens live on while secrets rotate.

A holder can do exactly one thing with it: set, read back and retract that rater's ratings on that target.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import time
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Final

from otel_feedback.errors import TokenError
from otel_feedback.rating import Scope, Target

ALGORITHM: Final = "HS256"
AUDIENCE: Final = "otel-feedback/rating"
KEY_PURPOSE: Final = b"otel-feedback rating token v1"
DEFAULT_LIFETIME_SECONDS: Final = 90 * 24 * 3600
MAX_TOKEN_CHARACTERS: Final = 4096
MOST_KNOWN_TOKENS: Final = 512
"""So many of the tokens verified last are not read again, only their time; at most some 3 MB."""
# Header, claims and a signature of 32 bytes in base64url. The last character of the signature carries two unused
# bits; they must be zero, since decoders ignore them and another character there would pass unnoticed.
_CANONICAL: Final = re.compile(r"[\w-]+\.[\w-]+\.[\w-]{42}[AEIMQUYcgkosw048]", re.ASCII)
_MINTED_CLAIMS: Final = frozenset({"aud", "exp", "scp", "tid", "sid", "ses", "rid", "sub", "nam"})


@dataclass(frozen=True, slots=True)
class Grant:
    """What a token allows: ratings by this rater, on this target, under these names (any name when empty)."""

    target: Target
    rater_id: str = ""
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Key:
    key_id: str
    secret: bytes


class Keyring:
    """Signing secrets, newest first: the first one signs, every one verifies."""

    def __init__(self, secrets: tuple[str, ...] | list[str]) -> None:
        self._keys = tuple(_derive_key(secret) for secret in secrets if secret)
        # Of one answer's token there are several requests: read back, rate, comment. What raises is not kept, and what
        # is kept is of these keys alone: other keys are another keyring.
        self._known = lru_cache(maxsize=MOST_KNOWN_TOKENS)(self._expiry_and_grant)

    def __bool__(self) -> bool:
        return bool(self._keys)

    def mint(
        self,
        grant: Grant,
        *,
        lifetime_seconds: float = DEFAULT_LIFETIME_SECONDS,
        now: float | None = None,
    ) -> str:
        """A URL-safe token for this grant. Calls no server; costs some ten microseconds.

        Raises:
            TokenError: the keyring is empty.
            ValueError: the ids and names are so long that no one would take the token.
        """
        import jwt  # noqa: PLC0415  # 40 ms of imports that an app pays only once it mints

        if not self._keys:
            raise TokenError(401, "no_signing_key", "no signing key is set; set OTEL_FEEDBACK_SIGNING_KEYS")
        issued = time.time() if now is None else now
        target = grant.target
        claims: dict[str, Any] = {
            "aud": AUDIENCE,
            "exp": int(issued + lifetime_seconds),
            "scp": str(target.scope),
        }
        optional = {
            "tid": target.trace_id,
            "sid": target.span_id,
            "ses": target.session_id,
            "rid": target.response_id,
            "sub": grant.rater_id,
            "nam": list(grant.names),
        }
        claims.update({claim: value for claim, value in optional.items() if value})
        key = self._keys[0]
        token = jwt.encode(claims, key.secret, algorithm=ALGORITHM, headers={"kid": key.key_id})
        if len(token) > MAX_TOKEN_CHARACTERS:
            raise ValueError(
                f"the rating token would have {len(token)} characters, and at most {MAX_TOKEN_CHARACTERS} are taken: "
                "shorten session_id, response_id, rater or names"
            )
        return token

    def verify(self, token: str) -> Grant:
        """What the token allows.

        Raises:
            TokenError: 401 for a token that is malformed, altered, expired, not valid yet, or signed by a key not in
                this ring.
        """
        if not token or len(token) > MAX_TOKEN_CHARACTERS:
            raise TokenError(401, "invalid_token", "the rating token is missing or too long")
        expires, grant = self._known(token)
        return grant if expires > time.time() else self._expiry_and_grant(token)[1]

    def _expiry_and_grant(self, token: str) -> tuple[int, Grant]:
        if not self._keys:
            raise TokenError(
                401,
                "no_signing_key",
                "no signing key is set here, so no token is accepted; set OTEL_FEEDBACK_SIGNING_KEYS",
            )
        if not _CANONICAL.fullmatch(token):
            raise TokenError(401, "invalid_token", "the rating token is malformed or was altered")
        claims = self._claims_as_minted(token) or self._claims_by_pyjwt(token)
        return int(claims["exp"]), _grant_of(claims)

    @cached_property
    def _signers_by_header(self) -> dict[str, hmac.HMAC]:
        """What signs with each key, under the first part of every token that ``mint`` makes with it."""
        import jwt  # noqa: PLC0415  # as in mint

        return {
            jwt.encode({}, key.secret, algorithm=ALGORITHM, headers={"kid": key.key_id}).partition(".")[0]: hmac.new(
                key.secret, digestmod=hashlib.sha256
            )
            for key in self._keys
        }

    def _claims_as_minted(self, token: str) -> dict[str, Any] | None:
        """The claims of a token that ``mint`` made, when nothing is wrong with it; None leaves it to PyJWT.

        An app verifies a token with every click, and PyJWT takes several times as long. This only ever says yes: to a
        header that is ``mint``'s letter for letter (which settles key and algorithm), the right signature, no claims
        but ``mint``'s, and a time that has not come. Whatever else comes is PyJWT's to accept or to refuse.
        """
        header, payload, signature = token.split(".")
        signer = self._signers_by_header.get(header)
        if signer is None:
            return None
        signer = signer.copy()
        signer.update(f"{header}.{payload}".encode())
        if not hmac.compare_digest(base64.urlsafe_b64encode(signer.digest()).rstrip(b"="), signature.encode()):
            return None
        try:
            claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)).decode())
        except (ValueError, RecursionError):
            return None
        is_good = (
            type(claims) is dict
            and claims.keys() <= _MINTED_CLAIMS
            and claims.get("aud") == AUDIENCE
            and type(claims.get("exp")) is int
            and claims["exp"] > time.time()
            and type(claims.get("sub", "")) is str
        )
        return claims if is_good else None

    def _claims_by_pyjwt(self, token: str) -> dict[str, Any]:
        """The claims of a token.

        Raises:
            TokenError: 401, as ``verify`` tells.
        """
        import jwt  # noqa: PLC0415  # as in mint

        try:
            key_id = _named_key(token)
            key = next((key for key in self._keys if key.key_id == key_id), None)
            if key is None:
                raise TokenError(401, "unknown_key", "the rating token was signed with a key that is not known here")
            return jwt.decode(
                token,
                key.secret,
                algorithms=[ALGORITHM],
                audience=AUDIENCE,
                options={"require": ["exp", "aud"]},
            )
        except jwt.ExpiredSignatureError:
            raise TokenError(401, "expired_token", "the rating token has expired; reload the page") from None
        except jwt.ImmatureSignatureError:
            raise TokenError(
                401, "not_yet_valid", "the rating token is not valid yet; are the clocks of app and service right?"
            ) from None
        except (jwt.PyJWTError, ValueError):
            raise TokenError(401, "invalid_token", "the rating token is malformed or was altered") from None


def _named_key(token: str) -> object:
    """The ``kid`` of a header that is not verified yet; PyJWT would read all three parts for it, twice as long.

    Raises:
        ValueError: the header is no JSON object.
    """
    header = token.partition(".")[0]
    try:
        content = json.loads(base64.urlsafe_b64decode(header + "=" * (-len(header) % 4)))
    except RecursionError:
        raise ValueError("the header is nested too deep") from None
    if not isinstance(content, dict):
        raise ValueError("the header is no JSON object")  # noqa: TRY004  # what a client sends is no type error
    return content.get("kid")


def _grant_of(claims: dict[str, Any]) -> Grant:
    try:
        target = Target(
            scope=Scope(claims["scp"]),
            trace_id=str(claims.get("tid", "")),
            span_id=str(claims.get("sid", "")),
            session_id=str(claims.get("ses", "")),
            response_id=str(claims.get("rid", "")),
        )
    except (KeyError, ValueError):
        raise TokenError(401, "invalid_token", "the rating token names no target") from None
    names = claims.get("nam", [])
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise TokenError(401, "invalid_token", "the rating token allows names that are no names")
    return Grant(target=target, rater_id=str(claims.get("sub", "")), names=tuple(names))


@lru_cache(maxsize=64)
def _derive_key(secret: str) -> _Key:
    derived = hmac.new(secret.encode(), KEY_PURPOSE, hashlib.sha256).digest()
    return _Key(key_id=hashlib.sha256(derived).hexdigest()[:8], secret=derived)
