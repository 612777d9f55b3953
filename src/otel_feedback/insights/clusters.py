"""Votes that depend on each other: who belongs together, and what that leaves of the evidence.

Votes of one person, and within one conversation, are alike. Taken for independent, one busy rater who dislikes
everything makes whatever they use look bad. docs/adr/0024 tells the ways out that were compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray
from scipy import sparse, stats
from scipy.sparse.csgraph import connected_components

from otel_feedback.insights.statistics import Numbers


def cluster_of(people: Sequence[str], conversations: Sequence[str]) -> NDArray[np.int64]:
    """For each call the number of its cluster: calls are together that share a person or a conversation, or a chain.

    An empty name shares nothing. Numbers run from 0 without gaps.
    """
    count = len(conversations)
    names: dict[tuple[str, str], int] = {}
    calls, nodes = [], []
    for number, ids in enumerate(zip(people, conversations, strict=True)):
        for kind, name in zip(("person", "conversation"), ids, strict=True):
            if name:
                calls.append(number)
                nodes.append(count + names.setdefault((kind, name), len(names)))
    size = count + len(names)
    graph = sparse.coo_array((np.ones(len(calls), dtype=np.int8), (calls, nodes)), shape=(size, size))
    _, labels = connected_components(graph, directed=False)
    return np.asarray(np.unique(labels[:count], return_inverse=True)[1], dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What clusters leave of two-by-two tables, one entry a feature.

    Of a person with n votes on one side each counts 1 / (1 + (n - 1) * likeness): a thousand votes of people who always
    vote alike count as one; where there is no likeness, as a thousand.

    Attributes:
        clusters_with: clusters with at least one call that has the feature; ``clusters_without`` with one that has not.
        cases_with: what cases with the feature count, out of ``calls_with``; the same without it.
        p_score: two-sided p of the cluster-robust score test.
    """

    clusters_with: Numbers
    clusters_without: Numbers
    cases_with: Numbers
    calls_with: Numbers
    cases_without: Numbers
    calls_without: Numbers
    p_score: Numbers

    def only(self, chosen: NDArray[np.bool_]) -> Evidence:
        """The entries of some features."""
        return Evidence(*(getattr(self, each.name)[chosen] for each in fields(self)))


def weigh(features: sparse.csc_array, is_case: Numbers, clusters: NDArray[np.int64]) -> Evidence:
    """Weigh each feature's table by clusters.

    Args:
        features: calls by features, 1 where a call has a feature.
        is_case: for each call 1.0 for a case (a negative rating), 0.0 for a control.
        clusters: for each call the number of its cluster.
    """
    sums = _Sums.of(features, is_case, clusters)
    of_columns, whole = sums.of_columns, sums.cluster
    rest_calls, rest_cases = whole.calls[sums.row] - sums.calls, whole.cases[sums.row] - sums.cases
    has_rest = rest_calls > 0.5
    clusters_with = of_columns(np.ones_like(sums.calls))
    clusters_without = len(whole.calls) - of_columns((~has_rest).astype(float))

    each = _counted(sums.calls, sums.likeness)
    cases_with, calls_with = of_columns(each * sums.cases), of_columns(each * sums.calls)
    squares_with = [of_columns(each**2 * term) for term in _squares(sums.cases, sums.calls)]
    # All clusters as they are, but for those with the feature what is left of them.
    each_whole, each_rest = _counted(whole.calls, sums.likeness), _counted(rest_calls, sums.likeness) * has_rest
    here = each_whole[sums.row]
    calls_without = each_whole @ whole.calls + of_columns(each_rest * rest_calls - here * whole.calls[sums.row])
    cases_without = each_whole @ whole.cases + of_columns(each_rest * rest_cases - here * whole.cases[sums.row])
    squares_without = [
        (each_whole**2 * of_whole).sum() + of_columns(each_rest**2 * of_rest - here**2 * of_whole[sums.row])
        for of_whole, of_rest in zip(_squares(whole.cases, whole.calls), _squares(rest_cases, rest_calls), strict=True)
    ]
    effect_with = _seen_effect(cases_with, calls_with, squares_with)
    effect_without = _seen_effect(cases_without, calls_without, squares_without)
    return Evidence(
        clusters_with,
        clusters_without,
        cases_with / effect_with,
        calls_with / effect_with,
        cases_without / effect_without,
        calls_without / effect_without,
        _score_test(sums, np.minimum(clusters_with, clusters_without)),
    )


@dataclass(frozen=True, slots=True)
class _Clusters:
    """Of each cluster all its calls, and the cases among them."""

    calls: Numbers
    cases: Numbers


@dataclass(frozen=True, slots=True)
class _Sums:
    """Calls and cases of each cluster (row) that has a feature (column), and of the clusters as a whole."""

    cluster: _Clusters
    likeness: float
    row: NDArray[np.int64]
    column: NDArray[np.int64]
    calls: Numbers
    cases: Numbers
    width: int

    @classmethod
    def of(cls, features: sparse.csc_array, is_case: Numbers, clusters: NDArray[np.int64]) -> _Sums:
        _, clusters = np.unique(clusters, return_inverse=True)
        membership = sparse.csr_array((np.ones(len(is_case)), (clusters, np.arange(len(is_case)))))
        # Calls as the real part and cases as the imaginary one: one product, whose entries belong together.
        both = sparse.coo_array(membership @ features.multiply((1 + 1j * is_case)[:, None]))
        whole = _Clusters(np.bincount(clusters).astype(float), np.bincount(clusters, weights=is_case).astype(float))
        likeness = intraclass_correlation(whole.cases, whole.calls)
        row, column = both.coords
        return cls(whole, likeness, row, column, both.data.real, both.data.imag, features.shape[1])

    def of_columns(self, values: Numbers) -> Numbers:
        """The sum of the entries' values for each feature."""
        return np.bincount(self.column, weights=values, minlength=self.width).astype(float)


def intraclass_correlation(cases: Numbers, sizes: Numbers) -> float:
    """How alike the votes of one cluster are, 0 to 1, by one-way analysis of variance (Ridout and others 1999)."""
    total, groups = sizes.sum(), len(sizes)
    if groups < 2 or total <= groups:
        return 0.0
    share = cases.sum() / total
    shares = cases / sizes
    between = (sizes * (shares - share) ** 2).sum() / (groups - 1)
    within = (sizes * shares * (1 - shares)).sum() / (total - groups)
    typical = (total - (sizes**2).sum() / total) / (groups - 1)
    divisor = between + (typical - 1) * within
    return float(np.clip((between - within) / divisor, 0, 1)) if divisor > 0 else 0.0


def _counted(calls: Numbers, likeness: float) -> Numbers:
    return 1 / (1 + np.maximum(calls - 1, 0) * likeness)


def _squares(cases: Numbers, calls: Numbers) -> tuple[Numbers, Numbers, Numbers]:
    return cases * cases, cases * calls, calls * calls


def _seen_effect(cases: Numbers, calls: Numbers, squares: Sequence[Numbers]) -> Numbers:
    """How much wider the clusters' votes are spread than independent ones would be; at least 1."""
    share = _share(cases, calls)
    spread = squares[0] - 2 * share * squares[1] + share**2 * squares[2]
    return np.maximum(_share(spread, calls * share * (1 - share)), 1.0)


def _score_test(sums: _Sums, smaller: Numbers) -> Numbers:
    """The score test of generalized estimating equations with exchangeable votes within clusters (Liang, Zeger 1986).

    Its variance is what is seen between clusters, so it holds however votes depend on each other within them. By
    Student's t with the degrees of freedom of the side that has fewer clusters.
    """
    whole = sums.cluster
    rho = min(sums.likeness, 0.99)
    weight = 1 / (1 + (whole.calls - 1) * rho)
    share = (weight @ whole.cases) / (weight @ whole.calls)
    surplus = whole.cases - share * whole.calls
    part = sums.of_columns(weight[sums.row] * sums.calls) / (weight @ whole.calls)
    own = sums.cases - share * sums.calls - rho * weight[sums.row] * sums.calls * surplus[sums.row]
    own, common = own / (1 - rho), weight * surplus
    score = sums.of_columns(own) - part * common.sum()
    variance = (
        sums.of_columns(own**2) - 2 * part * sums.of_columns(own * common[sums.row]) + part**2 * (common**2).sum()
    )
    count = len(whole.calls)
    with np.errstate(divide="ignore", invalid="ignore"):
        squared = np.where(variance > 0, score**2 / variance, 0.0)  # at most the number of clusters
        # As in the t-test the spread is that around what is found, not around zero.
        t = np.sqrt(squared * (count - 1) / np.maximum(count - squared, 1e-9))
    return np.asarray(2 * stats.t.sf(t, np.maximum(smaller - 1, 1)))


def _share(part: Numbers, whole: Numbers) -> Numbers:
    return np.asarray(np.divide(part, whole, out=np.zeros_like(part, dtype=np.float64), where=whole > 0))
