"""What sets negatively rated calls apart from positively rated ones, or rated calls from the others.

Each value, quarter and term of ``features`` makes a two-by-two table. Votes of one person and of one conversation are
counted for what they are worth together (``clusters``), a finding must pass two tests, and q tells how many of what is
found is there by chance. docs/insights.md says what each number means, docs/adr/0024 why it is found so.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal, TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy import sparse

from otel_feedback.dashboard.links import answer_link
from otel_feedback.insights import clusters, statistics
from otel_feedback.insights.features import Family, LeftOut, families
from otel_feedback.insights.reweighting import call_weights
from otel_feedback.insights.statistics import Numbers
from otel_feedback.insights.topics import topics

Compared: TypeAlias = Literal["negative", "rated"]
"""The cases: calls rated negatively (the others: positively), or calls that are rated (the others: not)."""

MOST_EXAMPLES: Final = 3
SAME_CORRELATION: Final = 0.9
"""Two findings whose calls agree so far (phi coefficient, either sign) are one."""
_MOST_GROUPED: Final = 1000


@dataclass(frozen=True, slots=True)
class Limits:
    """What is asked of a finding.

    Attributes:
        q: the share of findings that may be there by chance, on average.
        fewest_calls: compared calls that must have a feature, and that must not.
        fewest_people: people (clusters) among whom some call must have it, and some not.
    """

    q: float = 0.1
    fewest_calls: int = 10
    fewest_people: int = 5


@dataclass(frozen=True, slots=True)
class Example:
    """A call that a finding is about."""

    session_id: str
    trace_id: str
    span_id: str

    @property
    def link(self) -> str:
        """Its page, below the dashboard's address."""
        return answer_link({"SessionId": self.session_id, "TraceId": self.trace_id, "SpanId": self.span_id})


@dataclass(frozen=True, slots=True)
class Finding:
    """One feature, and how calls that have it differ from those that have not. Shares and differences are 0 to 1.

    Attributes:
        dimension: what is looked at, e.g. ``prompt_version`` or ``comment term``.
        value: which value of it.
        cases_with: cases (negative ratings) with the feature; ``controls_with`` the positive ones.
        cases: all cases that it is asked of; ``controls`` all others.
        people: independent people or conversations with the feature.
        share_with: share of cases among calls with the feature; ``share_without`` among those without. Each vote of a
            person who voted often counts less (``clusters.Evidence``), so these are no quotients of the counts.
        difference: ``share_with`` less ``share_without``, with its 95 % interval ``low`` to ``high``.
        ratio: ``share_with`` to ``share_without`` (lift), with its 95 % interval; None where the latter is 0.
        p: of the stricter of the two tests; ``q`` with all tests of the run taken into account.
        response_rate: share of rated calls among all calls with the feature; None for terms of comments.
        reweighted_difference: the difference if rated calls were mixed as all calls are; None where that has no sense.
        same_as: dimension and value of the stronger finding whose calls are nearly the same ones, or "".
        examples: the newest cases with the feature (where the difference is negative: controls), of different people.
    """

    dimension: str
    value: str
    cases_with: int
    controls_with: int
    cases: int
    controls: int
    people: int
    share_with: float
    share_without: float
    difference: float
    low: float
    high: float
    ratio: float | None
    ratio_low: float
    ratio_high: float
    p: float
    q: float
    response_rate: float | None
    reweighted_difference: float | None
    same_as: str
    examples: tuple[Example, ...]


@dataclass(frozen=True, slots=True)
class Contrast:
    """What was found, strongest first, and in what.

    Attributes:
        cases: calls with a negative rating (or rated ones); ``controls`` the others that they are compared with.
        people: independent people or conversations that these come from.
        largest_share: the share of the compared calls that comes from one of them.
        response_rate: share of rated calls among all of the period.
        tested: features that were tested; ``Finding.q`` takes all of them into account.
        left_out: what was not looked at, and why.
    """

    compared: Compared
    cases: int
    controls: int
    people: int
    largest_share: float
    response_rate: float
    tested: int
    findings: tuple[Finding, ...]
    left_out: tuple[LeftOut, ...]


def find(calls: pa.Table, compared: Compared, limits: Limits, stands_for: Numbers | None = None) -> Contrast:
    """Test every feature of these calls and return those that hold.

    Args:
        calls: the columns that ``insights/contrast_calls.sql`` answers, and ``attributes`` (lists of key=value).
        compared: what the cases are.
        limits: what is asked of a finding.
        stands_for: how many calls each of them stands for; None where each is one, as when nothing was drawn.
    """
    data = _Data.of(calls, compared, np.ones(calls.num_rows) if stands_for is None else stands_for)
    left_out: list[LeftOut] = []
    tested: list[_Tested] = []
    for each in _all_families(calls, compared, limits):
        if isinstance(each, LeftOut):
            left_out.append(each)
        elif (result := _test(each, data, limits)) is not None:
            tested.append(result)
    p_values = np.concatenate([each.p for each in tested]) if tested else np.zeros(0)
    q_values = statistics.benjamini_hochberg(p_values)
    starts = np.cumsum([0, *(len(each.p) for each in tested)])
    order = [number for number in np.lexsort((-_differences(tested), p_values)) if q_values[number] <= limits.q]
    findings, columns = [], []
    for number in order:
        family = int(np.searchsorted(starts, number, side="right")) - 1
        place = int(number - starts[family])
        findings.append(tested[family].finding(place, float(q_values[number]), data))
        columns.append(tested[family].column(place, data))
    sizes = np.bincount(data.clusters[data.is_compared]) if data.is_compared.any() else np.zeros(1)
    return Contrast(
        compared,
        cases=int(data.is_case.sum()),
        controls=int(data.is_compared.sum() - data.is_case.sum()),
        people=int((sizes > 0).sum()),
        largest_share=float(sizes.max() / max(sizes.sum(), 1)),
        response_rate=_ratio(float(data.stands_for @ data.is_rated), float(data.stands_for.sum())),
        tested=len(p_values),
        findings=tuple(_grouped(findings, columns)),
        left_out=tuple(left_out),
    )


def _all_families(calls: pa.Table, compared: Compared, limits: Limits) -> Iterator[Family | LeftOut]:
    about = topics(calls.column("prompt").to_pylist(), limits.fewest_calls)
    if any(about):
        calls = calls.append_column("topic", pa.array(about))
    yield from families(calls, limits.fewest_calls, with_comments=compared == "negative")


@dataclass(frozen=True, slots=True)
class _Data:
    """What tests need of each call besides its features."""

    calls: pa.Table
    is_compared: NDArray[np.bool_]
    is_case: Numbers
    is_rated: Numbers
    clusters: NDArray[np.int64]
    stands_for: Numbers
    weights: Numbers | None

    @classmethod
    def of(cls, calls: pa.Table, compared: Compared, stands_for: Numbers) -> _Data:
        flags = {name: calls.column(name).to_numpy().astype(float) for name in ("IsRated", "IsNegative", "IsPositive")}
        who = clusters.cluster_of(calls.column("Person").to_pylist(), calls.column("Conversation").to_pylist())
        if compared == "rated":
            everyone = np.ones(calls.num_rows, dtype=bool)
            return cls(calls, everyone, flags["IsRated"], flags["IsRated"], who, stands_for, None)
        is_compared = (flags["IsNegative"] + flags["IsPositive"]) > 0
        weights = call_weights(
            calls.column("service").to_pylist(),
            calls.column("request_model").to_pylist(),
            calls.column("seconds").to_numpy(),
            is_compared.astype(float),
            stands_for,
        )
        return cls(calls, is_compared, flags["IsNegative"], flags["IsRated"], who, stands_for, weights)


@dataclass(frozen=True, slots=True)
class _Tested:
    """A family's features that were tested, and what came out; one entry a feature."""

    family: Family
    places: NDArray[np.int64]
    people: Numbers
    cases_with: Numbers
    calls_with: Numbers
    cases: float
    calls: float
    shares: tuple[Numbers, Numbers]
    difference: tuple[Numbers, Numbers]
    ratio: tuple[Numbers, Numbers]
    p: Numbers

    def finding(self, place: int, q: float, data: _Data) -> Finding:
        dimension, value = self.family.names[self.places[place]]
        cases_with, calls_with = float(self.cases_with[place]), float(self.calls_with[place])
        share_with, share_without = (float(each[place]) for each in self.shares)
        has_it = self._rows(place)
        everyone, answered = (
            float(data.stands_for[has_it].sum()),
            float(data.stands_for[has_it] @ data.is_rated[has_it]),
        )
        difference = share_with - share_without
        return Finding(
            dimension,
            value,
            int(cases_with),
            int(calls_with - cases_with),
            int(self.cases),
            int(self.calls - self.cases),
            int(self.people[place]),
            share_with,
            share_without,
            difference,
            float(self.difference[0][place]),
            float(self.difference[1][place]),
            share_with / share_without if share_without else None,
            float(self.ratio[0][place]),
            float(self.ratio[1][place]),
            float(self.p[place]),
            q,
            None if dimension == "comment term" else _ratio(answered, everyone),
            self._reweighted(has_it, data),
            "",
            _examples(has_it, data, is_case=difference > 0),
        )

    def column(self, place: int, data: _Data) -> NDArray[np.float32]:
        """1 for each compared call that has the feature."""
        column = np.zeros(data.calls.num_rows, dtype=np.float32)
        column[self._rows(place)] = 1
        return column[data.is_compared]

    def _rows(self, place: int) -> NDArray[np.int64]:
        matrix, number = self.family.matrix, self.places[place]
        found = matrix.indices[matrix.indptr[number] : matrix.indptr[number + 1]]
        return np.asarray(self.family.rows[np.sort(found)])

    def _reweighted(self, has_it: NDArray[np.int64], data: _Data) -> float | None:
        if data.weights is None:
            return None
        weight = data.weights[self.family.rows]
        cases = weight @ data.is_case[self.family.rows]
        with_it, cases_with_it = data.weights[has_it].sum(), data.weights[has_it] @ data.is_case[has_it]
        rest = weight.sum() - with_it
        return float(cases_with_it / with_it - (cases - cases_with_it) / rest) if with_it and rest else None


def _test(family: Family, data: _Data, limits: Limits) -> _Tested | None:
    is_compared = data.is_compared[family.rows]
    rows = family.rows[is_compared]
    if not len(rows):
        return None
    matrix = sparse.csc_array(family.matrix.tocsr()[np.flatnonzero(is_compared)])
    is_case = data.is_case[rows]
    calls_with, total = np.asarray(matrix.sum(axis=0)).ravel(), float(len(rows))
    places = np.flatnonzero((calls_with >= limits.fewest_calls) & (total - calls_with >= limits.fewest_calls))
    if not len(places):
        return None
    evidence = clusters.weigh(matrix[:, places], is_case, data.clusters[rows])
    enough = np.minimum(evidence.clusters_with, evidence.clusters_without) >= limits.fewest_people
    places, evidence = places[enough], evidence.only(enough)
    if not len(places):
        return None
    cases_with = np.asarray(matrix[:, places].T @ is_case)
    cases, calls_with = float(is_case.sum()), calls_with[places]
    table = evidence.cases_with, evidence.calls_with, evidence.cases_without, evidence.calls_without
    return _Tested(
        family,
        places,
        evidence.clusters_with,
        cases_with,
        calls_with,
        cases,
        total,
        (evidence.cases_with / evidence.calls_with, evidence.cases_without / evidence.calls_without),
        statistics.newcombe(*table),
        statistics.katz(*table),
        np.maximum(evidence.p_score, statistics.fisher(*table)),
    )


def _differences(tested: Sequence[_Tested]) -> Numbers:
    return np.concatenate([np.abs(each.shares[0] - each.shares[1]) for each in tested]) if tested else np.zeros(0)


def _examples(has_it: NDArray[np.int64], data: _Data, *, is_case: bool) -> tuple[Example, ...]:
    wanted = has_it[data.is_compared[has_it] & ((data.is_case[has_it] > 0) == is_case)]
    newest = wanted[::-1]  # calls come by time
    _, firsts = np.unique(data.clusters[newest], return_index=True)
    chosen = newest[np.sort(firsts)[:MOST_EXAMPLES]]
    columns = data.calls.select(["SessionId", "TraceId", "SpanId"]).take(pa.array(chosen)).to_pylist()
    return tuple(Example(each["SessionId"], each["TraceId"], each["SpanId"]) for each in columns)


def _grouped(findings: Sequence[Finding], columns: Sequence[NDArray[np.float32]]) -> Iterator[Finding]:
    """Mark each finding whose calls are nearly those of a stronger one, or nearly all but those."""
    heads: list[int] = []
    normal = [(column - column.mean()) / max(float(column.std()), 1e-9) for column in columns[:_MOST_GROUPED]]
    for number, finding in enumerate(findings):
        if number >= len(normal):
            yield finding
            continue
        alike = np.abs([normal[number] @ normal[head] / len(normal[number]) for head in heads])
        same = np.flatnonzero(alike >= SAME_CORRELATION)
        if len(same):
            head = findings[heads[same[0]]]
            yield replace(finding, same_as=f"{head.dimension}: {head.value}")
        else:
            heads.append(number)
            yield finding


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else 0.0
