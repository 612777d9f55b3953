"""The demo without a person: chats over the wire, rates answers, and waits until each rating is joined in SQL."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from otel_feedback.demo.local_http import call
from otel_feedback.demo.processes import DemoError
from otel_feedback.demo.running_service import RunningService
from otel_feedback.demo.start import Demo
from otel_feedback.feedback_api import FEEDBACK_PATH, TOKEN_HEADER
from otel_feedback.rating import Label
from otel_feedback.tokens import Keyring

JOINED_WITHIN_SECONDS: Final = 10.0
_POLL_SECONDS: Final = 0.1
_NAME: Final = "thumbs"


@dataclass(frozen=True, slots=True)
class Vote:
    """One click."""

    is_good: bool
    comment: str = ""
    reasons: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """The label that it ends as."""
        return str(Label.POSITIVE if self.is_good else Label.NEGATIVE)


@dataclass(frozen=True, slots=True)
class Visit:
    """One question, and what its asker does with the answer: votes in their order, perhaps taken back at the end."""

    conversation: str
    user: str
    question: str
    votes: tuple[Vote, ...]
    takes_back: bool = False


VISITS: Final = (
    Visit("orders", "ana", "Where is my order A-1010?", (Vote(is_good=True, comment="Knows where my parcel is."),)),
    Visit(
        "orders",
        "ana",
        "How do I season a cast iron pan?",
        (Vote(is_good=False, comment="Too hot for my oven.", reasons=("Incomplete", "Not what I asked")),),
    ),
    Visit("returns", "kofi", "Can I return an opened item?", (Vote(is_good=False), Vote(is_good=True))),
    Visit("returns", "kofi", "Where is my refund for A-1009?", (Vote(is_good=True),)),
    Visit("pans", "ana", "Which pans work on induction?", (Vote(is_good=True),), takes_back=True),
)


@dataclass(frozen=True, slots=True)
class Rated:
    """A visit that was made: the trace of its answer, and when its last click was answered."""

    visit: Visit
    trace_id: str
    clicked_at: float


@dataclass(frozen=True, slots=True)
class Joined:
    """A row of ``rated_llm_calls``, and how long after the click it was there."""

    row: Mapping[str, Any]
    seconds: float


def run_unattended(demo: Demo) -> list[Joined]:
    """Make the visits one by one, each until its rating is joined (or gone, if it was taken back).

    Raises:
        DemoError: an answer or a rating failed, or one is not joined as it should be within 10 s of its click.
    """
    run_id = uuid.uuid4().hex[:12]
    said: dict[str, list[dict[str, str]]] = {}
    joined: dict[Rated, Joined] = {}
    made: list[Rated] = []
    for visit in VISITS:
        rated = _make(visit, demo, f"{visit.conversation}-{run_id}", said.setdefault(visit.conversation, []))
        made.append(rated)
        if (row := _wait_until_joined(demo, rated)) is not None:
            joined[rated] = Joined(row, time.monotonic() - rated.clicked_at)
    for rated in made:  # nothing may have changed, doubled or come back meanwhile
        if wrong := _wrong_with(rated, *_look(demo.service, rated.trace_id)):
            raise DemoError(_not_joined(rated, wrong))
    return list(joined.values())


def _make(visit: Visit, demo: Demo, conversation: str, messages: list[dict[str, str]]) -> Rated:
    """Ask, read the whole answer, and click."""
    messages.append({"role": "user", "content": visit.question})
    token, answer = _ask(demo.chat_url, conversation, visit.user, messages)
    messages.append({"role": "assistant", "content": answer})
    for vote in visit.votes:
        _click(demo.chat_url, "POST", token, vote)
    if visit.takes_back:
        _click(demo.chat_url, "DELETE", token)
    return Rated(visit, Keyring(demo.signing_keys).verify(token).target.trace_id, time.monotonic())


def _ask(chat_url: str, conversation: str, user: str, messages: Sequence[Mapping[str, str]]) -> tuple[str, str]:
    """The rating token and the whole text of the streamed answer."""
    question = messages[-1]["content"]
    body = {"conversation": conversation, "user": user, "messages": messages}
    answer = call("POST", f"{chat_url}/api/chat", body, timeout_seconds=90)
    if answer.status != 200:
        raise DemoError(f"The chat did not answer {question!r}: HTTP status {answer.status}: {_shown(answer.body)}")
    lines = [json.loads(line) for line in answer.body.splitlines()]
    if not lines or not lines[-1].get("done"):
        raise DemoError(f"The answer to {question!r} broke off: {lines[-1:]}")
    token = answer.headers.get(TOKEN_HEADER.lower())
    if not token:
        raise DemoError(f"The answer to {question!r} came without the header {TOKEN_HEADER}")
    return token, "".join(line.get("text", "") for line in lines)


def _click(chat_url: str, method: str, token: str, vote: Vote | None = None) -> None:
    """What the widget sends for a click."""
    body: dict[str, Any] = {"token": token, "id": str(uuid.uuid4()), "name": _NAME}
    if vote is not None:
        body |= {"value": vote.is_good, "comment": vote.comment, "reasons": list(vote.reasons)}
    answer = call(method, chat_url + FEEDBACK_PATH, body)
    if answer.status != 202:
        raise DemoError(f"The chat did not take a rating: HTTP status {answer.status}: {_shown(answer.body)}")


def _wait_until_joined(demo: Demo, rated: Rated) -> Mapping[str, Any] | None:
    """The joined row; None once a rating that was taken back is gone."""
    while True:
        demo.children.check()
        rows, actions = _look(demo.service, rated.trace_id)
        wrong = _wrong_with(rated, rows, actions)
        if not wrong:
            return rows[0] if rows else None
        if time.monotonic() > rated.clicked_at + JOINED_WITHIN_SECONDS:
            raise DemoError(_not_joined(rated, wrong))
        time.sleep(_POLL_SECONDS)


def _look(service: RunningService, trace_id: str) -> tuple[list[dict[str, Any]], list[str]]:
    """The trace's joined ratings, and what has arrived so far: submit or retract, in the order of the clicks."""
    actions = [row["Action"] for row in service.rows("submissions_of_trace", trace=trace_id)]
    return service.rows("rated_calls_of_trace", trace=trace_id), actions


def _wrong_with(rated: Rated, rows: Sequence[Mapping[str, Any]], actions: Sequence[str]) -> str:
    """What is not yet as it should be, "" if all is well."""
    if rated.visit.takes_back:
        if "retract" not in actions:
            return "the retraction has not arrived"
        return f"{len(rows)} rows in rated_llm_calls, although it was taken back" if rows else ""
    if len(rows) != 1:
        return f"{len(rows)} rows in rated_llm_calls instead of one; {len(actions)} submissions have arrived"
    row, vote = rows[0], rated.visit.votes[-1]
    expected = {
        "Label": vote.label,
        "Comment": vote.comment,
        "Reasons": list(vote.reasons),
        "RaterId": rated.visit.user,
        "Prompt": rated.visit.question,
        "Changes": len(rated.visit.votes) - 1,
    }
    wrong = [
        f"{name} is {row[name]!r} instead of {value!r}" for name, value in expected.items() if not _is(row[name], value)
    ]
    missing = [
        name
        for name in ("Duration", "InputTokens", "OutputTokens", "RequestModel", "Completion")
        if row[name] in {"", 0, "0"}
    ]
    return "; ".join([*wrong, *(f"{name} is missing" for name in missing)])


def _is(found: object, expected: object) -> bool:
    """Equal, where ClickHouse's JSON may write a 64-bit number as a string."""
    return found == expected or (isinstance(expected, int) and found == str(expected))


def _not_joined(rated: Rated, wrong: str) -> str:
    vote = rated.visit.votes[-1]
    return (
        f"The rating of {rated.visit.question!r} ({vote.label}, by {rated.visit.user}) is not joined with its call "
        f"{JOINED_WITHIN_SECONDS:g} s after its click: {wrong}. Its trace is {rated.trace_id}"
    )


def _shown(body: bytes) -> str:
    return body[:300].decode(errors="replace")
