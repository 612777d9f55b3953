"""Ratings out of Open WebUI: its feedback export (admin panel, Evaluations, Feedbacks) becomes ratings.

``opentelemetry-instrument python -m otel_feedback.adapters.open_webui feedback-history-export.json``

The export is what ``GET /api/v1/evaluations/feedbacks/all/export`` answers: the rows of Open WebUI's table ``feedback``
(backend/open_webui/models/feedbacks.py).
"""

from __future__ import annotations

import argparse
import json
import sys
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from opentelemetry import trace
from opentelemetry._logs import get_logger_provider

from otel_feedback.rating import MAX_REASON_CHARACTERS, Rating, Scope, Target, has_content, make_rating
from otel_feedback.sdk.carriers import send
from otel_feedback.sdk.configuration import settings
from otel_feedback.sdk.pseudonyms import pseudonym

_IDS: Final = uuid.UUID("5f2d1d0c-4c0f-5b0e-9d0a-6f3b7a1c2e4d")
_THUMBS: Final = {"1": True, "-1": False}
_DETAILS_RANGE: Final = (1, 10)
_FLUSH_EVERY: Final = 500
"""Exporters drop what is beyond their queues (2048 by default) while they are busy."""


@dataclass(frozen=True, slots=True)
class Imported:
    """How many ratings were sent, and how many rows held none."""

    ratings: int
    rows_without: int


def import_feedback(rows: Iterable[Mapping[str, Any]]) -> Imported:
    """Record every rating of an export, at its own time and under an id made from its own: again it adds nothing.

    A thumb becomes ``thumbs`` with comment and reason, the number of one to ten beside it ``details``. What is rated
    is the answer whose ``gen_ai.response.id`` is Open WebUI's message id, in the session that is the chat; without a
    message it is the chat. The rater is Open WebUI's user id, as ``pseudonym`` tells.
    """
    sent = empty = 0
    for row in rows:
        ratings = list(ratings_of(row))
        empty += not ratings
        for rating in ratings:
            send(rating)
            sent += 1
            if sent % _FLUSH_EVERY == 0:
                _flush()
    _flush()
    return Imported(sent, empty)


def ratings_of(row: Mapping[str, Any]) -> Iterator[Rating]:
    """The ratings that one row of the table holds: none, the thumb, or the thumb and its number of one to ten."""
    data, meta = row.get("data") or {}, row.get("meta") or {}
    chat, message = str(meta.get("chat_id") or ""), str(meta.get("message_id") or "")
    if row.get("type") != "rating" or not (chat or message):
        return
    target = Target(Scope.SPAN if message else Scope.SESSION, session_id=chat, response_id=message)
    updated = row.get("updated_at") or row["created_at"]
    common: dict[str, Any] = {
        "rater_id": pseudonym(str(row.get("user_id") or "")),
        "time_unix_nano": int(updated) * 1_000_000_000,
        "attributes": _attributes(data),
    }

    def identity(name: str) -> str:
        return str(uuid.uuid5(_IDS, f"{row['id']} {updated} {name}"))

    thumb = _THUMBS.get(str(data.get("rating")))
    reason = str(data.get("reason") or "")[:MAX_REASON_CHARACTERS]
    comment, reasons = str(data.get("comment") or ""), [reason] if reason else []
    if thumb is not None or comment or reasons:
        rating = make_rating(
            "thumbs", thumb, target, comment=comment, reasons=reasons, submission_id=identity("thumbs"), **common
        )
        rating = rating if settings().capture_comments else replace(rating, comment="")
        if has_content(rating):
            yield rating
    number = (data.get("details") or {}).get("rating")
    low, high = _DETAILS_RANGE
    if isinstance(number, int | float) and low <= number <= high:
        yield make_rating(
            "details", number, target, minimum=low, maximum=high, submission_id=identity("details"), **common
        )


def _attributes(data: Mapping[str, Any]) -> dict[str, str]:
    """What Open WebUI tells of the answer beside its rating."""
    lists = {"open_webui.sibling_models": data.get("sibling_model_ids"), "open_webui.tags": data.get("tags")}
    told = {key: ",".join(map(str, value)) for key, value in lists.items() if value}
    return {**told, "open_webui.model": str(data["model_id"])} if data.get("model_id") else told


def _flush() -> None:
    for provider in (trace.get_tracer_provider(), get_logger_provider()):
        flush = getattr(provider, "force_flush", None)
        if flush is not None:
            flush()


def main(arguments: list[str] | None = None) -> int:
    """Import the export that the first argument names; 1 when it can't be read."""
    parser = argparse.ArgumentParser(prog="python -m otel_feedback.adapters.open_webui", description=__doc__)
    parser.add_argument("export", type=Path, help="the JSON file that Open WebUI exported")
    file = parser.parse_args(arguments).export
    try:
        imported = import_feedback(_rows_of(json.loads(file.read_bytes())))
    except (OSError, ValueError, KeyError, TypeError) as error:
        sys.stderr.write(f"{file} is no feedback export of Open WebUI: {type(error).__name__}: {error}\n")
        return 1
    sys.stdout.write(f"{imported.ratings} ratings sent; {imported.rows_without} rows held none\n")
    return 0


def _rows_of(content: object) -> list[dict[str, Any]]:
    if not isinstance(content, list) or not all(isinstance(row, dict) for row in content):
        raise TypeError("it is no list of objects")
    return content


if __name__ == "__main__":
    raise SystemExit(main())
