"""``/text`` and ``/messages``: what is too long for a page, a part at a time, as a page or as a piece to put into one.

Pages show the beginning of a long text. The rest is asked for when a person opens it: by a script, which gets a piece
of HTML (``fragment=1``), or by the link that stands there without one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from otel_feedback.dashboard.conversation import ChatMessage, read_messages
from otel_feedback.dashboard.filters import FilterError
from otel_feedback.dashboard.links import text_link
from otel_feedback.dashboard.shown_text import fitting_length
from otel_feedback.dashboard.site import Site

PART_CHARACTERS: Final = 16_000
MESSAGES_BYTES: Final = 4 << 20
MOST_MESSAGES: Final = 60
"""Of each side of a call: its instructions, its input, its output."""
MOST_PIECES: Final = 20
"""Of each message that has more than one piece, after the first MOST_MESSAGES pieces none but one."""
_MESSAGES_TEXT_BYTES: Final = 60_000
_MOST_NUMBER: Final = 10**9
_FIELDS: Final = {
    "rating": ("Comment", "Correction"),
    "call": ("Prompt", "Completion", "SystemInstructions", "InputMessages", "OutputMessages"),
    "span": ("SpanName", "StatusMessage", "SpanAttributes", "ResourceAttributes", "Events", "Links"),
    "log": ("Body", "LogAttributes"),
}
"""What ``of`` can name, and the fields that ``sql/queries/text_of_{of}.sql`` knows."""


@dataclass(frozen=True, slots=True)
class Side:
    """What a model was told, or answered, as far as a page shows it; ``column`` is the one of ``llm_calls``."""

    column: str
    size_bytes: int
    messages: list[ChatMessage]
    is_cut: bool


def routes(site: Site) -> list[Route]:
    """Both pages."""

    async def text(request: Request) -> Response:
        part = _number(request, "part", 1)
        text, length = await _text(site, request, (part - 1) * PART_CHARACTERS)
        if not length:
            raise HTTPException(404, "This text is not stored. It may have expired.")
        place = {name: value for name, value in request.query_params.items() if name not in {"part", "fragment"}}
        return show(
            site,
            request,
            "text.html",
            "text_part.html",
            text=text,
            length=length,
            part=part,
            parts=-(-length // PART_CHARACTERS),
            part_link=lambda number: text_link(**place, part=number),
        )

    async def messages(request: Request) -> Response:
        trace_id, span_id = (request.query_params.get(name, "") for name in ("trace", "span"))
        call = await site.questions.row("call_messages", trace=trace_id, span=span_id, messages_bytes=MESSAGES_BYTES)
        if not call:
            raise HTTPException(404, "This call is not stored. It may have expired.")
        sides = [_side(call, column) for column in ("SystemInstructions", "InputMessages", "OutputMessages")]
        texts = [part.text for side in sides for message in side.messages for part in message.parts]
        return show(
            site,
            request,
            "messages.html",
            "messages_all.html",
            trace_id=trace_id,
            span_id=span_id,
            sides=sides,
            text_length=min(fitting_length(texts, _MESSAGES_TEXT_BYTES), 600),
        )

    return [Route("/text", text), Route("/messages", messages)]


def show(site: Site, request: Request, page: str, fragment: str, **values: Any) -> Response:
    """The page, or only the piece that a script asked for; both have the same values."""
    if request.query_params.get("fragment"):
        return HTMLResponse(site.renderer.fragment(fragment, **values))
    return site.renderer.page(request, page, fragment=fragment, **values)


async def _text(site: Site, request: Request, start: int) -> tuple[str, int]:
    """A part of the text that the query string names, from a character on, and the length of the whole."""
    query = request.query_params
    of, field = query.get("of", ""), query.get("field", "")
    if field not in _FIELDS.get(of, ()):
        raise FilterError(f"of={of[:40]!r} has no field={field[:40]!r}")
    if of == "call" and "message" in query:
        return await _piece(site, request, start)
    place: dict[str, Any] = {"field": field, "start": start + 1, "characters": PART_CHARACTERS}
    if of == "rating":
        place["id"] = query.get("id", "")
    else:
        place |= {"trace": query.get("trace", "")}
    if of in {"call", "span"}:
        place["span"] = query.get("span", "")
    if of in {"span", "log"}:
        place |= {"number": _number(request, "number", 1), "key": query.get("key", "")}
    if of == "log":
        place["time"] = _number(request, "time", 0, 2**63 - 1)
    row = await site.questions.row(f"text_of_{of}", **place)
    return str(row.get("Text", "")), int(row.get("Length", 0))


async def _piece(site: Site, request: Request, start: int) -> tuple[str, int]:
    """A part of one piece of one message."""
    query = request.query_params
    call = await site.questions.row(
        "call_messages", trace=query.get("trace", ""), span=query.get("span", ""), messages_bytes=MESSAGES_BYTES
    )
    found = read_messages(call.get(query["field"], ""))
    try:
        text = found[_number(request, "message", 1) - 1].parts[_number(request, "piece", 1) - 1].text
    except IndexError:
        return "", 0
    return text[start : start + PART_CHARACTERS], len(text)


def _side(call: dict[str, Any], column: str) -> Side:
    """The first messages of one side, and of these the first pieces; of a longer one than MESSAGES_BYTES none."""
    found = read_messages(call[column])
    shown: list[ChatMessage] = []
    room = MOST_MESSAGES
    for message in found[:MOST_MESSAGES]:
        pieces = message.parts[: max(1, min(MOST_PIECES, room))]
        room -= len(pieces)
        shown.append(ChatMessage(message.role, pieces))
    is_cut = len(found) > len(shown) or any(
        len(whole.parts) > len(cut.parts) for whole, cut in zip(found, shown, strict=False)
    )
    return Side(column, int(call[f"{column}Length"]), shown, is_cut)


def _number(request: Request, name: str, least: int, most: int = _MOST_NUMBER) -> int:
    text = request.query_params.get(name, str(least))
    if not (text.isascii() and text.isdigit() and len(text) < 20 and least <= int(text) <= most):
        raise FilterError(f"{name}={text[:40]!r} is not a number from {least}")
    return int(text)
