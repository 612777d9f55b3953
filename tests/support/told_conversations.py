"""Rated conversations with everything that was said, stored as the service stores them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.support.otlp import NOON, SECOND, attributes
from tests.support.ratings import Call, Submission, only_span
from tests.support.segments import store

from otel_feedback.clickhouse.database import Database


@dataclass(frozen=True)
class Told:
    """A call with what was said, and how it was rated: 1, 0, or None where it was not."""

    question: str
    answer: str
    vote: float | None
    session: str
    user: str = "ana"
    correction: str = ""
    before: Sequence[dict[str, Any]] = ()
    comment: str = ""
    also: Mapping[str, Any] = field(default_factory=dict)
    """Further attributes of the call's span."""

    def requests(self, number: int) -> list[Any]:
        """The call's request and its rating's; ids and times follow from the number."""
        call = Call(
            trace_id=(number + 1).to_bytes(16, "big"),
            span_id=(number + 1).to_bytes(8, "big"),
            at=NOON + number * 20 * SECOND,
            session=self.session,
            user=self.user,
            prompt=json.dumps([*self.before, said("user", self.question)]),
        )
        request = call.request()
        output = json.dumps([said("assistant", self.answer)]) if self.answer else ""
        only_span(request).attributes.extend(attributes({"gen_ai.output.messages": output, **self.also}))
        if self.vote is None:
            return [request]
        also = {"otel_feedback.correction": self.correction, "gen_ai.evaluation.explanation": self.comment}
        rating = Submission(call, id=f"rating-{number}", value=self.vote, rater=self.user, also=also)
        return [request, rating.carrier()]


def said(role: str, content: str) -> dict[str, Any]:
    return {"role": role, "parts": [{"type": "text", "content": content}]}


def store_told(database: Database, told: Sequence[Told]) -> None:
    store(database, *(request for number, each in enumerate(told) for request in each.requests(number)))
