"""The made-up history: repeatable, in the past, as the wire format says, with a story to find, and sent once."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any, cast

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from tests.support.otlp_sink import attributes_of

from otel_feedback.demo.history import DAYS, make_history, send_history
from otel_feedback.demo.history_spans import HistorySpans
from otel_feedback.demo.processes import DemoError
from otel_feedback.demo.running_service import RunningService

DAY = date(2026, 5, 4)


@pytest.fixture(scope="module")
def history() -> HistorySpans:
    return make_history(DAY)


def carriers(history: HistorySpans) -> Iterator[Span]:
    return (span for span in history.spans if span.name.startswith("user_feedback "))


def calls(history: HistorySpans) -> Iterator[Span]:
    return (span for span in history.spans if span.name.startswith("chat "))


def test_the_same_day_gives_the_same_bytes(history: HistorySpans):
    assert make_history(DAY).serialize() == history.serialize()


def test_another_day_gives_the_same_story_with_other_ids(history: HistorySpans):
    other = make_history(DAY + timedelta(days=1))
    assert [span.name for span in other.spans] == [span.name for span in history.spans]
    assert not {span.span_id for span in other.spans} & {span.span_id for span in history.spans}
    assert not {attributes_of(span)["otel_feedback.id"] for span in carriers(other)} & {
        attributes_of(span)["otel_feedback.id"] for span in carriers(history)
    }


def test_it_lies_in_its_two_weeks(history: HistorySpans):
    midnight = datetime.combine(DAY, datetime.min.time(), UTC)
    first, last = (int((midnight + timedelta(days=days)).timestamp()) * 10**9 for days in (0, DAYS))
    assert all(first < span.start_time_unix_nano <= span.end_time_unix_nano < last for span in history.spans)


def test_ids_are_unique(history: HistorySpans):
    assert len({span.span_id for span in history.spans}) == len(history.spans)
    submissions = [attributes_of(span)["otel_feedback.id"] for span in carriers(history)]
    assert len(set(submissions)) == len(submissions)


def test_there_is_enough_to_look_at(history: HistorySpans):
    attributes = [attributes_of(span) for span in calls(history)]
    assert 110 <= len({each["session.id"] for each in attributes}) <= 140
    assert len({each["enduser.pseudo.id"] for each in attributes}) >= 15
    assert len({each["gen_ai.request.model"] for each in attributes}) == 3
    assert {each["gen_ai.prompt.version"] for each in attributes} == {"v1", "v2"}
    assert len({each["error.type"] for each in attributes if "error.type" in each}) == 2
    assert any(span.name == "execute_tool look_up_order" for span in history.spans)
    ratings = [attributes_of(span) for span in carriers(history)]
    assert {each["gen_ai.evaluation.name"] for each in ratings} == {"thumbs", "stars"}
    assert {each["otel_feedback.scope"] for each in ratings} == {"span", "trace", "session"}
    assert {each["otel_feedback.action"] for each in ratings} == {"submit", "retract"}
    for part in ("gen_ai.evaluation.explanation", "otel_feedback.correction", "otel_feedback.reasons"):
        assert sum(part in each for each in ratings) >= 5, part
    per_target = Counter((span.trace_id, attributes_of(span)["enduser.pseudo.id"]) for span in carriers(history))
    assert sum(count > 1 for count in per_target.values()) >= 5, "some minds are changed"


def test_the_new_prompt_is_visibly_better(history: HistorySpans):
    version = {span.trace_id: attributes_of(span)["gen_ai.prompt.version"] for span in calls(history)}
    labels: Counter[tuple[str, str]] = Counter()
    for span in carriers(history):
        label = attributes_of(span).get("gen_ai.evaluation.score.label")
        if label and span.trace_id in version:
            labels[version[span.trace_id], label] += 1
    share = {
        each: labels[each, "positive"] / (labels[each, "positive"] + labels[each, "negative"]) for each in ("v1", "v2")
    }
    assert share["v2"] > share["v1"] + 0.2


def test_a_rating_of_an_answer_is_a_child_with_one_link_to_what_it_rates(history: HistorySpans):
    known = {(span.trace_id, span.span_id): span for span in history.spans}
    for carrier in carriers(history):
        attributes = attributes_of(carrier)
        (event,) = carrier.events
        assert event.name == "gen_ai.evaluation.result"
        assert attributes_of(event) == attributes
        assert carrier.kind == Span.SPAN_KIND_INTERNAL
        assert carrier.start_time_unix_nano == carrier.end_time_unix_nano == event.time_unix_nano
        assert "gen_ai.operation.name" not in attributes
        if attributes["otel_feedback.scope"] == "session":
            assert (carrier.parent_span_id, list(carrier.links)) == (b"", [])
            continue
        rated = known[carrier.trace_id, carrier.parent_span_id]
        (link,) = carrier.links
        assert (link.trace_id, link.span_id) == (rated.trace_id, rated.span_id)
        assert rated.end_time_unix_nano < carrier.start_time_unix_nano, "nobody rates what they have not read"
        assert attributes_of(rated)["enduser.pseudo.id"] == attributes["enduser.pseudo.id"]


def test_a_call_has_what_the_official_instrumentation_sends(history: HistorySpans):
    for span in calls(history):
        attributes = attributes_of(span)
        messages = json.loads(attributes["gen_ai.input.messages"])
        assert messages[0]["role"] == "system"
        assert attributes["gen_ai.usage.input_tokens"] > 20
        if "error.type" not in attributes:
            (answer,) = json.loads(attributes["gen_ai.output.messages"])
            assert answer["parts"]
            assert attributes["gen_ai.response.id"].startswith("chatcmpl-")


class _Service:
    """Stands in for the running service."""

    def __init__(self, sessions: int = 0, *, is_stuck: bool = False) -> None:
        self.sessions = sessions
        self.is_stuck = is_stuck
        self.sent: list[bytes] = []

    def is_queue_empty(self) -> bool:
        return not self.is_stuck

    def rows(self, name: str, **_: Any) -> list[dict[str, Any]]:
        assert name == "history_sessions"
        return [{"Sessions": str(self.sessions)}]

    def export_traces(self, request: bytes) -> None:
        self.sent.append(request)
        self.sessions = 121


def test_it_is_sent_once():
    service = _Service()
    now = datetime.combine(DAY + timedelta(days=DAYS), datetime.min.time(), UTC).timestamp() + 3600
    assert send_history(cast(RunningService, service), now) == "121 made-up conversations of the last 14 days"
    assert service.sent == [make_history(DAY).serialize()]
    later = now + 3 * 86_400
    assert "sent by an earlier start" in send_history(cast(RunningService, service), later)
    assert len(service.sent) == 1


def test_a_database_that_takes_nothing_is_told(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("otel_feedback.demo.history._VISIBLE_SECONDS", 0)
    with pytest.raises(DemoError, match="did not take what was sent"):
        send_history(cast(RunningService, _Service(is_stuck=True)), 0)
