import pytest

from otel_feedback.dashboard.satisfaction import share


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
