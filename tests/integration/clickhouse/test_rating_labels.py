"""The label of a rating, from its score, its category, or neither."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.integration.clickhouse.conftest import empty
from tests.support.ratings import Call, Submission, current, only_rating
from tests.support.segments import store

from otel_feedback.clickhouse.database import Database
from otel_feedback.rating import label_of_category, label_of_score


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    scores=st.lists(
        st.one_of(
            st.tuples(st.sampled_from([0.0, 1.0, -0.0, 0.5, 2.0, -1.0, math.pi]), st.none()),
            st.tuples(st.integers(1, 5).map(float), st.just((1.0, 5.0))),
            st.tuples(st.integers(0, 30).map(lambda tenth: tenth / 10), st.sampled_from([(0.0, 3.0), (3.0, 0.0)])),
            st.tuples(
                st.floats(-1e6, 1e6), st.tuples(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6)).map(sorted).map(tuple)
            ),
        ),
        min_size=10,
        max_size=40,
    )
)
def test_a_score_without_a_label_has_the_label_of_its_place_in_its_range(database: Database, scores: list[Any]):
    empty(database)
    submissions = []
    for number, (value, bounds) in enumerate(scores):
        low, high = bounds or (None, None)
        also = {"otel_feedback.score.min": low, "otel_feedback.score.max": high}
        submissions.append(
            Submission(Call(), id=f"{number:03}", name="stars", rater=f"{number:03}", value=value, also=also).log()
        )
    store(database, *submissions)
    expected = [label_of_score(value, *(bounds or ())) for value, bounds in scores]
    assert [row["Label"] for row in current(database, "Label")] == expected


@pytest.mark.parametrize(
    ("label", "shown"),
    [
        ("positive", "positive"),
        ("negative", "negative"),
        ("neutral", "neutral"),
        ("pass", "positive"),
        ("FAIL", "negative"),
        (" Pass ", "positive"),
        ("off-topic", "off-topic"),
        ("Off-Topic", "Off-Topic"),
    ],
)
@pytest.mark.parametrize("value", [None, 0.0])
def test_a_label_counts_more_than_the_score(database: Database, label: str, shown: str, value: float | None):
    also = {"gen_ai.evaluation.score.label": label}
    store(database, Submission(Call(), value=value, also=also).log())
    assert only_rating(database, "Label, Value") == {"Label": shown, "Value": value}
    assert label_of_category(label) == shown


@pytest.mark.parametrize(
    ("value", "label"), [(math.nan, ""), (math.inf, ""), ("many", ""), (True, ""), (1, "positive")]
)
def test_a_score_that_is_no_number_is_none(database: Database, value: Any, label: str):
    store(database, Submission(Call(), value=value).log())
    assert only_rating(database, "Label, Value") == {"Label": label, "Value": 1.0 if label else None}


def test_a_comment_alone_is_a_rating_without_a_label(database: Database):
    store(database, Submission(Call(), value=None, also={"gen_ai.evaluation.explanation": "hm"}).log())
    assert only_rating(database, "Label, Value, Comment") == {"Label": "", "Value": None, "Comment": "hm"}
