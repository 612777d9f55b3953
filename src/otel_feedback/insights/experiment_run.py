"""An experiment over the database: which arms there are, what is found of them, and where that is kept."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Final

import pyarrow as pa

from otel_feedback.errors import OtelFeedbackError, UsageError
from otel_feedback.insights import asking, findings
from otel_feedback.insights.asking import Ask
from otel_feedback.insights.contrast_run import Filter
from otel_feedback.insights.experiment import Counted, Design, Experiment, compare

DIMENSIONS: Final = (
    "prompt_version", "prompt_name", "request_model", "response_model", "model", "provider", "service",
)  # fmt: skip
STEPS: Final = 4
_MILLION: Final = 1_000_000
_STATEMENTS: Final = ("insights/experiment_arms", "insights/experiment_ratings", "insights/experiment_calls")
_NAMES_PEOPLE: Final = frozenset(
    {"user.id", "user_id", "enduser.id", "enduser.pseudo.id", "session.id", "gen_ai.conversation.id"}
)
_SHOWN: Final = 10


@dataclass(frozen=True, slots=True)
class Arms:
    """What is compared.

    Attributes:
        by: one of DIMENSIONS, or "" where ``attribute`` is given.
        attribute: of the call's span, its resource, or the earliest span of its trace that has it.
        prompt: calls with this prompt's name only, or "".
        names: the arms, the control first; by default those with most ratings, in the order of their first calls.
        most: how many arms are compared where none is named.
    """

    by: str = "prompt_version"
    attribute: str = ""
    prompt: str = ""
    names: Sequence[str] = ()
    most: int = 10

    @property
    def dimension(self) -> str:
        """What arms are values of."""
        return self.attribute or self.by


@dataclass(frozen=True, slots=True)
class ExperimentRun:
    """An experiment with what made it.

    Attributes:
        id: names it in ``insight_findings``; "" where it was not stored.
        kind: ``experiment``, or ``history`` where each arm is compared with the one before it.
        dimension: what arms are values of.
        prompt: whose versions they are, or "".
        filter: the statements' values.
        query_hash: SHA-256 of the statements and these values.
        data_hash: SHA-256 of what they answered; two runs over the same rows find the same.
        without: ratings of calls that have no arm.
        other_arms: arms that were left out, with ``other_ratings``.
        experiment: what was found.
    """

    id: str
    kind: str
    dimension: str
    prompt: str
    filter: Mapping[str, Any]
    query_hash: str
    data_hash: str
    without: int
    other_arms: int
    other_ratings: int
    experiment: Experiment


def experiment(
    ask: Ask | None = None,
    *,
    arms: Arms | None = None,
    of: Filter | None = None,
    design: Design | None = None,
    most_calls: int = 20_000,
    store: bool = True,
    step: Callable[[], object] = lambda: None,
) -> ExperimentRun:
    """Compare arms by what people said of their answers.

    Args:
        ask: asks the database (``asker``); None for the one of the environment's settings.
        arms: what is compared; by default versions of the only prompt there is.
        of: which calls and ratings; by default what end users said of the last 30 days.
        design: how they are compared.
        most_calls: calls that are read for guards and mixes; where there are more, conversations are drawn by a hash of
            their id, so that a run can be repeated. Of ratings all are read.
        store: whether the result is kept in ``insight_findings``.
        step: called after each of the STEPS, to show progress.

    Raises:
        UsageError: something can't be meant, or an arm is named that is not there.
        OtelFeedbackError: there are no two arms.
        DatabaseError: ClickHouse refused a statement or can't be asked.
    """
    ask, arms, design = ask or asking.asker(), arms or Arms(), design or Design()
    values: dict[str, Any] = {**(of or Filter()).values(datetime.now(UTC)), **_values(arms, most_calls)}
    there = asking.rows(ask, _STATEMENTS[0], values)
    step()
    counted = _chosen(there, arms, values, to_previous=design.to_previous)
    _check(design, counted)
    names = [each.value for each in counted]
    total = sum(each.calls for each in counted)
    values |= {"arms": names, "drawn": str(max(1, min(_MILLION, _MILLION * most_calls // max(total, 1))))}
    ratings = asking.table(ask, _STATEMENTS[1], values)
    step()
    calls = asking.table(ask, _STATEMENTS[2], values)
    mixed_by = [name for name in ("service", "model") if name not in arms.dimension]
    found = compare(counted, _or_empty(ratings, _RATINGS), _or_empty(calls, _CALLS), design, mixed_by)
    step()
    rated = {str(row["Arm"]): int(row["Ratings"]) for row in there}
    left = [name for name in rated if name and name not in names]
    kind = "history" if design.to_previous else "experiment"
    run = ExperimentRun(
        f"{kind}-{secrets.token_hex(8)}" if store else "",
        kind,
        arms.dimension,
        arms.prompt,
        values,
        findings.query_hash(_STATEMENTS, {**values, "design": asdict(design)}),
        findings.data_hash(ratings, calls),
        rated.get("", 0),
        len(left),
        sum(rated[name] for name in left),
        found,
    )
    if store:
        same = {"Run": run.id, "Kind": run.kind, "QueryHash": run.query_hash, "DataHash": run.data_hash}
        findings.keep(ask, same, _rows(run))
    step()
    return run


def _values(arms: Arms, most_calls: int) -> dict[str, str]:
    if not arms.attribute and arms.by not in DIMENSIONS:
        raise UsageError(f"{arms.by!r} is nothing to compare by; there are {', '.join(DIMENSIONS)}, or an attribute")
    if arms.attribute in _NAMES_PEOPLE:
        raise UsageError(f"{arms.attribute} names people or conversations, which are no arms")
    if most_calls < 1 or arms.most < 2:
        raise UsageError("at least one call must be read, and two arms compared")
    return {"by": "" if arms.attribute else arms.by, "attribute": arms.attribute, "prompt": arms.prompt}


def _check(design: Design, counted: Sequence[Counted]) -> None:
    if not (0 < design.alpha < 1 and 0 < design.detect <= 1 and 0 < design.power < 1):
        raise UsageError("alpha, power and the difference to detect must be above 0, and below 1")
    if design.split and (len(design.split) != len(counted) or min(design.split) <= 0):
        arms = ", ".join(each.value for each in counted)
        raise UsageError(f"the split needs {len(counted)} shares above 0, for {arms}, in this order")


def _chosen(
    there: Sequence[Mapping[str, Any]], arms: Arms, values: Mapping[str, Any], *, to_previous: bool
) -> list[Counted]:
    known = [row for row in there if row["Arm"]]
    if arms.dimension == "prompt_version" and not arms.prompt and not arms.attribute:
        prompts = sorted({name for row in known for name in row["Prompts"]})
        if len(prompts) > 1:
            shown = ", ".join(name or "(no name)" for name in prompts[:_SHOWN])
            raise UsageError(f"These are versions of {len(prompts)} prompts ({shown}). Say which: --prompt NAME")
    by_name = {str(row["Arm"]): row for row in known}
    if arms.names:
        names = list(dict.fromkeys(arms.names))
        if missing := [name for name in names if name not in by_name]:
            shown = ", ".join(list(by_name)[:_SHOWN]) or "none"
            raise UsageError(f"No call has the {arms.dimension} {missing[0]!r}. There are: {shown}")
        rows = [by_name[name] for name in names]
    else:
        rows = sorted(known, key=lambda row: (int(row["First"]), str(row["Arm"])))
        if to_previous:
            rows = rows[-arms.most :]
        else:
            most = {str(row["Arm"]) for row in known[: arms.most]}
            rows = [row for row in rows if row["Arm"] in most]
    if len(rows) < 2:
        what = f"has the one value {rows[0]['Arm']!r}" if rows else "is not told of any call"
        calls = sum(int(row["Calls"]) for row in there)
        raise OtelFeedbackError(
            f"There is nothing to compare: of {calls} calls from {values['since']} to {values['until']} (UTC) "
            f"{arms.dimension} {what}. Take a longer period (--since 90d), or compare by something else (--by)"
        )
    return [Counted(str(row["Arm"]), int(row["Calls"]), int(row["First"]), int(row["Last"])) for row in rows]


def _rows(run: ExperimentRun) -> Iterator[dict[str, Any]]:
    told = asdict(run)
    comparisons = told.pop("experiment")
    verdicts = [
        {
            **{name: each[name] for name in ("arm", "control", "verdict")},
            **{name: each["needed"][name] for name in ("more_control", "more_treated")},
        }
        for each in comparisons["comparisons"]
    ]
    summary = {**told, "arms": comparisons["arms"], "verdicts": verdicts}
    no_examples: dict[str, Any] = {"SessionIds": [], "TraceIds": []}
    yield {"Position": 0, "Dimension": run.dimension, "Value": run.prompt, "Detail": summary, **no_examples}
    for position, each in enumerate(comparisons["comparisons"], 1):
        yield {"Position": position, "Dimension": run.dimension, "Value": each["arm"], "Detail": each, **no_examples}


_KEYS: Final = [
    ("Arm", pa.string()),
    ("TimeUnixNano", pa.int64()),
    ("Person", pa.string()),
    ("Conversation", pa.string()),
]
_RATINGS: Final = pa.schema(
    [*_KEYS, ("Name", pa.string()), ("Label", pa.string())]
    + [(name, pa.float64()) for name in ("Value", "ScoreMin", "ScoreMax")]
)
_CALLS: Final = pa.schema(
    [*_KEYS, ("service", pa.string()), ("model", pa.string())]
    + [(name, pa.uint8()) for name in ("IsRated", "IsNegative", "IsPositive", "IsError")]
    + [(name, pa.float64()) for name in ("seconds", "seconds_to_first_chunk", "input_tokens", "output_tokens")]
)


def _or_empty(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """The table, with its columns even where it has no row."""
    return table if table.num_rows else schema.empty_table()
