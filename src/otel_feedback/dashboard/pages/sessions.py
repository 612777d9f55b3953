"""``/sessions`` and ``/sessions/{id}``: conversations, and one read from top to bottom with its ratings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from otel_feedback.dashboard.conversation import Conversation, tell
from otel_feedback.dashboard.cursor import Cursor, Page, cut_page
from otel_feedback.dashboard.filters import FilterError, parse_period, parse_text
from otel_feedback.dashboard.links import session_link
from otel_feedback.dashboard.listing import list_parameters
from otel_feedback.dashboard.shown_text import fitting_length
from otel_feedback.dashboard.site import Site

PAGE_SIZE: Final = 50
CALLS_A_PAGE: Final = 30
MOST_RATINGS: Final = 20
"""At the head of a session; of one answer MOST_RATINGS_OF_ANSWER. The Feedback page has all of them."""
MOST_RATINGS_OF_ANSWER: Final = 3
TEXT_CHARACTERS: Final = 2000
MESSAGES_BYTES: Final = 64 * 1024
_TEXT_BYTES: Final = 50_000
_RATINGS_BYTES: Final = 20_000
RATED: Final = ("", "positive", "negative", "any rating", "not rated")
ERRORS: Final = ("", "only")
FILTERS: Final = ("rated", "errors", "service", "model", "user", "text")


def parse_filters(query: Mapping[str, str]) -> dict[str, str]:
    """The filters of the list, empty where they are not set.

    Raises:
        FilterError: one of them makes no sense.
    """
    chosen = parse_text(query, FILTERS)
    for name, known in (("rated", RATED), ("errors", ERRORS)):
        if chosen[name] not in known:
            raise FilterError(f"{name}={chosen[name][:40]!r} is not one of {', '.join(known[1:])}")
    return chosen


async def list_sessions(site: Site, request: Request) -> Page:
    """The page of sessions that the query string asks for, last active first.

    Raises:
        FilterError: a filter makes no sense.
        CursorError: the cursor was not made here.
    """
    answer = await site.questions.kept("sessions_list", **_parameters(request))
    return cut_page(answer.rows, PAGE_SIZE, "LastUnixNano", "SessionId")


async def list_sessions_of_user(site: Site, user_id: str, limit: int) -> list[dict[str, Any]]:
    """The newest sessions of a user."""
    everything = parse_period({})
    first = Cursor()
    return await site.questions.rows(
        "sessions_list",
        **{**dict.fromkeys(FILTERS, ""), "user": user_id},
        **everything.parameters,
        before_time=first.time_unix_nano,
        before_id=first.row_id,
        limit=limit,
    )


def routes(site: Site) -> list[Route]:
    """The list, its JSON, and one session."""

    async def sessions(request: Request) -> Response:
        page = await list_sessions(site, request)
        facets = (await site.questions.kept("call_facets")).rows[0]
        query = {name: request.query_params.get(name, "") for name in (*FILTERS, "range", "from", "to", "cursor")}
        return site.renderer.page(
            request,
            "sessions.html",
            page=page,
            period=parse_period(request.query_params),
            query=query,
            facets=facets,
            sql=site.questions.shown("sessions_list", **_parameters(request)),
            is_filtered=any(value for name, value in query.items() if name != "range")
            or query["range"] not in {"", "all"},
        )

    async def sessions_json(request: Request) -> Response:
        page = await list_sessions(site, request)
        return JSONResponse({"rows": page.rows, "next_cursor": page.next_cursor})

    async def session(request: Request) -> Response:
        return await _show_session(site, request)

    return [
        Route("/sessions", sessions),
        Route("/api/sessions", sessions_json),
        Route("/sessions/{session_id:path}", session),
    ]


def _parameters(request: Request) -> dict[str, Any]:
    return list_parameters(request.query_params, parse_filters(request.query_params), PAGE_SIZE)


async def _show_session(site: Site, request: Request) -> Response:
    session_id = request.path_params["session_id"] or request.query_params.get("id", "")
    figures = await site.questions.row("session_figures", session=session_id) if session_id else {}
    ratings = await site.questions.rows("session_ratings", session=session_id) if session_id else []
    if not figures and not ratings:
        raise HTTPException(404, "No call and no rating names this session.")
    figures = {**(figures or _without_calls(session_id, ratings)), **_counts_of(ratings)}
    page_count = max(1, -(-int(figures["Calls"]) // CALLS_A_PAGE))
    page_number = min(await _page_number(site, request, session_id), page_count)
    calls = await site.questions.rows(
        "session_calls",
        session=session_id,
        limit=CALLS_A_PAGE,
        offset=(page_number - 1) * CALLS_A_PAGE,
        text_characters=TEXT_CHARACTERS,
        messages_bytes=MESSAGES_BYTES,
    )
    path_here, _, query = session_link(session_id).partition("?")
    conversation = tell(calls, ratings)
    return site.renderer.page(
        request,
        "session.html",
        session=figures,
        conversation=conversation,
        most_ratings=MOST_RATINGS,
        most_ratings_of_answer=MOST_RATINGS_OF_ANSWER,
        text_length=fitting_length(
            (text for call in calls for text in (call["Prompt"], call["Completion"])), _TEXT_BYTES
        ),
        rating_length=fitting_length(_shown_words(conversation), _RATINGS_BYTES),
        page_number=page_number,
        page_count=page_count,
        path_here=path_here,
        base_query={"id": session_id} if query else {},
    )


async def _page_number(site: Site, request: Request, session_id: str) -> int:
    """The part of a long session to show: ``page``, or the one that holds the answer ``call``."""
    call = request.query_params.get("call", "")
    if call:
        place = await site.questions.row("session_call_position", session=session_id, span=call)
        return int(place["Before"]) // CALLS_A_PAGE + 1
    text = request.query_params.get("page", "1")
    if not (text.isascii() and text.isdigit() and len(text) < 9 and int(text) > 0):
        raise FilterError(f"page={text[:40]!r} is not a number from 1")
    return int(text)


def _shown_words(conversation: Conversation) -> list[str]:
    """The texts of the ratings that are shown."""
    shown = [
        *conversation.session_ratings[:MOST_RATINGS],
        *conversation.other_ratings[:MOST_RATINGS],
        *(each for turn in conversation.turns for each in turn.ratings[:MOST_RATINGS_OF_ANSWER]),
    ]
    return [text for each in shown for text in (each["Comment"], each["Correction"], *each["Reasons"])]


def _counts_of(ratings: list[dict[str, Any]]) -> dict[str, int]:
    """How people rated the session: what annotators and evaluators said of it is shown, but is no user's vote."""
    labels = [rating["Label"] for rating in ratings if rating["Source"] not in {"annotator", "evaluator"}]
    return {
        "Ratings": len(labels),
        "Positive": labels.count("positive"),
        "Neutral": labels.count("neutral"),
        "Negative": labels.count("negative"),
    }


def _without_calls(session_id: str, ratings: list[dict[str, Any]]) -> dict[str, Any]:
    """What is known of a session whose calls have not arrived."""
    times = [int(rating["TimeUnixNano"]) for rating in ratings]
    return {
        "SessionId": session_id,
        "UserId": "",
        "Calls": 0,
        "InputTokens": 0,
        "OutputTokens": 0,
        "MeanDuration": 0,
        "Errors": 0,
        "FirstUnixNano": min(times),
        "LastUnixNano": max(times),
    }
