"""The two paths that every middleware answers itself, free of any web framework: a request in, what to answer out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any, Final, TypeVar
from urllib.parse import parse_qsl

from otel_feedback.feedback_api import (
    FEEDBACK_PATH,
    MAX_BODY_BYTES,
    WIDGET_PATH,
    FeedbackApi,
    FeedbackRequest,
    FeedbackResponse,
    error_response,
)
from otel_feedback.rate_limit import RequestLimits
from otel_feedback.sdk.configuration import has_shared_keys, keyring, settings
from otel_feedback.sdk.endpoint import AppRatingStore, service_url
from otel_feedback.sdk.quiet import report_failure
from otel_feedback.sdk.span_processor import fit_span_processor
from otel_feedback.tokens import Keyring
from otel_feedback.widget import serving

T = TypeVar("T")
ReadBody = Callable[[], Awaitable[bytes | None]]

STATUSES_WITHOUT_BODY: Final = frozenset({204, 205, 304})


class FeedbackRoutes:
    """The feedback endpoint at ``path`` and the widget at ``widget_path``.

    ``keys`` and ``allowed_origins`` default to OTEL_FEEDBACK_SIGNING_KEYS and OTEL_FEEDBACK_ALLOWED_ORIGINS. With
    ``may_block`` an answer never waits for an event loop: ``answered_at_once`` can be used.
    """

    def __init__(
        self,
        *,
        path: str = FEEDBACK_PATH,
        widget_path: str = WIDGET_PATH,
        keys: tuple[str, ...] | list[str] | None = None,
        allowed_origins: tuple[str, ...] | list[str] = (),
        may_block: bool = False,
    ) -> None:
        self._path = path
        self._widget_path = widget_path
        self._keys = tuple(keys) if keys else None
        self._allowed_origins = tuple(allowed_origins)
        self._may_block = may_block
        self._api: FeedbackApi | None = None

    def have(self, path: str) -> bool:
        """Whether the path, within the app, is one of the two."""
        return path in {self._path, self._widget_path}

    def keyring(self) -> Keyring:
        """The keys that sign the tokens of this app."""
        return Keyring(self._keys) if self._keys else keyring()

    async def answer(
        self,
        path: str,
        method: str,
        headers: Mapping[str, str],
        query: str,
        read_body: ReadBody,
        *,
        address: str,
    ) -> FeedbackResponse:
        """Answer one request. Never raises: what breaks is JSON with status 500.

        Args:
            path: one that these routes have.
            method: in upper case.
            headers: with names in lower case.
            query: the query string as it came.
            read_body: the whole body, at most MAX_BODY_BYTES; None where there is more.
            address: of the client; "" where it is not known.
        """
        try:
            if path == self._widget_path:
                return serving.answer(method, headers.get("if-none-match", ""))
            body = await read_body()
            if body is None:
                return error_response(413, "too_large", f"the body has more than {MAX_BODY_BYTES} bytes")
            if self._api is None:
                self._api = self._new_api()
            return await self._api.answer(FeedbackRequest(method, headers, dict(parse_qsl(query)), body, address))
        except Exception as error:  # noqa: BLE001  # the host page gets an answer that it can show
            report_failure("answering a feedback request", error)
            return error_response(500, "internal", "the rating could not be taken; try again")

    def _new_api(self) -> FeedbackApi:
        fit_span_processor()
        ring = self.keyring()
        url = service_url(settings()) if self._keys or has_shared_keys() else None
        return FeedbackApi(
            ring,
            AppRatingStore(ring, url, may_block=self._may_block),
            allowed_origins=self._allowed_origins or settings().allowed_origins,
            capture_comments=settings().capture_comments,
            limits=RequestLimits(settings().votes_per_minute, settings().requests_per_minute),
        )


def answered_at_once(answer: Coroutine[Any, Any, T]) -> T:
    """What the coroutine returns, without an event loop: a thread of a WSGI server has none, or another's.

    Raises:
        RuntimeError: the coroutine waits for something after all.
    """
    try:
        answer.send(None)
    except StopIteration as stop:
        value: T = stop.value
        return value
    answer.close()
    raise RuntimeError("the answer waits for an event loop, which is not there")
