import asyncio

import pytest

from otel_feedback.dashboard.annotation import Annotations, target_of
from otel_feedback.pseudonym import pseudonym_by
from otel_feedback.rating import Action, Rating, Scope, Target
from otel_feedback.recent_ratings import RecentRatings

ROW = {"Scope": "span", "TraceId": "a" * 32, "SpanId": "b" * 16, "SessionId": "s", "ResponseId": ""}
TARGET = Target(Scope.SPAN, "a" * 32, "b" * 16, "s")


class Store:
    """Keeps ratings as the SDK's store does, in memory."""

    def __init__(self) -> None:
        self.given: list[Rating] = []
        self._recent = RecentRatings()

    async def submit(self, rating: Rating) -> None:
        self.given.append(rating)
        self._recent.remember(rating)

    async def current(self, target: Target, rater_id: str) -> list[Rating]:
        return self._recent.laid_over([], target, rater_id)


@pytest.fixture
def store() -> Store:
    return Store()


def _submit(annotations, annotator="ines", row=ROW, **form):
    asyncio.run(annotations.submit(row, annotator, form))


def _current(annotations, annotator="ines", row=ROW):
    return asyncio.run(annotations.current(row, annotator))


def test_an_annotation_is_a_rating_by_an_annotator_of_the_same_target(store):
    _submit(Annotations(store, "", True), verdict="negative", comment=" a\r\nb ", reasons="x, ,y", correction="c\r\n")
    (given,) = store.given
    assert (given.name, given.source, given.rater_id, given.target) == ("review", "annotator", "ines", TARGET)
    assert (given.value, given.label) == (0.0, "negative")
    assert (given.comment, given.reasons, given.correction) == ("a\nb", ("x", "y"), "c")


def test_it_is_read_back_changed_and_taken_back(store):
    annotations = Annotations(store, "", True)
    assert _current(annotations) is None
    _submit(annotations, verdict="positive")
    _submit(annotations, verdict="", comment="only a note")
    assert (_current(annotations).value, _current(annotations).comment) == (None, "only a note")
    assert _current(annotations, "someone else") is None
    _submit(annotations, action="retract", verdict="positive", comment="ignored")
    assert _current(annotations) is None
    assert (store.given[-1].action, store.given[-1].comment) == (Action.RETRACT, "")


def test_where_comments_are_not_captured_nothing_written_is_kept(store):
    annotations = Annotations(store, "", False)
    _submit(annotations, verdict="positive", comment="secret", correction="secret")
    assert (store.given[0].comment, store.given[0].correction) == ("", "")
    with pytest.raises(ValueError, match="nothing in it"):
        _submit(annotations, verdict="", comment="secret")


def test_an_annotator_is_stored_under_the_pseudonym_that_the_sdk_would_make(store):
    annotations = Annotations(store, "key", True)
    _submit(annotations, annotator=" ines ", verdict="positive")
    assert store.given[0].rater_id == pseudonym_by("key", "ines") != "ines"
    assert _current(annotations).value == 1.0


@pytest.mark.parametrize(
    ("annotator", "form", "message"),
    [
        ("", {"verdict": "positive"}, "who you are"),
        ("  ", {"verdict": "positive"}, "who you are"),
        ("x" * 257, {"verdict": "positive"}, "257 characters"),
        ("ines", {}, "nothing in it"),
        ("ines", {"verdict": "great"}, "none that this page offers"),
        ("ines", {"comment": "x" * 10_001}, "comment has 10001 characters"),
        ("ines", {"reasons": ",".join("x" * 40)}, "reasons has 40 entries"),
        ("ines", {"verdict": "positive", "comment": "\ud800"}, "surrogate"),
    ],
)
def test_what_can_not_be_taken_is_refused_in_words(store, annotator, form, message):
    with pytest.raises(ValueError, match=message):
        _submit(Annotations(store, "", True), annotator=annotator, **form)
    assert store.given == []


def test_what_otlp_can_not_name_can_not_be_rated_again(store):
    odd = {**ROW, "TraceId": "not hex/"}
    assert target_of(odd) is None
    assert _current(Annotations(store, "", True), row=odd) is None
    with pytest.raises(ValueError, match="no id"):
        _submit(Annotations(store, "", True), row=odd, verdict="positive")


@pytest.mark.parametrize(
    ("row", "scope"),
    [
        ({**ROW, "Scope": "session", "TraceId": "", "SpanId": ""}, Scope.SESSION),
        ({**ROW, "Scope": "trace", "SpanId": ""}, Scope.TRACE),
        ({**ROW, "TraceId": "", "SpanId": "", "ResponseId": "chatcmpl-1"}, Scope.SPAN),
    ],
)
def test_sessions_traces_and_responses_can_be_rated_too(row, scope):
    target = target_of(row)
    assert target is not None
    assert target.scope is scope
