import random

import pytest

from otel_feedback.dashboard.satisfaction import change, share


def test_the_interval_is_wilsons():
    # Newcombe (1998), table I, method 3: 81 of 263, and 0 of 20.
    found = share(81, 263)
    assert (found.low, found.high) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert (share(0, 20).low, share(0, 20).high) == pytest.approx((0.0, 0.1611), abs=5e-5)


def test_nothing_to_divide_is_no_figure():
    assert share(0, 0).value is None
    assert share(0, 0).low is None


def test_the_interval_stays_within_zero_and_one():
    for whole in (1, 2, 5, 1000):
        assert share(whole, whole).high == pytest.approx(1.0)
        assert share(0, whole).low == pytest.approx(0.0)
        assert 0 < share(whole, whole).low < 1


def test_a_change_has_newcombes_interval():
    # Newcombe (1998), Statistics in Medicine 17: 873-890, table II, example a by method 10: 56/70 against 48/80.
    found = change((48, 80), (56, 70))
    assert found is not None
    assert found.value == pytest.approx(0.2)
    assert (found.low, found.high) == (pytest.approx(0.0524, abs=5e-5), pytest.approx(0.3339, abs=5e-5))
    assert (found.is_better, found.is_worse) == (True, False)
    back = change((56, 70), (48, 80))
    assert back is not None
    assert (back.low, back.high) == (pytest.approx(-found.high), pytest.approx(-found.low))
    assert back.is_worse


def test_who_compares_many_at_once_needs_more_to_call_it_news():
    alone, together = change((48, 80), (56, 70)), change((48, 80), (56, 70), comparisons=20)
    assert alone is not None
    assert together is not None
    assert alone.is_better
    assert not together.is_better
    assert together.low < alone.low < alone.high < together.high


@pytest.mark.parametrize(("before", "recent"), [((9, 9), (0, 100)), ((50, 100), (1, 9)), ((0, 0), (0, 0))])
def test_of_a_few_ratings_nothing_is_said(before, recent):
    assert change(before, recent) is None


def test_a_whole_change_stays_within_what_is_possible():
    found = change((0, 10), (10, 10))
    assert found is not None
    assert 0 < found.low < found.high <= 1


def test_chance_alone_is_called_news_as_seldom_as_promised():
    chance = random.Random(4)
    groups, rounds = 6, 400

    def weeks() -> tuple[tuple[int, int], tuple[int, int]]:
        before, recent = (sum(chance.random() < 0.7 for _ in range(60)) for _ in range(2))
        return (before, 60), (recent, 60)

    false_news = 0
    for _ in range(rounds):
        found = [change(*weeks(), comparisons=groups) for _ in range(groups)]
        false_news += any(each is not None and (each.is_worse or each.is_better) for each in found)
    assert false_news / rounds < 0.08
