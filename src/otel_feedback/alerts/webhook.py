"""Posts JSON to a webhook: signed, tried again when that may help, never to another address than the one given."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from typing import Any, Final

from otel_feedback.errors import OtelFeedbackError

SIGNATURE: Final = "Otel-Feedback-Signature"
TRIES: Final = 5
FIRST_PAUSE_SECONDS: Final = 1.0
MOST_PAUSE_SECONDS: Final = 60.0
TIMEOUT_SECONDS: Final = 10.0


class WebhookError(OtelFeedbackError):
    """The webhook did not take it."""


def signature(secret: bytes, body: bytes, at: int) -> str:
    """``t=SECONDS,v1=HEX``: HMAC-SHA256 of the time, a dot and the body. The time tells replays."""
    return f"t={at},v1={hmac.new(secret, b'%d.%s' % (at, body), hashlib.sha256).hexdigest()}"


def _asked_for(text: str, otherwise: float) -> float:
    """The seconds that a Retry-After asks for: a number, or a date as HTTP writes it (RFC 9110, 10.2.3)."""
    if text.isdecimal():
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except (ValueError, TypeError, OverflowError):
        return otherwise


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


def post(
    url: str,
    content: Mapping[str, Any],
    secret: bytes | None,
    *,
    timeout_seconds: float = TIMEOUT_SECONDS,
    pause: Callable[[float], object] = time.sleep,
) -> None:
    """Post; 429, 5xx and silence are tried again after 1, 2, 4 and 8 s, or when Retry-After says so (60 s at most).

    Raises:
        WebhookError: it was refused, or not taken in five tries. The address is not told: it is often a secret.
    """
    body = json.dumps(content, ensure_ascii=False).encode()
    opener = urllib.request.build_opener(_NoRedirects)
    for number in range(TRIES):
        seconds = FIRST_PAUSE_SECONDS * 2**number
        headers = {"Content-Type": "application/json"}
        if secret is not None:
            headers[SIGNATURE] = signature(secret, body, int(time.time()))
        try:
            request = urllib.request.Request(url, body, headers)  # noqa: S310  # the command takes http and https only
            with opener.open(request, timeout=timeout_seconds):
                return
        except urllib.error.HTTPError as error:
            error.close()
            problem = f"it answered {error.code}"
            if error.code != 429 and error.code < 500:
                raise WebhookError(f"the webhook refused the alert: {problem}. Is its address right?") from None
            seconds = _asked_for(error.headers.get("Retry-After", ""), seconds)
        except (OSError, http.client.HTTPException) as error:
            problem = f"no answer ({type(error).__name__})"
        if number < TRIES - 1:
            pause(min(seconds, MOST_PAUSE_SECONDS))
    raise WebhookError(f"the webhook did not take the alert in {TRIES} tries: {problem}. The next look tries again")
