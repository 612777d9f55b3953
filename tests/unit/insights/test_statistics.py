"""Against the numbers of textbooks and papers, and of SciPy where it has the same test."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from otel_feedback.insights import statistics


def one(value: float) -> statistics.Numbers:
    return np.array([float(value)])


def test_wilson_is_newcombes_example():
    """Newcombe 1998, Statistics in Medicine 17:857, table I: 81 of 263, 15 of 148, 0 of 20."""
    low, high = statistics.wilson(np.array([81.0, 15.0, 0.0]), np.array([263.0, 148.0, 20.0]))
    assert low == pytest.approx([0.2553, 0.0624, 0.0], abs=5e-5)
    assert high == pytest.approx([0.3662, 0.1605, 0.1611], abs=5e-5)


def test_no_trials_tell_nothing():
    assert statistics.wilson(one(0), one(0)) == (pytest.approx([0.0]), pytest.approx([1.0]))


@pytest.mark.parametrize(
    ("table", "interval"),
    [
        ((56, 70, 48, 80), (0.0524, 0.3339)),
        ((9, 10, 3, 10), (0.1705, 0.8090)),
        ((5, 56, 0, 29), (-0.0381, 0.1926)),
        ((0, 10, 0, 20), (-0.1611, 0.2775)),
    ],
)
def test_newcombes_difference_is_his_table(table: tuple[int, ...], interval: tuple[float, float]):
    """Newcombe 1998, Statistics in Medicine 17:873, table II, method 10."""
    low, high = statistics.newcombe(*map(one, table))
    assert (low[0], high[0]) == pytest.approx(interval, abs=5e-5)


def test_katz_holds_the_ratio_and_ends_where_there_is_no_case():
    low, high = statistics.katz(one(56), one(70), one(48), one(80))
    # By hand: ln(56.5/70.5 / (48.5/80.5)) = 0.2853, and its variance 1/56.5 - 1/70.5 + 1/48.5 - 1/80.5 = 0.01171.
    assert (low[0], high[0]) == pytest.approx((1.0760, 1.6445), abs=1e-4)
    low, high = statistics.katz(one(5), one(50), one(0), one(50))
    assert low[0] > 0
    assert np.isfinite(high[0])


def test_fisher_is_the_lady_tasting_tea_and_scipys_tails():
    assert statistics.fisher(one(3), one(4), one(1), one(4)) == pytest.approx([0.4857], abs=5e-5)
    tables = [(8, 10, 1, 6), (0, 5, 10, 12), (300, 2000, 4000, 30000), (7, 7, 0, 7)]
    for a, n, b, m in tables:
        both = [stats.fisher_exact([[a, n - a], [b, m - b]], each).pvalue for each in ("less", "greater")]
        assert statistics.fisher(one(a), one(n), one(b), one(m)) == pytest.approx([min(1, 2 * min(both))])


def test_q_values_are_those_of_benjamini_and_hochbergs_example():
    """Benjamini and Hochberg 1995, section 3.2: at 0.05 the first four of fifteen are found."""
    p = [
        0.0001,
        0.0004,
        0.0019,
        0.0095,
        0.0201,
        0.0278,
        0.0298,
        0.0344,
        0.0459,
        0.3240,
        0.4262,
        0.5719,
        0.6528,
        0.7590,
        1,
    ]
    q = statistics.benjamini_hochberg(np.array(p))
    assert (q <= 0.05).sum() == 4
    assert q[:2] == pytest.approx([0.0015, 0.003])
    assert len(statistics.benjamini_hochberg(np.zeros(0))) == 0
