"""The other end of the OTLP receiver: how a command records ratings, in batches, as any app's exporter would.

Once a batch is acknowledged it is in the service's durable queue. Ratings go as log records and as carrier spans, which
share their ids, so that a receiver stores each once.
"""

from __future__ import annotations

import os
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final
from urllib.parse import unquote

from otel_feedback.errors import ConfigurationError, DatabaseUnavailableError
from otel_feedback.rating import Rating
from otel_feedback.redaction import Redactor, load_redactor, redacted
from otel_feedback.running_service import find_service
from otel_feedback.service import rating_log, rating_span
from otel_feedback.settings import Settings

_TIMEOUT_SECONDS: Final = 30.0
_PATIENCE_SECONDS: Final = 60.0
_MOST_WAIT_SECONDS: Final = 10.0
_BUSY: Final = frozenset({429, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class RatingClient:
    """Where ratings are sent.

    Attributes:
        url: the OTLP/HTTP address, without a path.
        headers: sent with each request.
        trust: verifies an https address.
        captures_comments: whether explanations are sent at all.
        redact: what of them may be.
    """

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    trust: ssl.SSLContext | None = None
    captures_comments: bool = True
    redact: Redactor | None = None

    @classmethod
    def by(cls, settings: Settings, environment: Mapping[str, str] | None = None) -> RatingClient:
        """To the service that has the data directory or, where none has it, to OTEL_EXPORTER_OTLP_ENDPOINT.

        Raises:
            ConfigurationError: there is neither, or the redactor can't be loaded.
        """
        environment = os.environ if environment is None else environment
        texts = settings.capture_comments, load_redactor(settings.redact)
        service = find_service(settings.data_dir)
        if service is not None:
            headers = {"Authorization": f"Bearer {settings.ingest_tokens[0]}"} if settings.ingest_tokens else {}
            return cls(service.http, headers, service.trust(), *texts)
        url = settings.endpoint or environment.get("OTEL_EXPORTER_OTLP_ENDPOINT", "")
        if not url.lower().startswith(("http://", "https://")):
            raise ConfigurationError(
                f"No service runs with {settings.data_dir}, so nothing would record the verdicts. Start `otel-feedback "
                "serve` there, or set OTEL_EXPORTER_OTLP_ENDPOINT to the OTLP/HTTP address of one, e.g. "
                "http://127.0.0.1:4318"
            )
        pairs = (each.partition("=") for each in environment.get("OTEL_EXPORTER_OTLP_HEADERS", "").split(",") if each)
        told = {name.strip(): unquote(value.strip()) for name, _, value in pairs}
        return cls(url.rstrip("/"), told, None, *texts)

    def send(self, ratings: Sequence[Rating]) -> None:
        """Hand over a batch; once this returns it is durable. A busy service is waited for.

        Raises:
            DatabaseUnavailableError: the service does not take it.
        """
        ratings = [
            redacted(each if self.captures_comments else replace(each, comment=""), self.redact) for each in ratings
        ]
        # Requests of protobuf's that stand one after the other are one request: repeated fields add up.
        self._post("/v1/logs", b"".join(rating_log.export_request(each, via="") for each in ratings))
        spans = (rating_span.export_request(each, via="") for each in ratings)
        self._post("/v1/traces", b"".join(each for each in spans if each is not None))

    def _post(self, path: str, body: bytes) -> None:
        if not body:
            return
        deadline = time.monotonic() + _PATIENCE_SECONDS
        wait_seconds = 0.2
        handlers = [urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=self.trust)]
        opener = urllib.request.build_opener(*handlers)
        headers = {"Content-Type": "application/x-protobuf", **self.headers}
        while True:
            request = urllib.request.Request(self.url + path, body, headers)  # noqa: S310  # http: or https: alone
            try:
                with opener.open(request, timeout=_TIMEOUT_SECONDS):
                    return
            except urllib.error.HTTPError as error:
                said = error.read(300).decode(errors="replace")
                if error.code not in _BUSY or time.monotonic() > deadline:
                    raise DatabaseUnavailableError(
                        f"{self.url}{path} does not take the verdicts: status {error.code} {said}. Is "
                        "OTEL_FEEDBACK_INGEST_TOKENS the service's?"
                    ) from None
                told = error.headers.get("Retry-After", "")
                wait_seconds = float(told) if told.isdigit() else wait_seconds
            except OSError as error:
                if time.monotonic() > deadline:
                    raise DatabaseUnavailableError(
                        f"The service does not answer at {self.url}: {error}. See its log"
                    ) from None
            time.sleep(min(wait_seconds, _MOST_WAIT_SECONDS))
            wait_seconds = min(2 * wait_seconds, _MOST_WAIT_SECONDS)
