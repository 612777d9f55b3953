"""Three weeks of LLM calls and ratings drawn by chance, as OTLP and as plain Python that the same figures come from."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status
from tests.support.otlp import SECOND, attributes
from tests.support.ratings import EVENT

DAYS: Final = 21
DAY: Final = 86_400 * SECOND
START: Final = int(datetime(2026, 11, 1, tzinfo=UTC).timestamp()) * SECOND
SERVICES: Final = ("shop", "help-desk")
_MODELS: Final = (("small", "small-0613"), ("small", ""), ("large", "large-0901"), ("", "tiny"))
_PROMPTS: Final = (("answer", "v1"), ("answer", "v2"), ("greet", "v1"), ("", ""))
_LABELS: Final = ("positive", "positive", "negative", "negative", "neutral", "")
_USERS: Final = tuple(f"user-{number}" for number in range(8))
_WORDS: Final = ("plumage", "größe", "返品", "It's \\ 'quoted'", "late", "wrong item", "{x:String}")


@dataclass(frozen=True)
class MadeCall:
    """An LLM call."""

    trace_id: bytes
    span_id: bytes
    at: int
    duration: int
    service: str
    models: tuple[str, str]
    prompt_name: str
    prompt_version: str
    user: str
    session: str
    tokens: tuple[int, int]
    first_chunk_ms: int
    is_error: bool
    prompt: str
    completion: str

    @property
    def model(self) -> str:
        return self.models[1] or self.models[0]

    @property
    def ids(self) -> tuple[str, str]:
        """As they stand in SQL."""
        return self.trace_id.hex(), self.span_id.hex()


@dataclass(frozen=True)
class MadeRating:
    """One submission. ``call`` is what a rating of a call or of its trace goes with; None for a session."""

    id: str
    call: MadeCall | None
    scope: str
    session: str
    name: str
    label: str
    comment: str
    rater: str
    at: int
    source: str
    action: str = "submit"

    @property
    def of(self) -> tuple[Any, ...]:
        """Whose judgement of what; of those that agree in it the newest counts."""
        if self.call is None:
            target: tuple[Any, ...] = (self.session,)
        else:
            target = (self.call.trace_id,) if self.scope == "trace" else self.call.ids
        return (self.scope, *target, self.name, self.rater)


@dataclass
class MadeHistory:
    """Everything that was made."""

    calls: list[MadeCall] = field(default_factory=list)
    submissions: list[MadeRating] = field(default_factory=list)

    def current(self) -> list[MadeRating]:
        """The ratings that count: the newest of each, unless it takes the rating back."""
        newest: dict[tuple[Any, ...], MadeRating] = {}
        for each in sorted(self.submissions, key=lambda each: each.at):
            newest[each.of] = each
        return [each for each in newest.values() if each.action == "submit"]

    def request(self) -> ExportTraceServiceRequest:
        request = ExportTraceServiceRequest()
        spans = {}
        for service in SERVICES:
            group = request.resource_spans.add()
            group.resource.attributes.extend(attributes({"service.name": service}))
            spans[service] = group.scope_spans.add().spans
        for call in self.calls:
            spans[call.service].append(_span_of(call))
        for rating in self.submissions:
            spans[rating.call.service if rating.call else SERVICES[0]].append(_carrier_of(rating))
        return request


def make_history(seed: int) -> MadeHistory:
    """The same seed gives the same history."""
    chance = random.Random(seed)
    history = MadeHistory()
    moments = _moments(chance)
    for number in range(chance.randint(180, 220)):
        calls = list(_trace(chance, number, chance.choice((1, 1, 2))))
        history.calls += calls
        for name in ("thumbs", "helpful"):
            if chance.random() < 0.5:
                _rate(history, chance, moments, calls, name)
        if chance.random() < 0.1:
            rating = MadeRating(
                id=f"r{len(history.submissions)}",
                call=None,
                scope="session",
                session=calls[0].session,
                name="stars",
                label=chance.choice(_LABELS),
                comment=chance.choice(("", *_WORDS)),
                rater=chance.choice(("", *_USERS)),
                at=next(moments),
                source="end_user",
            )
            history.submissions.append(rating)
    return history


def _trace(chance: random.Random, number: int, count: int) -> Iterator[MadeCall]:
    trace_id = chance.randbytes(15) + b"\x01"
    # Some on the very edges of days, which are the edges of what questions ask for.
    at = START + chance.randrange(DAYS) * DAY + chance.choice((0, chance.randrange(DAY // 1000) * 1000))
    service, user = chance.choice(SERVICES), chance.choice(("", *_USERS))
    session = f"session-{chance.randrange(60)}" if chance.random() < 0.9 else ""
    for step in range(count):
        prompt_name, prompt_version = chance.choice(_PROMPTS)
        yield MadeCall(
            trace_id=trace_id,
            span_id=chance.randbytes(7) + b"\x01",
            at=at + step * SECOND,
            duration=chance.randrange(1, 30_000) * 1_000_000,
            service=service,
            models=chance.choice(_MODELS),
            prompt_name=prompt_name,
            prompt_version=prompt_version,
            user=user,
            session=session,
            tokens=(chance.randrange(1, 5000), chance.randrange(1, 900)),
            first_chunk_ms=chance.choice((0, chance.randrange(1, 900))),
            is_error=chance.random() < 0.1,
            prompt=f"{chance.choice(_WORDS)} {number}",
            completion=f"{chance.choice(_WORDS)} {step}",
        )


def _rate(
    history: MadeHistory, chance: random.Random, moments: Iterator[int], calls: list[MadeCall], name: str
) -> None:
    scope = chance.choice(("span", "span", "trace"))
    call = calls[-1] if scope == "trace" else chance.choice(calls)
    for rater in chance.sample(_USERS, chance.choice((1, 1, 1, 3))):
        source = chance.choice(("end_user",) * 5 + ("evaluator",))
        for step in range(chance.choice((1, 1, 1, 1, 2, 3))):
            is_taken_back = step > 0 and chance.random() < 0.4
            rating = MadeRating(
                id=f"r{len(history.submissions)}",
                call=call,
                scope=scope,
                session=call.session,
                name=name,
                label="" if is_taken_back else chance.choice(_LABELS),
                comment="" if is_taken_back else chance.choice(("", "", *_WORDS)),
                rater=rater,
                at=next(moments),
                source=source,
                action="retract" if is_taken_back else "submit",
            )
            history.submissions.append(rating)


def _moments(chance: random.Random) -> Iterator[int]:
    """Moments of the time in question; no two are the same."""
    seen: set[int] = set()
    while True:
        moment = START + chance.randrange(DAYS * DAY // 1000) * 1000
        if moment not in seen:
            seen.add(moment)
            yield moment


def _span_of(call: MadeCall) -> Span:
    span = Span(
        trace_id=call.trace_id,
        span_id=call.span_id,
        name=f"chat {call.model}",
        kind=Span.SPAN_KIND_CLIENT,
        start_time_unix_nano=call.at,
        end_time_unix_nano=call.at + call.duration,
    )
    values = {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": call.models[0],
        "gen_ai.response.model": call.models[1],
        "gen_ai.prompt.name": call.prompt_name,
        "gen_ai.prompt.version": call.prompt_version,
        "gen_ai.usage.input_tokens": call.tokens[0],
        "gen_ai.usage.output_tokens": call.tokens[1],
        "gen_ai.response.time_to_first_chunk": call.first_chunk_ms / 1000 or "",
        "gen_ai.input.messages": call.prompt,
        "gen_ai.output.messages": call.completion,
        "user.id": call.user,
        "session.id": call.session,
    }
    span.attributes.extend(attributes({key: value for key, value in values.items() if value != ""}))
    if call.is_error:
        span.status.code = Status.STATUS_CODE_ERROR
    return span


def _carrier_of(rating: MadeRating) -> Span:
    values = {
        "gen_ai.evaluation.name": rating.name,
        "gen_ai.evaluation.score.label": rating.label,
        "gen_ai.evaluation.explanation": rating.comment,
        "session.id": rating.session,
        "enduser.pseudo.id": rating.rater,
        "otel_feedback.id": rating.id,
        "otel_feedback.action": rating.action,
        "otel_feedback.source": rating.source,
        "otel_feedback.scope": rating.scope,
    }
    own_id = int(rating.id[1:]) + 1
    span = Span(
        trace_id=rating.call.trace_id if rating.call else b"\x05" + own_id.to_bytes(15, "big"),
        span_id=b"\x05" + own_id.to_bytes(7, "big"),
        name=f"user_feedback {rating.name}",
        kind=Span.SPAN_KIND_INTERNAL,
        start_time_unix_nano=rating.at,
        end_time_unix_nano=rating.at,
    )
    told = attributes({key: value for key, value in values.items() if value != ""})
    span.events.add(name=EVENT, time_unix_nano=rating.at).attributes.extend(told)
    if rating.call:
        span.parent_span_id = rating.call.span_id
        span.links.add(trace_id=rating.call.trace_id, span_id=rating.call.span_id)
    return span
