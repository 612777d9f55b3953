from otel_feedback.rating import Action, Rating, Scope, Target, make_rating
from otel_feedback.service.feedback import RecentRatings

SPAN = Target(Scope.SPAN, "a" * 32, "b" * 16)


def thumbs(value: bool, time_unix_nano: int, target: Target = SPAN, rater: str = "u-7") -> Rating:
    return make_rating("thumbs", value, target, rater_id=rater, time_unix_nano=time_unix_nano)


def test_the_newest_click_wins_in_any_order_of_arrival():
    recent = RecentRatings()
    for rating in (thumbs(True, 2), thumbs(False, 3), thumbs(True, 1)):
        recent.remember(rating)
    assert [rating.time_unix_nano for rating in recent.of(SPAN, "u-7")] == [3]


def test_a_retraction_is_remembered_too():
    recent = RecentRatings()
    recent.remember(thumbs(True, 1))
    recent.remember(make_rating("thumbs", None, SPAN, rater_id="u-7", action=Action.RETRACT, time_unix_nano=2))
    assert [rating.action for rating in recent.of(SPAN, "u-7")] == [Action.RETRACT]


def test_targets_and_raters_are_apart_and_the_other_ids_of_a_target_do_not_matter():
    recent = RecentRatings()
    recent.remember(thumbs(True, 1))
    assert recent.of(SPAN, "somebody else") == []
    assert recent.of(Target(Scope.TRACE, SPAN.trace_id, SPAN.span_id), "u-7") == []
    assert len(recent.of(Target(Scope.SPAN, SPAN.trace_id, SPAN.span_id, "conversation", "chatcmpl-1"), "u-7")) == 1


def test_memory_is_bounded_by_age_and_number():
    forgetful = RecentRatings(seconds=-1)
    forgetful.remember(thumbs(True, 1))
    assert forgetful.of(SPAN, "u-7") == []
    small = RecentRatings(most=2)
    for number in range(3):
        small.remember(thumbs(True, number, rater=f"u-{number}"))
    assert [len(small.of(SPAN, f"u-{number}")) for number in range(3)] == [0, 1, 1]
