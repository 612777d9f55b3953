"""``/feedback.csv``, ``/users.jsonl`` and so on: everything that a list's filters choose, as a file."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from otel_feedback.dashboard.cursor import Cursor
from otel_feedback.dashboard.downloads import TYPES, file_name, head, lines
from otel_feedback.dashboard.filters import parse_period, parse_text
from otel_feedback.dashboard.pages import feedback, sessions, users
from otel_feedback.dashboard.site import Site


@dataclass(frozen=True, slots=True)
class Collection:
    """A list, its query, how its rows are found again, and how many of them are asked for at once."""

    name: str
    query: str
    filters: Callable[[Mapping[str, str]], dict[str, str]]
    time_column: str
    id_column: str
    columns: tuple[str, ...]
    batch_rows: int


_COUNTS: Final = ("Ratings", "Positive", "Neutral", "Negative")
COLLECTIONS: tuple[Collection, ...] = (
    Collection(
        "feedback",
        "feedback_list",
        lambda query: parse_text(query, feedback.FILTERS),
        "TimeUnixNano",
        "FeedbackId",
        (
            *("TimeUnixNano", "FeedbackId", "Name", "Label", "Value", "ScoreMin", "ScoreMax", "Comment", "Correction"),
            *("Reasons", "Source", "RaterId", "Scope", "ServiceName", "SessionId", "TraceId", "SpanId"),
            *("Changes", "State"),
        ),
        2000,  # its texts are long
    ),
    Collection(
        "sessions",
        "sessions_list",
        sessions.parse_filters,
        "LastUnixNano",
        "SessionId",
        (
            *("SessionId", "UserId", "FirstUnixNano", "LastUnixNano", "Calls", "TotalTokens", "Errors", "MeanDuration"),
            *_COUNTS,
        ),
        10_000,
    ),
    Collection(
        "users",
        "users_list",
        users.parse_filters,
        "LastUnixNano",
        "UserId",
        ("UserId", "FirstUnixNano", "LastUnixNano", "Sessions", "Calls", "TotalTokens", "Errors", *_COUNTS),
        10_000,
    ),
)


def routes(site: Site) -> list[Route]:
    """A file of each list in either format."""
    return [
        Route(f"/{collection.name}.{file_format}", _download(site, collection, file_format))
        for collection in COLLECTIONS
        for file_format in TYPES
    ]


def _download(site: Site, collection: Collection, file_format: str) -> Callable[[Request], Any]:
    async def download(request: Request) -> Response:
        chosen = collection.filters(request.query_params)
        period = parse_period(request.query_params)

        async def batch(cursor: Cursor) -> list[dict[str, Any]]:
            return await site.questions.rows_to_download(
                collection.query,
                **chosen,
                **period.parameters,
                before_time=cursor.time_unix_nano,
                before_id=cursor.row_id,
                limit=collection.batch_rows,
            )

        first = await batch(Cursor())  # what is wrong with the question is told before anything is sent

        async def content() -> AsyncIterator[bytes]:
            yield head(collection.columns, file_format)
            rows = first
            while rows:
                yield lines(rows, collection.columns, file_format)
                last = rows[-1]
                cursor = Cursor(int(last[collection.time_column]), last[collection.id_column])
                rows = await batch(cursor) if len(rows) == collection.batch_rows else []

        days = {each: request.query_params.get(each, "") for each in ("range", "from", "to")}
        name = file_name(collection.name, {**chosen, **days}, datetime.now(UTC), file_format)
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return StreamingResponse(content(), media_type=TYPES[file_format], headers=headers)

    return download
