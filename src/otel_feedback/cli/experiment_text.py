"""An experiment in words."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from otel_feedback.insights import Arm, Comparison, ExperimentRun
    from otel_feedback.insights.guards import Guard
    from otel_feedback.insights.scores import Score


def lines_of(run: ExperimentRun) -> Iterator[str]:
    """The lines to print, without their ends."""
    of_prompt = f" of {run.prompt}" if run.prompt else ""
    yield f"{len(run.experiment.arms)} arms by {run.dimension}{of_prompt}."
    for arm in run.experiment.arms:
        yield from _arm_lines(arm)
    if run.other_arms:
        yield f"Left out: {run.other_arms} more with {run.other_ratings} ratings; name them with --arm."
    if run.without:
        yield f"Left out: {run.without} ratings of calls without one."
    for comparison in run.experiment.comparisons:
        yield ""
        yield from _comparison_lines(comparison)
    if len(run.experiment.comparisons) > 1:
        level = run.experiment.comparisons[0].level
        yield ""
        count = len(run.experiment.comparisons)
        yield f"There are {count} comparisons: intervals are {level * 100:.4g} % ones, so that all hold together."


def _arm_lines(arm: Arm) -> Iterator[str]:
    yield f"  {arm.value}: {arm.calls} calls from {_day(arm.first)} to {_day(arm.last)}, {arm.ratings} ratings"
    if arm.share is not None:
        shares = f"{arm.share:.0%} positive ({arm.low:.0%} to {arm.high:.0%})"
        yield f"    {shares}: {arm.positive} positive, {arm.negative} negative, {arm.people} people"


def _comparison_lines(found: Comparison) -> Iterator[str]:
    yield f"{found.words}."
    if found.difference is not None:
        low, high = found.low * 100, found.high * 100
        yield f"  one look: {found.difference * 100:+.0f} points ({low:+.0f} to {high:+.0f}), p {found.p:.2g}"
    always = found.anytime
    if always.difference is not None:
        low, high = always.low * 100, always.high * 100
        told = f"{always.difference * 100:+.0f} points ({low:+.0f} to {high:+.0f}), p {always.p:.2g}"
        yield f"  any number of looks: {told}, of {always.pairs} pairs of people"
    if found.reweighted is not None:
        yield f"  if services and models were mixed alike: {found.reweighted * 100:+.0f} points"
    for score in found.scores:
        yield from _score_lines(score)
    yield from _needed_lines(found)
    if found.guards:
        yield f"  guards ({found.guard_level * 100:.4g} % intervals):"
        yield from (f"    {_guard_line(each)}" for each in found.guards)
    yield from (f"  ! {each.words}." for each in found.cautions)


def _score_lines(score: Score) -> Iterator[str]:
    told = f"{score.control:.2f} -> {score.treated:.2f} of {score.minimum:g} to {score.maximum:g}"
    between = "too few people" if score.low is None else f"{score.low:+.2f} to {score.high:+.2f}"
    yield f"  {score.name}: {told}: {score.difference:+.2f} ({between}), {score.ratings} ratings"
    always = score.anytime
    if always.difference is not None:
        told = f"{always.difference:+.2f} ({always.low:+.2f} to {always.high:+.2f}), p {always.p:.2g}"
        yield f"    any number of looks: {told}"


def _needed_lines(found: Comparison) -> Iterator[str]:
    needed = found.needed
    what = f"to find {needed.difference * 100:g} points {needed.power:.0%} of the time"
    more = [
        f"{count} more of {name}"
        for name, count in ((found.control, needed.more_control), (found.arm, needed.more_treated))
        if count
    ]
    if more:
        yield f"  {what} with one look: about {' and '.join(more)}; with any number: {needed.pairs} pairs of people"
    else:
        yield f"  {what} these are enough ratings for one look; with any number: {needed.pairs} pairs of people"


def _guard_line(guard: Guard) -> str:
    figures = f"{_figure(guard.control, guard.unit)} -> {_figure(guard.treated, guard.unit)}"
    if guard.low is None or guard.high is None:
        return f"{guard.name}: {figures} (too few people)"
    ends = [_figure(each, guard.unit, signed=True) for each in (guard.difference, guard.low, guard.high)]
    got = {"": "", "worse": ": GOT WORSE", "better": ": got better"}.get(guard.changed, f": {guard.changed}")
    return f"{guard.name}: {figures}, {ends[0]} ({ends[1]} to {ends[2]}){got}"


def _figure(value: float, unit: str, *, signed: bool = False) -> str:
    sign = "+" if signed else ""
    if unit == "share":
        return f"{value * 100:{sign}.1f}{' points' if signed else ' %'}"
    return f"{value:{sign}.2f} s" if unit == "s" else f"{value:{sign}.0f}"


def _day(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d")
