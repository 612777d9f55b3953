"""A contrast over the database: which calls are drawn, what is found in them, and where that is kept."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.ipc

from otel_feedback.clickhouse.questions import Parameter
from otel_feedback.errors import OtelFeedbackError, UsageError
from otel_feedback.insights import asking, findings
from otel_feedback.insights.asking import Ask
from otel_feedback.insights.contrast import Compared, Contrast, Limits, find

MOST_CALLS: Final = 20_000
STEPS: Final = 5
_MILLION: Final = 1_000_000
_STATEMENTS: Final = ("insights/contrast_calls", "insights/contrast_attributes")


@dataclass(frozen=True, slots=True)
class Filter:
    """Which calls and which ratings.

    Attributes:
        since: calls from this moment on: 30d (ago; m, h, d or w), or 2026-11-01T09:30. Moments are in UTC.
        until: calls before this moment.
        service: calls of this service only, or "".
        name: ratings of this name only, or "".
        source: ratings by these only: end_user, annotator, evaluator; or "" for all.
    """

    since: str = "30d"
    until: str = "now"
    service: str = ""
    name: str = ""
    source: str = "end_user"

    def values(self, now: datetime) -> dict[str, str]:
        """The filter as a statement's parameters.

        Raises:
            UsageError: a moment can't be read.
        """
        values = asdict(self)
        for name in ("since", "until"):
            moment = Parameter(name, "DateTime('UTC')", None, "a moment", "30d")
            try:
                values[name] = moment.read(values[name], now)
            except UsageError:
                raise UsageError(
                    f"{name} {values[name]!r} is no moment; write 30d (ago; m, h, d or w), now, or 2026-11-01T09:30"
                ) from None
        return values


@dataclass(frozen=True, slots=True)
class Run:
    """A contrast with what made it.

    Attributes:
        id: names it in ``insight_findings``; "" where it was not stored.
        filter: the statements' values: the Filter's, and how many of a million conversations were drawn.
        query_hash: SHA-256 of the statements and these values.
        data_hash: SHA-256 of what they answered; two runs over the same rows find the same.
    """

    id: str
    filter: Mapping[str, str]
    query_hash: str
    data_hash: str
    contrast: Contrast


def contrast(
    ask: Ask | None = None,
    *,
    compared: Compared = "negative",
    of: Filter | None = None,
    limits: Limits | None = None,
    most_calls: int = MOST_CALLS,
    store: bool = True,
    step: Callable[[], object] = lambda: None,
) -> Run:
    """Find what sets negatively rated calls apart from positively rated ones, or rated calls from the others.

    Args:
        ask: asks the database (``asker``); None for the one of the environment's settings.
        compared: ``negative`` or ``rated``.
        of: which calls and ratings; by default what end users said of the last 30 days.
        limits: what is asked of a finding.
        most_calls: rated calls that are read, and as many others; where there are more, conversations are drawn by a
            hash of their id, so that a run can be repeated.
        store: whether the result is kept in ``insight_findings``.
        step: called after each of the STEPS, to show progress.

    Raises:
        UsageError: a moment can't be read.
        OtelFeedbackError: no call is rated negatively, or none at all.
        DatabaseError: ClickHouse refused a statement or can't be asked.
    """
    ask, limits = ask or asking.asker(), limits or Limits()
    values = (of or Filter()).values(datetime.now(UTC))
    if most_calls < 1:
        raise UsageError("at least one call must be read")
    counts = {name: int(value) for name, value in asking.rows(ask, "insights/count_calls", values)[0].items()}
    step()
    rated, unrated = counts["Rated"], counts["Calls"] - counts["Rated"]
    shares = {"rated": _share(rated, most_calls), "unrated": _share(unrated, most_calls)}
    if compared == "rated":  # cases and controls must be drawn alike
        shares = dict.fromkeys(shares, _share(counts["Calls"], 2 * most_calls))
    values |= {name: str(share) for name, share in shares.items()}
    calls = asking.table(ask, _STATEMENTS[0], values)
    step()
    if not calls.num_rows or not any(calls.column("IsNegative" if compared == "negative" else "IsRated").to_pylist()):
        raise OtelFeedbackError(_nothing(counts, values))
    calls = _with_attributes(calls, asking.table(ask, _STATEMENTS[1], values))
    step()
    is_rated = calls.column("IsRated").to_numpy() > 0
    stands_for = np.where(is_rated, _MILLION / shares["rated"], _MILLION / shares["unrated"])
    found = find(calls, compared, limits, stands_for)
    step()
    run = Run(
        f"contrast-{secrets.token_hex(8)}" if store else "",
        values,
        findings.query_hash(_STATEMENTS, values),
        findings.data_hash(calls),
        found,
    )
    if store:
        same = {"Run": run.id, "Kind": "contrast", "QueryHash": run.query_hash, "DataHash": run.data_hash}
        findings.keep(ask, same, _rows(run))
    step()
    return run


def _share(there: int, most: int) -> int:
    return max(1, min(_MILLION, _MILLION * most // max(there, 1)))


def _nothing(counts: Mapping[str, int], values: Mapping[str, str]) -> str:
    return (
        f"There is nothing to compare: of {counts['Calls']} calls from {values['since']} to {values['until']} (UTC) "
        f"{counts['Rated']} are rated, {counts['Neither']} of them neither positively nor negatively. "
        "Take a longer period (--since 90d) or see what there is: otel-feedback report rated-vs-unrated"
    )


def _with_attributes(calls: pa.Table, attributes: pa.Table) -> pa.Table:
    known: dict[tuple[str, str], list[str]] = {}
    if attributes.num_rows:
        traces, spans, pairs = (attributes.column(name).to_pylist() for name in ("TraceId", "SpanId", "Attributes"))
        known = dict(zip(zip(traces, spans, strict=True), pairs, strict=True))
    ids = zip(calls.column("TraceId").to_pylist(), calls.column("SpanId").to_pylist(), strict=True)
    column = pa.array([known.get(each, []) for each in ids], type=pa.list_(pa.string()))
    return calls.append_column("attributes", column)


def _rows(run: Run) -> Iterator[dict[str, Any]]:
    told = asdict(run.contrast)
    found = told.pop("findings")
    summary = {"Detail": {**told, "filter": dict(run.filter)}, "Position": 0, "Dimension": "", "Value": ""}
    yield {**summary, "SessionIds": [], "TraceIds": []}
    for position, finding in enumerate(found, 1):
        examples = finding["examples"]
        yield {
            "Position": position,
            "Dimension": finding["dimension"],
            "Value": finding["value"],
            "Detail": finding,
            "SessionIds": sorted({each["session_id"] for each in examples} - {""}),
            "TraceIds": sorted({each["trace_id"] for each in examples}),
        }
