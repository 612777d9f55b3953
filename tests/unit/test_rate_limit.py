from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from otel_feedback.rate_limit import RateLimit, RequestLimits, TooManyRequestsError


class Clock:
    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def is_taken(limit: RateLimit, key: str = "a") -> bool:
    try:
        limit.count(key)
    except TooManyRequestsError:
        return False
    return True


def test_a_bucket_takes_a_minutes_worth_at_once_and_then_refills_steadily():
    clock = Clock()
    limit = RateLimit(60, clock=clock)
    assert [is_taken(limit) for _ in range(61)] == [True] * 60 + [False]
    clock.seconds += 2.5
    assert [is_taken(limit) for _ in range(3)] == [True, True, False]
    assert is_taken(limit, "b")


@given(st.integers(1, 1000), st.floats(0, 70))
@example(per_minute=15, pause=20.535849319982464)  # refills to 0.9999999999999998
def test_who_waits_as_long_as_was_said_is_taken(per_minute, pause):
    clock = Clock()
    limit = RateLimit(per_minute, clock=clock)
    is_taken(limit)
    clock.seconds += pause
    while is_taken(limit):
        pass
    with pytest.raises(TooManyRequestsError) as caught:
        limit.count("a")
    assert caught.value.retry_after_seconds <= 60
    clock.seconds += caught.value.retry_after_seconds
    assert is_taken(limit)


@given(st.lists(st.floats(0, 100), max_size=300))
def test_in_no_minute_are_more_taken_than_twice_the_limit(pauses):
    clock, taken = Clock(), []
    limit = RateLimit(30, clock=clock)
    for pause in pauses:
        clock.seconds += pause / 100
        if is_taken(limit):
            taken.append(clock.seconds)
    assert all(sum(begin <= at < begin + 60 for at in taken) <= 60 for begin in taken)


def test_memory_is_bounded_and_who_was_not_seen_for_longest_is_forgotten_first():
    limit = RateLimit(1, most_keys=100)
    for number in range(1000):
        assert is_taken(limit, f"k{number}")
    assert len(limit) == 100
    assert not is_taken(limit, "k950")
    assert is_taken(limit, "k100")


def test_zero_is_no_limit():
    limit = RateLimit(0)
    assert all(is_taken(limit) for _ in range(10_000))
    assert len(limit) == 0


def test_votes_reads_and_addresses_are_counted_apart():
    limits = RequestLimits(2, 5)
    for _ in range(20):
        limits.count_rater("u-7", is_read=True)
    for count, key in ((2, "u-7"), (2, "u-8")):
        for _ in range(count):
            limits.count_rater(key, is_read=False)
        with pytest.raises(TooManyRequestsError):
            limits.count_rater(key, is_read=False)
    with pytest.raises(TooManyRequestsError):
        limits.count_rater("u-7", is_read=True)


def test_all_addresses_of_an_ipv6_network_are_one_and_unknown_ones_have_no_limit():
    limits = RequestLimits(0, 1)
    limits.count_address("2001:db8::1")
    with pytest.raises(TooManyRequestsError):
        limits.count_address("2001:db8::ffff:2")
    limits.count_address("2001:db8:0:1::1")
    limits.count_address("fe80::1%eth0")
    limits.count_address("192.0.2.1")
    limits.count_address("192.0.2.2")
    limits.count_address("testclient")
    for _ in range(9):
        limits.count_address("")


def test_a_check_refuses_as_a_count_would_and_counts_nothing():
    now = [0.0]
    limit = RateLimit(2, clock=lambda: now[0])
    for _ in range(5):
        limit.check("a")
    limit.count("a")
    limit.count("a")
    with pytest.raises(TooManyRequestsError):
        limit.check("a")
    limit.check("b")
    assert len(limit) == 1
    now[0] = 31.0
    limit.check("a")
    RateLimit(0).check("a")
