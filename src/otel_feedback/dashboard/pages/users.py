"""``/users`` and ``/users/{id}``: who talks to the model, and how they rate it."""

from __future__ import annotations

from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from otel_feedback.dashboard.cursor import Cursor, Page, cut_page
from otel_feedback.dashboard.filters import parse_period, parse_text
from otel_feedback.dashboard.pages.feedback import list_ratings_of_user
from otel_feedback.dashboard.pages.sessions import list_sessions_of_user
from otel_feedback.dashboard.site import Site

PAGE_SIZE: Final = 50
SHOWN_OF_A_USER: Final = 50


async def list_users(site: Site, request: Request) -> Page:
    """The page of users that the query string asks for, last seen first.

    Raises:
        FilterError: a filter makes no sense.
        CursorError: the cursor was not made here.
    """
    chosen = parse_text(request.query_params, ("text",))
    period = parse_period(request.query_params)
    cursor = Cursor.parse(request.query_params.get("cursor", ""))
    rows = await site.questions.rows(
        "users_list",
        **chosen,
        **period.parameters,
        before_time=cursor.time_unix_nano,
        before_id=cursor.row_id,
        limit=PAGE_SIZE + 1,
    )
    return cut_page(rows, PAGE_SIZE, "LastUnixNano", "UserId")


def routes(site: Site) -> list[Route]:
    """The list, its JSON, and one user."""

    async def users(request: Request) -> Response:
        page = await list_users(site, request)
        query = {name: request.query_params.get(name, "") for name in ("text", "range", "cursor")}
        return site.renderer.page(
            request,
            "users.html",
            page=page,
            period=parse_period(request.query_params),
            query=query,
            is_filtered=bool(query["text"] or query["cursor"]) or query["range"] not in {"", "all"},
        )

    async def users_json(request: Request) -> Response:
        page = await list_users(site, request)
        return JSONResponse({"rows": page.rows, "next_cursor": page.next_cursor})

    async def user(request: Request) -> Response:
        user_id = request.path_params["user_id"] or request.query_params.get("id", "")
        found = await site.questions.row("user_figures", user=user_id) if user_id else {}
        if not found:
            raise HTTPException(404, "No call and no rating names this user.")
        sessions = await list_sessions_of_user(site, user_id, SHOWN_OF_A_USER + 1)
        ratings = await list_ratings_of_user(site, user_id, SHOWN_OF_A_USER + 1)
        return site.renderer.page(
            request,
            "user.html",
            user=found,
            sessions=sessions[:SHOWN_OF_A_USER],
            more_sessions=len(sessions) > SHOWN_OF_A_USER,
            ratings=ratings[:SHOWN_OF_A_USER],
            more_ratings=len(ratings) > SHOWN_OF_A_USER,
        )

    return [
        Route("/users", users),
        Route("/api/users", users_json),
        Route("/users/{user_id:path}", user),
    ]
