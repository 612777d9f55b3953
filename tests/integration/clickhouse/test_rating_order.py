"""One answer for every order: any sequence of the same deliveries, repeated or not, ends in the same ratings."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from tests.integration.clickhouse.conftest import empty
from tests.support.foreign_ratings import evaluation_log, evaluation_span, thumbs_of_microsoft
from tests.support.otlp import NOON, SECOND
from tests.support.ratings import Call, Submission, current
from tests.support.segments import store

from otel_feedback.clickhouse.database import Database

_CALLS: Final = [
    Call(bytes([number + 1]) * 16, bytes([number + 1]) * 8, session="s", response_id=f"r-{number}")
    for number in range(2)
]


@st.composite
def deliveries(draw: st.DrawFn) -> list[Any]:
    """Requests that carry the submissions of a few raters, and those of the calls that they rate."""
    requests: list[Any] = [each.request() for each in _CALLS]
    for number in range(draw(st.integers(1, 6))):
        call = draw(st.sampled_from(_CALLS))
        submission = Submission(
            call,
            id=f"id-{number}",
            at=NOON + draw(st.integers(0, 2)) * SECOND,
            value=draw(st.sampled_from([0.0, 1.0])),
            rater=draw(st.sampled_from(["a", "b"])),
            scope=draw(st.sampled_from(["span", "trace", "session"])),
            session="s",
            action=draw(st.sampled_from(["submit", "submit", "retract"])),
        )
        if draw(st.booleans()) and submission.scope == "span":
            submission = replace(submission, call=None, response_id=call.response_id)
        carriers: list[Any] = [submission.carrier(), submission.log()]
        if draw(st.booleans()):
            values = thumbs_of_microsoft(
                passed=submission.value == 1.0,
                **{"microsoft.gen_ai.human_evaluation.id": submission.id, "enduser.id": submission.rater},
                **{"gen_ai.response.id": draw(st.sampled_from([call.response_id, None]))},
            )
            carriers = [evaluation_span(values, submission.call), evaluation_log(values, submission.call)]
        requests += draw(st.sampled_from([carriers, carriers[:1], carriers[1:]]))
    return requests


def stored_in(database: Database, requests: Sequence[Any], segments: int) -> list[dict[str, Any]]:
    """The current ratings after these requests, in this order, over so many segments of each signal."""
    empty(database)
    size = max(1, math.ceil(len(requests) / segments))
    for start in range(0, len(requests), size):
        batch = requests[start : start + size]
        for kind in (True, False):
            if same := [each for each in batch if isinstance(each, ExportTraceServiceRequest) == kind]:
                store(database, *same)
    return current(database, "* EXCEPT (ReceivedTime)")


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(requests=deliveries(), seed=st.integers(0, 1000), segments=st.integers(1, 4))
def test_any_order_and_any_repetition_end_in_the_same_ratings(
    database: Database, requests: list[Any], seed: int, segments: int
):
    in_order = stored_in(database, requests, 1)
    chance = random.Random(seed)
    jumbled = [*requests, *chance.choices(requests, k=len(requests) // 2)]
    chance.shuffle(jumbled)
    assert stored_in(database, jumbled, segments) == in_order
