from __future__ import annotations

import math
import uuid
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_feedback.rating import (
    Action,
    Label,
    Rating,
    Scope,
    Target,
    label_of_category,
    label_of_score,
    make_rating,
    new_submission_id,
)

SESSION = Target(Scope.SESSION, session_id="c-1")


def rate(value: Any, **more: Any) -> Rating:
    return make_rating(more.pop("name", "thumbs"), value, SESSION, **more)


@pytest.mark.parametrize(("value", "score", "label"), [(True, 1.0, "positive"), (False, 0.0, "negative")])
def test_thumbs_are_one_and_zero(value, score, label):
    rating = rate(value)
    assert (rating.value, rating.label) == (score, label)
    assert isinstance(rating.value, float)


@pytest.mark.parametrize(
    ("stars", "label"), [(1, "negative"), (2, "negative"), (3, "neutral"), (4, "positive"), (5, "positive")]
)
def test_stars_are_labelled_by_thirds_of_their_range(stars, label):
    assert rate(stars, minimum=1, maximum=5).label == label


def test_a_score_without_range_has_no_label_unless_it_is_zero_or_one():
    assert [label_of_score(score) for score in (0.0, 0.5, 1.0, 4.0)] == ["negative", "", "positive", ""]


def test_pass_and_fail_are_positive_and_negative_and_other_categories_stand_for_themselves():
    assert [label_of_category(each) for each in ("pass", "Fail ", "harmful")] == ["positive", "negative", "harmful"]


def test_a_comment_alone_is_a_rating():
    rating = rate(None, comment="Too long.")
    assert (rating.value, rating.label, rating.comment) == (None, "", "Too long.")


def test_a_retraction_needs_no_value():
    assert rate(None, action=Action.RETRACT).action is Action.RETRACT


@pytest.mark.parametrize(
    ("arguments", "error", "named"),
    [
        ({"value": True, "name": ""}, ValueError, "name"),
        ({"value": True, "name": 5}, TypeError, "name"),
        ({"value": True, "name": "n" * 65}, ValueError, "name"),
        ({"value": None}, ValueError, "value"),
        ({"value": []}, TypeError, "value"),
        ({"value": " "}, ValueError, "value"),
        ({"value": math.nan}, ValueError, "value"),
        ({"value": 10**400}, ValueError, "value"),
        ({"value": 6, "minimum": 1, "maximum": 5}, ValueError, "value"),
        ({"value": 3, "minimum": 1}, ValueError, "minimum and maximum"),
        ({"value": 3, "minimum": 5, "maximum": 1}, ValueError, "minimum"),
        ({"value": 3, "minimum": True, "maximum": 5}, TypeError, "minimum"),
        ({"value": 3, "minimum": 1, "maximum": math.inf}, ValueError, "maximum"),
        ({"value": True, "comment": None}, TypeError, "comment"),
        ({"value": True, "comment": "x" * 10_001}, ValueError, "comment"),
        ({"value": True, "comment": "\ud800"}, ValueError, "comment"),
        ({"value": True, "correction": 5}, TypeError, "correction"),
        ({"value": True, "reasons": "too long"}, TypeError, "reasons"),
        ({"value": True, "reasons": [5]}, TypeError, "reasons"),
        ({"value": True, "reasons": ["r"] * 33}, ValueError, "reasons"),
        ({"value": True, "rater_id": "r" * 257}, ValueError, "rater"),
    ],
)
def test_a_mistake_is_refused_with_the_name_of_its_argument(arguments, error, named):
    with pytest.raises(error, match=named):
        rate(**arguments)


@pytest.mark.parametrize(
    "arguments",
    [
        {"scope": Scope.SPAN},
        {"scope": Scope.SPAN, "trace_id": "a" * 32},
        {"scope": Scope.TRACE, "span_id": "a" * 16},
        {"scope": Scope.SESSION, "trace_id": "a" * 32},
        {"scope": Scope.TRACE, "trace_id": "A" * 32},
        {"scope": Scope.TRACE, "trace_id": "0" * 32},
        {"scope": Scope.TRACE, "trace_id": "a" * 31},
        {"scope": Scope.SPAN, "trace_id": "a" * 32, "span_id": "0" * 16},
    ],
)
def test_a_target_that_names_nothing_or_no_real_id_is_refused(arguments):
    with pytest.raises(ValueError, match=r"target needs|hexadecimal"):
        Target(**arguments)


finite = st.floats(allow_nan=False, allow_infinity=False, width=32)


@given(finite, finite, finite)
def test_a_score_is_taken_exactly_when_it_is_in_its_range(value, one_end, other_end):
    minimum, maximum = sorted((one_end, other_end))
    if minimum == maximum:
        with pytest.raises(ValueError, match="minimum"):
            rate(value, minimum=minimum, maximum=maximum)
    elif minimum <= value <= maximum:
        rating = rate(value, minimum=minimum, maximum=maximum)
        assert (rating.value, rating.score_min, rating.score_max) == (value, minimum, maximum)
        assert rating.label in set(Label)
    else:
        with pytest.raises(ValueError, match="value"):
            rate(value, minimum=minimum, maximum=maximum)


@given(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=80), st.binary(), st.lists(st.none())
    )
)
def test_any_value_makes_a_rating_or_an_error_that_names_it(value):
    try:
        rating = rate(value)
    except (TypeError, ValueError) as error:
        assert "value" in str(error)  # noqa: PT017  # the same input may also be taken
    else:
        assert rating.label or rating.value is not None


def test_submission_ids_are_uuid7_and_sort_by_time():
    first, second = new_submission_id(), new_submission_id()
    parsed = uuid.UUID(first)
    assert (parsed.version, parsed.variant) == (7, uuid.RFC_4122)
    assert first != second
    assert first[:13] <= second[:13]
