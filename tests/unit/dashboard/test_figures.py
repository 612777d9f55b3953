import math

import pytest

from otel_feedback.dashboard.figures import count, duration, moment, percent, score

NARROW = "\u202f"


@pytest.mark.parametrize(
    ("nanoseconds", "words"),
    [
        (0, "\u2013"),
        (None, "\u2013"),
        (-5, "\u2013"),
        (7, "7 ns"),
        (1_500, "2 \u00b5s"),
        (850_000_000, "850 ms"),
        (2_440_000_000, "2.4 s"),
        (59_000_000_000, "59 s"),
        (200_000_000_000, "3 min 20 s"),
        (3_600_000_000_000, "1 h"),
        (12 * 86_400 * 10**9, "12 d"),
    ],
)
def test_durations_read_naturally(nanoseconds, words):
    assert duration(nanoseconds) == words


def test_shares_keep_a_digit_where_it_matters():
    assert [percent(each) for each in (None, 0.0, 0.034, 0.5, 0.996, 1.0)] == [
        "\u2013",
        f"0{NARROW}%",
        f"3.4{NARROW}%",
        f"50{NARROW}%",
        f"99.6{NARROW}%",
        f"100{NARROW}%",
    ]


def test_thousands_are_set_apart():
    assert count(1234567) == f"1{NARROW}234{NARROW}567"
    assert count(None) == "0"


def test_moments_are_utc_and_machine_readable():
    assert moment(1_780_000_000_123_456_789) == (
        '<time datetime="2026-05-28T20:26:40.123456Z">2026-05-28 20:26:40 UTC</time>'
    )


def test_moments_beyond_the_calendar_of_most_people_do_not_break_a_page():
    for edge in (0, 2**63 - 1, -(2**62)):
        assert moment(edge).startswith("<time")


@pytest.mark.parametrize(
    ("rating", "words"),
    [
        ({"Value": 4.0, "ScoreMin": 1.0, "ScoreMax": 5.0, "Label": "positive"}, "4 of 1\u20135"),
        ({"Value": 1.0, "ScoreMin": None, "ScoreMax": None, "Label": "positive"}, ""),
        ({"Value": 0.73, "ScoreMin": None, "ScoreMax": None, "Label": ""}, "0.73"),
        ({"Value": None, "ScoreMin": None, "ScoreMax": None, "Label": "on topic"}, ""),
        ({"Value": math.nan, "ScoreMin": None, "ScoreMax": None, "Label": ""}, ""),
    ],
)
def test_a_score_is_shown_with_its_range(rating, words):
    assert score(rating) == words
