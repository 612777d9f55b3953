"""A session's attributes on a span: the short way and the public one end in the same."""

from __future__ import annotations

from typing import Any

import pytest
from opentelemetry.sdk.trace import SpanLimits, TracerProvider

from otel_feedback.sdk import held_attributes
from otel_feedback.sdk.held_attributes import add_missing, are_plain

ADDED: dict[str, Any] = {"session.id": "s-1", "tier": 3, "share": 0.5, "beta": True, "name": "é日本\ud800"}
OWN = {"session.id": "its own", "db.system.name": "postgresql"}


class PublicSpan:
    """A span of an SDK that holds its attributes otherwise."""

    def __init__(self, span: Any) -> None:
        self._span = span

    @property
    def attributes(self) -> Any:
        return self._span.attributes

    def set_attributes(self, attributes: Any) -> None:
        self._span.set_attributes(attributes)


def started(limits: SpanLimits | None = None, own: dict[str, Any] | None = None) -> Any:
    provider = TracerProvider(span_limits=limits, shutdown_on_exit=False)
    return provider.get_tracer("test").start_span("work", attributes=own)


@pytest.mark.parametrize("own", [{}, OWN], ids=["bare", "with its own"])
@pytest.mark.parametrize(
    "limits",
    [None, SpanLimits(max_span_attributes=3), SpanLimits(max_span_attributes=0), SpanLimits(max_attribute_length=2)],
    ids=["no limit", "few", "none", "short"],
)
@pytest.mark.parametrize(
    "added", [ADDED, {**ADDED, "list": ["a", "b"], "bytes": b"\xff"}, {"": "no key"}], ids=["plain", "other", "no key"]
)
def test_both_ways_end_in_the_same(added: dict[str, Any], limits: SpanLimits | None, own: dict[str, Any]):
    short, public = started(limits, own), started(limits, own)
    for span in (short, PublicSpan(public)):
        add_missing(span, held_attributes.held_attributes(span), added, plain=are_plain(added))
    assert dict(short.attributes) == dict(public.attributes)
    assert short.dropped_attributes == public.dropped_attributes


def test_the_short_way_is_the_one_taken_and_what_the_span_says_itself_stays(monkeypatch: pytest.MonkeyPatch):
    span = started(own=OWN)
    monkeypatch.setattr(type(span), "set_attributes", None)
    add_missing(span, held_attributes.held_attributes(span), ADDED, plain=True)
    assert dict(span.attributes) == {**ADDED, **OWN}


@pytest.mark.parametrize(
    "value", [["a"], ("a",), b"bytes", None, object(), {"a": 1}], ids=lambda value: type(value).__name__
)
def test_what_the_sdk_would_look_at_or_change_is_left_to_it(value: object):
    assert not are_plain({"key": value})


def test_attributes_are_read_from_any_span():
    span = started(own=OWN)
    assert held_attributes.held_attributes(span) == held_attributes.held_attributes(PublicSpan(span)) == OWN
    assert held_attributes.held_attributes(PublicSpan(started())) == {}
