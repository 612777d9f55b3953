"""``/feedback/{id}``: one rating with its answer in context, the others of the same filter a key away.

An annotator may rate what is read, too: that goes the way of every rating, as OTLP through the service's queue.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote, unquote

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from otel_feedback.dashboard.annotation import Annotations
from otel_feedback.dashboard.conversation import Conversation, Turn, tell
from otel_feedback.dashboard.cursor import Cursor
from otel_feedback.dashboard.filters import MAX_FILTER_CHARACTERS, parse_period, parse_text
from otel_feedback.dashboard.forms import FORM_TOKEN, read_any_form
from otel_feedback.dashboard.links import reading_link, with_query
from otel_feedback.dashboard.pages.feedback import FILTERS, PAGE_SIZE, chosen_filters
from otel_feedback.dashboard.shown_text import fitting_length
from otel_feedback.dashboard.site import Site
from otel_feedback.errors import RejectedRequestError
from otel_feedback.rating import Rating

TURNS_BEFORE: Final = 5
MOST_RATINGS: Final = 40
TEXT_CHARACTERS: Final = 8000
MESSAGES_BYTES: Final = 64 * 1024
ANNOTATOR_COOKIE: Final = "otel_feedback_annotator"
_ANNOTATOR_SECONDS: Final = 180 * 86_400
_MOST_FORM_BYTES: Final = 2 << 20
_ANSWER_BYTES: Final = 45_000
_BEFORE_BYTES: Final = 25_000
_RATINGS_BYTES: Final = 25_000
_ID: Final = re.compile(r"[0-9a-f]{32}")
_DONE: Final = {
    "saved": "Your rating is saved.",
    "next": "Your rating of the one before is saved.",
    "retracted": "Your rating is taken back.",
}
_RULES_PATH: Final = "/static/speculation-rules.json"
_RULES: Final = (
    '{"prefetch": [{"source": "document", "where": {"selector_matches": "a[data-prefetch]"}, '
    '"eagerness": "immediate"}]}'
)
"""What browsers that know the header Speculation-Rules do: fetch the next rating's page while this one is read."""

Form = Mapping[str, str]


def routes(site: Site, annotations: Annotations | None) -> list[Route]:
    """The page, and the annotator's form on it where there is someone to take annotations."""
    reading = _Reading(site, annotations)
    found = [
        Route("/feedback/{feedback_id}", reading.show, methods=["GET"]),
        Route(_RULES_PATH, _speculation_rules),
    ]
    if annotations is not None:
        found.append(Route("/feedback/{feedback_id}", reading.annotate, methods=["POST"]))
    return found


class _Reading:
    def __init__(self, site: Site, annotations: Annotations | None) -> None:
        self._site = site
        self._annotations = annotations

    async def show(self, request: Request) -> Response:
        rating = await self._rating(request)
        if not rating:
            return self._gone(request)
        return await self._page(request, rating, annotator=_annotator(request))

    async def annotate(self, request: Request) -> Response:
        form = await read_any_form(request, _MOST_FORM_BYTES)
        rating = await self._rating(request)
        if not rating:
            return self._gone(request)
        annotator = form.get("annotator", "").strip()
        try:
            await self._take(request, rating, annotator, form)
        except ValueError as error:
            problem, status = str(error), 400
        except RejectedRequestError as error:
            problem, status = str(error), error.status
        else:
            return await self._after(request, rating, form, annotator)
        page = await self._page(request, rating, annotator=annotator, form=form, problem=problem)
        page.status_code = status
        return page

    async def _take(self, request: Request, rating: dict[str, Any], annotator: str, form: Form) -> None:
        if self._annotations is None:
            raise RuntimeError("the form was sent to a dashboard that takes no annotations")
        if not self._site.access.accepts_form(request, form.get(FORM_TOKEN, "")):
            raise RejectedRequestError(403, "old_form", "This page was too old. It is new now: send it again.")
        await self._annotations.submit(rating, annotator, form)

    async def _after(self, request: Request, rating: dict[str, Any], form: Form, annotator: str) -> Response:
        filters = chosen_filters(request.query_params)
        target = rating["FeedbackId"]
        done = "retracted" if form.get("action", "") == "retract" else "saved"
        if form.get("then", "") == "next":
            place = await self._place(request, rating)
            if place["OlderId"]:
                target, done = place["OlderId"], "next"
        response = RedirectResponse(reading_link(target, {**filters, "done": done}), status_code=303)
        response.set_cookie(
            ANNOTATOR_COOKIE,
            quote(annotator, safe=""),
            max_age=_ANNOTATOR_SECONDS,
            path="/feedback",
            secure=request.url.scheme == "https",
            httponly=True,
            samesite="strict",
        )
        return response

    async def _rating(self, request: Request) -> dict[str, Any]:
        feedback_id = request.path_params["feedback_id"]
        if not _ID.fullmatch(feedback_id):
            return {}
        return await self._site.questions.row("feedback_one", id=feedback_id)

    def _gone(self, request: Request) -> Response:
        return self._site.renderer.page(
            request,
            "error.html",
            status_code=404,
            heading="This rating is not here",
            message="Its rater may have taken it back, it may have expired, or the link is not whole.",
            hint="",
            ways=[("Back to the list", with_query("/feedback", chosen_filters(request.query_params)))],
        )

    async def _page(
        self,
        request: Request,
        rating: dict[str, Any],
        *,
        annotator: str,
        form: Form | None = None,
        problem: str = "",
    ) -> Response:
        place, conversation, own = await asyncio.gather(
            self._place(request, rating), self._conversation(rating), self._own(rating, annotator)
        )
        answer = _turn_of(conversation, rating)
        before = [turn for turn in conversation.turns if turn is not answer]
        beside = _others(answer, rating)
        filters = chosen_filters(request.query_params)
        response = self._site.renderer.page(
            request,
            "reading.html",
            rating=rating,
            place=place,
            newer=reading_link(place["NewerId"], filters) if place["NewerId"] else "",
            older=reading_link(place["OlderId"], filters) if place["OlderId"] else "",
            back=_link_back(rating, place, filters),
            filters=filters,
            answer=answer,
            before=before,
            beside=beside,
            answer_length=fitting_length(_texts_of([answer] if answer else []), _ANSWER_BYTES, (8000, 4000, 2000, 600)),
            before_length=fitting_length(_texts_of(before), _BEFORE_BYTES, (1200, 600, 240, 120)),
            rating_length=fitting_length(_words_of([rating, *beside]), _RATINGS_BYTES),
            annotates=self._annotations is not None,
            captures_comments=self._annotations is not None and self._annotations.captures_comments,
            annotator=annotator,
            own=own,
            given=_given(own, form),
            problem=problem,
            done="" if problem else _DONE.get(request.query_params.get("done", ""), ""),
        )
        response.headers["Speculation-Rules"] = f'"{_RULES_PATH}"'
        return response

    async def _place(self, request: Request, rating: dict[str, Any]) -> dict[str, Any]:
        return await self._site.questions.row(
            "feedback_place",
            **parse_text(request.query_params, FILTERS),
            **parse_period(request.query_params).parameters,
            at_time=rating["TimeUnixNano"],
            at_id=rating["FeedbackId"],
        )

    async def _conversation(self, rating: dict[str, Any]) -> Conversation:
        if not rating["TraceId"] and not rating["SessionId"]:
            return tell([], [])
        calls = await self._site.questions.rows(
            "calls_until",
            trace=rating["TraceId"],
            span=rating["SpanId"],
            session=rating["SessionId"],
            limit=TURNS_BEFORE + 1,
            text_characters=TEXT_CHARACTERS,
            messages_bytes=MESSAGES_BYTES,
        )
        traces = sorted({call["TraceId"] for call in calls})
        ratings = await self._site.questions.rows("traces_ratings", traces=traces, limit=MOST_RATINGS) if traces else []
        return tell(list(reversed(calls)), ratings)

    async def _own(self, rating: dict[str, Any], annotator: str) -> Rating | None:
        if self._annotations is None:
            return None
        try:
            return await self._annotations.current(rating, annotator)
        except ValueError:
            return None  # a name that nobody can have has rated nothing; the form says what is wrong with it
        except RejectedRequestError as error:
            raise HTTPException(error.status, str(error)) from None


async def _speculation_rules(_request: Request) -> Response:
    return Response(_RULES, media_type="application/speculationrules+json")


def _annotator(request: Request) -> str:
    name = unquote(request.cookies.get(ANNOTATOR_COOKIE, ""))
    return name if len(name) <= MAX_FILTER_CHARACTERS else ""


def _turn_of(conversation: Conversation, rating: dict[str, Any]) -> Turn | None:
    """The turn whose answer is rated: the last one, for it was asked for up to there. A session has none."""
    return conversation.turns[-1] if conversation.turns and rating["Scope"] != "session" else None


def _others(answer: Turn | None, rating: dict[str, Any]) -> list[dict[str, Any]]:
    """What others, or the same person under another name, said of the same answer."""
    if answer is None:
        return []
    return [each for each in answer.ratings if each["FeedbackId"] != rating["FeedbackId"]]


def _link_back(rating: dict[str, Any], place: dict[str, Any], filters: dict[str, str]) -> str:
    """The list with this rating on it, and the focus there: far down, the page of the list that begins with it."""
    is_on_first_page = place["Newer"] < PAGE_SIZE
    cursor = "" if is_on_first_page else str(Cursor(int(place["NewerUnixNano"]), place["NewerId"]))
    return f"{with_query('/feedback', {**filters, 'cursor': cursor})}#rating-{rating['FeedbackId']}"


def _texts_of(turns: list[Turn]) -> list[str]:
    return [text for turn in turns for text in (turn.call["Prompt"], turn.call["Completion"])]


def _words_of(ratings: list[dict[str, Any]]) -> list[str]:
    return [text for each in ratings for text in (each["Comment"], each["Correction"], *each["Reasons"])]


def _given(own: Rating | None, form: Form | None) -> dict[str, str]:
    """What stands in the form: what was sent and refused, else what is stored."""
    if form is not None:
        return {name: form.get(name, "") for name in ("verdict", "comment", "reasons", "correction")}
    if own is None:
        return dict.fromkeys(("verdict", "comment", "reasons", "correction"), "")
    verdict = {1.0: "positive", 0.0: "negative"}.get(-1.0 if own.value is None else own.value, "")
    return {
        "verdict": verdict,
        "comment": own.comment,
        "reasons": ", ".join(own.reasons),
        "correction": own.correction,
    }
