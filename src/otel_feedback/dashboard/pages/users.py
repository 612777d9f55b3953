"""``/users`` and ``/users/{id}``: who talks to the model, and how they rate it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from otel_feedback.dashboard.cursor import Page, cut_page
from otel_feedback.dashboard.filters import FilterError, parse_period, parse_text
from otel_feedback.dashboard.listing import list_parameters
from otel_feedback.dashboard.pages.feedback import list_ratings_of_user
from otel_feedback.dashboard.pages.sessions import list_sessions_of_user
from otel_feedback.dashboard.site import Site

PAGE_SIZE: Final = 50
SHOWN_OF_A_USER: Final = 50
FILTERS: Final = ("rated", "text")
RATED: Final = ("", "negative", "any rating", "not rated")


async def list_users(site: Site, request: Request) -> Page:
    """The page of users that the query string asks for, last seen first.

    Raises:
        FilterError: a filter makes no sense.
        CursorError: the cursor was not made here.
    """
    answer = await site.questions.kept("users_list", **_parameters(request))
    return cut_page(answer.rows, PAGE_SIZE, "LastUnixNano", "UserId")


def routes(site: Site) -> list[Route]:
    """The list, its JSON, and one user."""

    async def users(request: Request) -> Response:
        page = await list_users(site, request)
        query = {name: request.query_params.get(name, "") for name in (*FILTERS, "range", "from", "to", "cursor")}
        return site.renderer.page(
            request,
            "users.html",
            page=page,
            period=parse_period(request.query_params),
            query=query,
            sql=site.questions.shown("users_list", **_parameters(request)),
            is_filtered=any(value for name, value in query.items() if name != "range")
            or query["range"] not in {"", "all"},
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
            sql=site.questions.shown("user_figures", user=user_id),
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


def parse_filters(query: Mapping[str, str]) -> dict[str, str]:
    """The filters of the list, empty where they are not set.

    Raises:
        FilterError: one of them makes no sense.
    """
    chosen = parse_text(query, FILTERS)
    if chosen["rated"] not in RATED:
        raise FilterError(f"rated={chosen['rated'][:40]!r} is not one of {', '.join(RATED[1:])}")
    return chosen


def _parameters(request: Request) -> dict[str, Any]:
    return list_parameters(request.query_params, parse_filters(request.query_params), PAGE_SIZE)
