"""The app's side of ``/v1/feedback``: ratings leave through OpenTelemetry and are read back from the service."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from typing import Any, Final

from opentelemetry import context as otel_context

from otel_feedback.feedback_api import FEEDBACK_PATH
from otel_feedback.rating import Rating, Target
from otel_feedback.recent_ratings import RecentRatings
from otel_feedback.redaction import redacted
from otel_feedback.sdk.carriers import send
from otel_feedback.sdk.configuration import redactor
from otel_feedback.sdk.quiet import logger
from otel_feedback.settings import Settings
from otel_feedback.tokens import Grant, Keyring

READ_BACK_TIMEOUT_SECONDS: Final = 1.0
PAUSE_AFTER_FAILURE_SECONDS: Final = 10.0
_TOKEN_LIFETIME_SECONDS: Final = 60
_MAX_ANSWER_BYTES: Final = 1 << 20


class AppRatingStore:
    """The RatingStore of an app.

    ``current`` asks the service, which knows everything but learns of a rating some seconds late, and lays over its
    answer what came through this process. Where the service can't be asked, this process alone is remembered.
    """

    def __init__(self, keyring: Keyring, service_url: str | None, *, may_block: bool = False) -> None:
        """``service_url`` is the service's OTLP/HTTP address; None when it is not known.

        With ``may_block`` the service is asked in the thread that is there, and nothing waits for an event loop.
        """
        self._keyring = keyring
        self._may_block = may_block
        self._service_url = service_url
        self._recent = RecentRatings()
        self._asks_again_at = 0.0

    async def submit(self, rating: Rating) -> None:
        """Hand the rating to OpenTelemetry, whose exporters batch, retry and drop as they are set up to."""
        rating = redacted(rating, redactor())  # so that who reads it back sees what is stored
        self._recent.remember(rating)
        send(rating, is_redacted=True)

    async def current(self, target: Target, rater_id: str) -> list[Rating]:
        """The rater's current ratings of the target, retracted ones left out, ordered by name."""
        stored: list[Rating] = []
        if self._service_url is None or time.monotonic() < self._asks_again_at:
            pass
        elif self._may_block:
            stored = self._read_back(self._service_url, target, rater_id)
        else:
            import asyncio  # noqa: PLC0415  # whoever awaits this has it; `import otel_feedback` stays quick

            stored = await asyncio.to_thread(self._read_back, self._service_url, target, rater_id)
        return self._recent.laid_over(stored, target, rater_id)

    def _read_back(self, service_url: str, target: Target, rater_id: str) -> list[Rating]:
        token = self._keyring.mint(Grant(target, rater_id), lifetime_seconds=_TOKEN_LIFETIME_SECONDS)
        try:
            answer = _get_json(service_url + FEEDBACK_PATH, token)
            return [rating_of_json(each, target, rater_id) for each in answer["ratings"]]
        except (OSError, ValueError, KeyError, TypeError) as error:
            self._asks_again_at = time.monotonic() + PAUSE_AFTER_FAILURE_SECONDS
            logger.debug("ratings could not be read back from %s: %s", service_url, error)
            return []


def service_url(settings: Settings, environment: Mapping[str, str] | None = None) -> str | None:
    """Where the service answers ``/v1/feedback``, or None when nothing tells.

    OTEL_FEEDBACK_ENDPOINT, else OTEL_EXPORTER_OTLP_ENDPOINT when the exporter speaks HTTP: the gRPC port has no such
    path.
    """
    environment = os.environ if environment is None else environment
    url = settings.endpoint
    if not url and environment.get("OTEL_EXPORTER_OTLP_PROTOCOL", "").startswith("http/"):
        url = environment.get("OTEL_EXPORTER_OTLP_ENDPOINT", "")
    url = url.strip().rstrip("/")
    if url and not url.lower().startswith(("http://", "https://")):
        logger.warning("ratings are not read back: %r is no http:// or https:// address", url)
        return None
    return url or None


def rating_of_json(content: Mapping[str, Any], target: Target, rater_id: str) -> Rating:
    """The inverse of ``feedback_api.rating_to_json``.

    Raises:
        KeyError, TypeError, ValueError: it is no such rating.
    """
    value = content.get("value")
    minimum, maximum = content.get("minimum"), content.get("maximum")
    return Rating(
        name=str(content["name"]),
        target=target,
        value=None if value is None else float(value),
        label=str(content.get("label", "")),
        comment=str(content.get("comment", "")),
        correction=str(content.get("correction", "")),
        reasons=tuple(map(str, content.get("reasons", ()))),
        score_min=None if minimum is None else float(minimum),
        score_max=None if maximum is None else float(maximum),
        rater_id=rater_id,
        time_unix_nano=int(content["time_unix_nano"]),
        id=str(content["id"]),
    )


def _get_json(url: str, token: str) -> Any:
    import urllib.request  # noqa: PLC0415  # 20 ms of imports that an app pays only once it asks

    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"})  # noqa: S310  # checked above
    # The app's own traces are no place for this request.
    key = getattr(otel_context, "_SUPPRESS_INSTRUMENTATION_KEY", "suppress_instrumentation")
    attachment = otel_context.attach(otel_context.set_value(key, "true"))
    try:
        with urllib.request.urlopen(request, timeout=READ_BACK_TIMEOUT_SECONDS) as answer:  # noqa: S310  # as above
            return json.loads(answer.read(_MAX_ANSWER_BYTES))
    finally:
        otel_context.detach(attachment)
