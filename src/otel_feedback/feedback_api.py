"""The ``/v1/feedback`` protocol, free of any web framework: bytes in, status and JSON out.

The same protocol is served in the app (``sdk.routes``, recording through OpenTelemetry) and by the service
(``service.receiver_http``, appending to the durable queue); they differ only in their ``RatingStore``.

POST   sets a rating         202 {"id", "state": "recorded"}
GET    reads them back       200 {"ratings": [{"id", "name", "value", "label", "comment", ...}]}
DELETE takes a rating back   202 {"id", "state": "retracted"}

Whoever holds a token may use it, so it is enough to name it: in the JSON body, as ``Authorization: Bearer``, or, for
GET and DELETE, as ``?token=``. Raw trace ids are never accepted. A page of another origin is answered only where it is
on the list, and nobody more often than ``rate_limit`` allows. docs/tokens.md lists every attack.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Protocol

from otel_feedback.errors import RejectedRequestError, TokenError
from otel_feedback.rate_limit import RequestLimits, TooManyRequestsError
from otel_feedback.rating import Action, Rating, Target, has_content, make_rating
from otel_feedback.recent_ratings import target_key
from otel_feedback.tokens import Grant, Keyring

FEEDBACK_PATH: Final = "/v1/feedback"
WIDGET_PATH: Final = "/feedback.js"
TOKEN_HEADER: Final = "Otel-Feedback-Token"  # noqa: S105  # the header's name, no secret
MAX_BODY_BYTES: Final = 512 * 1024
_SUBMISSION_ID = re.compile(r"[0-9A-Za-z-]{16,64}")
_BODY_FIELDS: Final = frozenset(
    {"token", "id", "name", "value", "comment", "reasons", "correction", "minimum", "maximum"}
)


@dataclass(frozen=True, slots=True)
class FeedbackRequest:
    """One HTTP request.

    Attributes:
        headers: their names are lower case.
        query: the last value of each parameter.
        address: of the client, "" where it is not known.
    """

    method: str
    headers: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes
    address: str = ""


@dataclass(frozen=True, slots=True)
class FeedbackResponse:
    """What to answer. ``body`` is JSON, or empty for an answer without content."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


class RatingStore(Protocol):
    """Where ratings go and come from on this side of the wire."""

    async def submit(self, rating: Rating) -> None:
        """Take the rating; once this returns it is as durable as this side can make it.

        Raises:
            RejectedRequestError: it can't be taken now (status 503) or ever.
        """

    async def current(self, target: Target, rater_id: str) -> list[Rating]:
        """The rater's current ratings of the target, retracted ones left out, ordered by name."""


class FeedbackApi:
    """Answers requests to ``/v1/feedback``. Never raises for anything that a client sends."""

    def __init__(
        self,
        keyring: Keyring,
        store: RatingStore,
        *,
        allowed_origins: tuple[str, ...] = (),
        capture_comments: bool = True,
        limits: RequestLimits | None = None,
    ) -> None:
        self._keyring = keyring
        self._limits = limits or RequestLimits()
        self._store = store
        self._allowed_origins = frozenset(origin.rstrip("/") for origin in allowed_origins)
        self._capture_comments = capture_comments

    def use(self, keyring: Keyring) -> None:
        """Take the tokens that these keys signed, and no others."""
        self._keyring = keyring

    async def answer(self, request: FeedbackRequest) -> FeedbackResponse:
        """Answer one request; errors become JSON ``{"error": {"code", "message"}}`` with their status."""
        cors = self._cors_headers(request)
        try:
            self._limits.count_address(request.address)
            self._check_origin(request)
            status, content = await self._dispatch(request)
        except TooManyRequestsError as error:
            retry_after = {"Retry-After": str(error.retry_after_seconds)}
            return error_response(error.status, error.code, str(error), {**retry_after, **cors})
        except RejectedRequestError as error:
            return error_response(error.status, error.code, str(error), cors)
        body = b"" if content is None else json.dumps(content, ensure_ascii=False).encode()
        headers = {"Content-Type": "application/json", "Cache-Control": "no-store"} if body else {}
        return FeedbackResponse(status, body, {**headers, **cors})

    async def _dispatch(self, request: FeedbackRequest) -> tuple[int, dict[str, Any] | None]:
        match request.method:
            case "OPTIONS":
                return 204, None
            case "GET":
                return await self._read_back(request)
            case "POST":
                return await self._set(request)
            case "DELETE":
                return await self._retract(request)
        raise RejectedRequestError(405, "method_not_allowed", f"{request.method} is not one of GET, POST, DELETE")

    async def _set(self, request: FeedbackRequest) -> tuple[int, dict[str, Any]]:
        content = _parse_body(request.body)
        grant = self._grant(request, content)
        rating = self._rating_of(content, grant, Action.SUBMIT)
        await self._store.submit(rating)
        return 202, {"id": rating.id, "state": "recorded"}

    async def _retract(self, request: FeedbackRequest) -> tuple[int, dict[str, Any]]:
        content = _parse_body(request.body) if request.body else {}
        content = {**{key: request.query[key] for key in ("name", "id") if key in request.query}, **content}
        grant = self._grant(request, content)
        allowed: dict[str, Any] = {key: content[key] for key in ("id", "name") if key in content}
        rating = self._rating_of(allowed, grant, Action.RETRACT)
        await self._store.submit(rating)
        return 202, {"id": rating.id, "state": "retracted"}

    async def _read_back(self, request: FeedbackRequest) -> tuple[int, dict[str, Any]]:
        grant = self._grant(request, {})
        ratings = await self._store.current(grant.target, grant.rater_id)
        visible = [rating for rating in ratings if not grant.names or rating.name in grant.names]
        return 200, {"ratings": [rating_to_json(rating) for rating in visible]}

    def _grant(self, request: FeedbackRequest, content: Mapping[str, Any]) -> Grant:
        """What the request's token allows, once its rater has asked not too often."""
        token = content.get("token")
        if token is None:
            scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
            in_url = request.query.get("token") if request.method != "POST" else None
            token = credentials.strip() if scheme.lower() == "bearer" else in_url
        if not isinstance(token, str) or not token:
            raise TokenError(401, "missing_token", 'a rating token is needed, as "token" or as Authorization: Bearer')
        grant = self._keyring.verify(token)
        # Raters without a name are told apart by what they rate: of one target, they are one rater anyway.
        rater = f"rater {grant.rater_id}" if grant.rater_id else f"target {target_key(grant.target)}"
        self._limits.count_rater(rater, is_read=request.method == "GET")
        return grant

    def _check_origin(self, request: FeedbackRequest) -> None:
        """Refuse a page of another site, which browsers name, so that it can do nothing even with a stolen token.

        Only the browser knows whether a page has the origin of this endpoint: behind a proxy the Host is another one.
        """
        site, origin = request.headers.get("sec-fetch-site", ""), request.headers.get("origin", "")
        if request.method != "OPTIONS" and site in {"cross-site", "same-site"} and origin not in self._allowed_origins:
            raise RejectedRequestError(
                403,
                "origin_not_allowed",
                f"pages of {origin or 'other sites'} are not in OTEL_FEEDBACK_ALLOWED_ORIGINS",
            )

    def _rating_of(self, content: Mapping[str, Any], grant: Grant, action: Action) -> Rating:
        name = content.get("name")
        if name is None and len(grant.names) == 1:
            name = grant.names[0]
        if name is None:
            raise RejectedRequestError(400, "invalid_rating", 'name is missing: say what is rated, e.g. "thumbs"')
        if grant.names and name not in grant.names:
            raise TokenError(403, "name_not_allowed", f"the rating token does not allow the name {name!r}")
        submission_id = content.get("id", "")
        if submission_id and not (isinstance(submission_id, str) and _SUBMISSION_ID.fullmatch(submission_id)):
            raise RejectedRequestError(400, "invalid_rating", "id must be 16 to 64 letters, digits or dashes")
        try:
            rating = make_rating(
                name,
                content.get("value"),
                grant.target,
                comment=content.get("comment") or "",
                correction=content.get("correction") or "",
                reasons=content.get("reasons") or (),
                minimum=content.get("minimum"),
                maximum=content.get("maximum"),
                rater_id=grant.rater_id,
                action=action,
                submission_id=submission_id,
            )
        except (TypeError, ValueError) as error:
            raise RejectedRequestError(400, "invalid_rating", str(error)) from None
        return rating if self._capture_comments else _without_text(rating)

    def _cors_headers(self, request: FeedbackRequest) -> dict[str, str]:
        origin = request.headers.get("origin", "")
        if not origin or origin not in self._allowed_origins:
            return {}
        return {
            "Access-Control-Allow-Origin": origin,
            "Access-Control-Allow-Methods": "GET, POST, DELETE",
            "Access-Control-Allow-Headers": "Authorization, Content-Type",
            "Access-Control-Expose-Headers": "Retry-After",
            "Access-Control-Max-Age": "600",
            "Vary": "Origin",
        }


def _without_text(rating: Rating) -> Rating:
    """The rating without what its rater wrote, for where OTEL_FEEDBACK_CAPTURE_COMMENTS is false."""
    kept = replace(rating, comment="", correction="")
    if kept.action is Action.SUBMIT and not has_content(kept):
        raise RejectedRequestError(400, "comments_not_captured", "comments are not stored here, and there is no rating")
    return kept


def rating_to_json(rating: Rating) -> dict[str, Any]:
    """A rating as GET answers it; absent parts are left out."""
    shown: dict[str, Any] = {
        "id": rating.id,
        "name": rating.name,
        "value": rating.value,
        "label": rating.label,
        "comment": rating.comment,
        "correction": rating.correction,
        "reasons": list(rating.reasons),
        "minimum": rating.score_min,
        "maximum": rating.score_max,
        "time_unix_nano": str(rating.time_unix_nano),
    }
    return {key: value for key, value in shown.items() if value not in ("", None, [])}


def error_response(status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> FeedbackResponse:
    """``{"error": {"code", "message"}}`` with its status."""
    body = json.dumps({"error": {"code": code, "message": message}}, ensure_ascii=False).encode()
    return FeedbackResponse(
        status, body, {"Content-Type": "application/json", "Cache-Control": "no-store", **(headers or {})}
    )


def json_object(body: bytes, fields: frozenset[str]) -> dict[str, Any]:
    """The object that a body is, which has no other than these fields.

    Raises:
        RejectedRequestError: it is no JSON, no object, or has another field; the message names it.
    """
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        raise RejectedRequestError(400, "invalid_json", "the body is not JSON in UTF-8") from None
    if not isinstance(content, dict):
        raise RejectedRequestError(400, "invalid_json", "the body must be a JSON object")
    unknown = sorted(set(content) - fields)
    if unknown:
        known = ", ".join(sorted(fields))
        raise RejectedRequestError(400, "unknown_field", f"unknown field {unknown[0]!r}; known are {known}")
    return content


def _parse_body(body: bytes) -> dict[str, Any]:
    if len(body) > MAX_BODY_BYTES:
        raise RejectedRequestError(
            413, "too_large", f"the body has {len(body)} bytes; at most {MAX_BODY_BYTES} are taken"
        )
    return json_object(body, _BODY_FIELDS)
