from __future__ import annotations

import pytest

from otel_feedback.rating import Action, Rating, Scope, Target, make_rating
from otel_feedback.recent_ratings import RecentRatings

SPAN = Target(Scope.SPAN, "a" * 32, "b" * 16)


def thumbs(value: bool, time_unix_nano: int, target: Target = SPAN, rater: str = "u-7") -> Rating:
    return make_rating("thumbs", value, target, rater_id=rater, time_unix_nano=time_unix_nano)


def taken_back(time_unix_nano: int) -> Rating:
    return make_rating("thumbs", None, SPAN, rater_id="u-7", action=Action.RETRACT, time_unix_nano=time_unix_nano)


def remembering(*ratings: Rating) -> RecentRatings:
    recent = RecentRatings()
    for rating in ratings:
        recent.remember(rating)
    return recent


def test_the_newest_click_wins_in_any_order_of_arrival():
    recent = remembering(thumbs(True, 2), thumbs(False, 3), thumbs(True, 1))
    assert [rating.time_unix_nano for rating in recent.laid_over([], SPAN, "u-7")] == [3]


def test_of_two_clicks_at_the_same_time_the_higher_id_wins():
    first, second = sorted((thumbs(True, 1), thumbs(False, 1)), key=lambda rating: rating.id)
    assert remembering(second, first).laid_over([], SPAN, "u-7") == [second]
    assert remembering(first).laid_over([second], SPAN, "u-7") == [second]


@pytest.mark.parametrize(("stored_at", "shown_at"), [(1, 2), (3, 3)])
def test_the_newer_of_a_stored_and_a_recent_rating_is_shown(stored_at: int, shown_at: int):
    shown = remembering(thumbs(False, 2)).laid_over([thumbs(True, stored_at)], SPAN, "u-7")
    assert [rating.time_unix_nano for rating in shown] == [shown_at]


def test_a_recent_retraction_hides_what_is_stored_until_something_newer_is():
    recent = remembering(taken_back(2))
    assert recent.laid_over([thumbs(True, 1)], SPAN, "u-7") == []
    assert len(recent.laid_over([thumbs(True, 3)], SPAN, "u-7")) == 1


def test_an_older_click_that_comes_late_does_not_undo_a_retraction():
    assert remembering(taken_back(2), thumbs(True, 1)).laid_over([], SPAN, "u-7") == []


def test_ratings_are_ordered_by_name():
    stars = make_rating("stars", 4, SPAN, minimum=1, maximum=5, rater_id="u-7", time_unix_nano=1)
    shown = remembering(thumbs(True, 1)).laid_over([stars], SPAN, "u-7")
    assert [rating.name for rating in shown] == ["stars", "thumbs"]


def test_targets_and_raters_are_apart_and_the_other_ids_of_a_target_do_not_matter():
    recent = remembering(thumbs(True, 1))
    assert recent.laid_over([], SPAN, "somebody else") == []
    assert recent.laid_over([], Target(Scope.TRACE, SPAN.trace_id, SPAN.span_id), "u-7") == []
    same = Target(Scope.SPAN, SPAN.trace_id, SPAN.span_id, "conversation", "chatcmpl-1")
    assert len(recent.laid_over([], same, "u-7")) == 1


def test_memory_is_bounded_by_age_and_number():
    forgetful = RecentRatings(seconds=-1)
    forgetful.remember(thumbs(True, 1))
    assert forgetful.laid_over([], SPAN, "u-7") == []
    small = RecentRatings(most=2)
    for number in range(3):
        small.remember(thumbs(True, number, rater=f"u-{number}"))
    assert [len(small.laid_over([], SPAN, f"u-{number}")) for number in range(3)] == [0, 1, 1]
