"""What a call has or has not: values of its columns and attributes, quarters of its numbers, terms of its texts.

Which features there are follows from the calls alone, never from how they were rated: choosing among features by their
ratings and then testing them by the same ratings would find what is not there.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy import sparse
from sklearn.feature_extraction.text import CountVectorizer

from otel_feedback.insights import texts

VALUE_COLUMNS: Final = (
    "service", "provider", "request_model", "response_model", "operation", "prompt_name", "prompt_version",
    "finish_reason", "status", "error_type", "dialect", "instrumentation", "temperature", "max_tokens",
)  # fmt: skip
NUMBER_COLUMNS: Final = (
    "seconds",
    "seconds_to_first_chunk",
    "input_tokens",
    "output_tokens",
    "reasoning_tokens",
)
TEXT_COLUMNS: Final = ("prompt", "answer", "comment")
MOST_VALUES: Final = 100
"""An attribute with more values than this tells calls apart, not kinds of calls."""
MOST_TERMS: Final = 1000
"""Of each text column; those in most calls stay."""
NOTHING: Final = "(none)"
_QUARTERS: Final = ("lowest quarter", "second quarter", "third quarter", "highest quarter")

Rows: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Family:
    """Features that are asked of the same calls.

    Attributes:
        rows: the calls that they are asked of; a comment's terms only of calls with a comment, since who dislikes an
            answer comments on it more often, whatever the answer was.
        names: dimension and value of each feature.
        matrix: ``rows`` by features, 1 where the call has the feature.
    """

    rows: Rows
    names: tuple[tuple[str, str], ...]
    matrix: sparse.csc_array


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A dimension, or values of one, that is not looked at, and why."""

    dimension: str
    why: str


def families(calls: pa.Table, fewest: int, *, with_comments: bool = True) -> Iterator[Family | LeftOut]:
    """Every feature that at least ``fewest`` calls have and at least as many have not.

    Args:
        calls: the columns that ``insights/contrast_calls.sql`` answers, and ``attributes`` (lists of key=value).
        fewest: calls.
        with_comments: whether comments are looked at; of calls without a rating nobody can know what it would be.
    """
    everything = np.arange(calls.num_rows)
    for column in VALUE_COLUMNS:
        yield from _of_sets(column, everything, ([value or NOTHING] for value in _list(calls, column)), fewest)
    yield from _of_sets("tool", everything, _list(calls, "tool"), fewest)
    yield from _of_attributes(everything, _list(calls, "attributes"), fewest)
    for column in NUMBER_COLUMNS:
        yield from _of_numbers(column, calls.column(column).to_numpy(), fewest)
    if "topic" in calls.column_names:
        yield from _of_sets("topic", everything, ([each or NOTHING] for each in _list(calls, "topic")), fewest)
    yield from _of_sets("prompt_script", everything, ([_script(text)] for text in _list(calls, "prompt")), fewest)
    for column in TEXT_COLUMNS if with_comments else TEXT_COLUMNS[:2]:
        yield from _of_texts(column, _list(calls, column), fewest)


def _list(calls: pa.Table, column: str) -> list[Any]:
    return list(calls.column(column).to_pylist())


def _script(text: str) -> str:
    return texts.script(text) or NOTHING


def _of_sets(dimension: str, rows: Rows, values: Iterable[Sequence[str]], fewest: int) -> Iterator[Family]:
    """A feature for each value; of each row there may be several."""
    known: dict[str, list[int]] = defaultdict(list)
    for row, found in enumerate(values):
        for value in set(found):
            known[value].append(row)
    yield from _family(rows, {(dimension, value): found for value, found in known.items()}, fewest)


def _of_attributes(rows: Rows, pairs: Sequence[Sequence[str]], fewest: int) -> Iterator[Family | LeftOut]:
    known: dict[tuple[str, str], list[int]] = defaultdict(list)
    for row, found in enumerate(pairs):
        for pair in set(found):
            key, _, value = pair.partition("=")
            known[f"attribute {key}", value].append(row)
    values = Counter(dimension for dimension, _ in known)
    for dimension, count in sorted(values.items()):
        if count > MOST_VALUES:
            yield LeftOut(dimension, f"has {count} values, more than {MOST_VALUES}")
    yield from _family(rows, {name: found for name, found in known.items() if values[name[0]] <= MOST_VALUES}, fewest)


def _of_numbers(dimension: str, values: NDArray[np.float64], fewest: int) -> Iterator[Family]:
    """Quarters of the calls that tell the number at all; fewer where many calls have the same."""
    rows = np.flatnonzero(values > 0)
    told = values[rows]
    if len(rows) < 2 * fewest:
        return
    edges = np.quantile(told, (0.25, 0.5, 0.75))
    quarter = np.searchsorted(edges, told, side="left")
    found = {}
    for number in np.unique(quarter):
        inside = np.flatnonzero(quarter == number)
        span = f"{told[inside].min():.4g} to {told[inside].max():.4g}"
        found[dimension, f"{_QUARTERS[number]}: {span}"] = inside.tolist()
    yield from _family(rows, found, fewest)


def _of_texts(column: str, told: Sequence[str], fewest: int) -> Iterator[Family | LeftOut]:
    rows = np.array([row for row, text in enumerate(told) if text.strip()], dtype=np.int64)
    if len(rows) < 2 * fewest:
        return
    counter = CountVectorizer(analyzer=texts.terms, binary=True, min_df=fewest, dtype=np.int64)
    try:
        counts = counter.fit_transform(told[row] for row in rows)
    except ValueError:  # no term is in enough texts
        return
    matrix = sparse.csc_array(counts)
    names = counter.get_feature_names_out()
    having = np.asarray(matrix.sum(axis=0)).ravel()
    kept = np.flatnonzero(len(rows) - having >= fewest)
    if len(kept) > MOST_TERMS:
        yield LeftOut(f"{column} term", f"{len(kept) - MOST_TERMS} rarer terms beyond the {MOST_TERMS} most common")
        kept = np.sort(kept[np.argsort(-having[kept], kind="stable")[:MOST_TERMS]])
    if len(kept):
        yield Family(rows, tuple((f"{column} term", str(names[each])) for each in kept), matrix[:, kept].astype(float))


def _family(rows: Rows, found: dict[tuple[str, str], list[int]], fewest: int) -> Iterator[Family]:
    enough = sorted(name for name, having in found.items() if fewest <= len(having) <= len(rows) - fewest)
    if enough:
        indices = np.concatenate([np.array(found[name], dtype=np.int64) for name in enough])
        starts = np.cumsum([0, *(len(found[name]) for name in enough)])
        matrix = sparse.csc_array((np.ones(len(indices)), indices, starts), shape=(len(rows), len(enough)))
        yield Family(rows, tuple(enough), matrix)
