"""``otel-feedback contrast``: what sets negatively rated calls apart from positively rated ones."""

from __future__ import annotations

import argparse
import dataclasses
import json
from typing import TYPE_CHECKING, Any, Final

from otel_feedback.cli.rated_arguments import add_filter, filter_of, positive, share
from otel_feedback.running_service import has_service, read_state
from otel_feedback.settings import Settings

if TYPE_CHECKING:
    from otel_feedback.insights import Finding, Run

SUMMARY: Final = "find what sets negatively rated calls apart, and how sure that is"
EXAMPLE: Final = "otel-feedback contrast --since 30d --service shop-assistant"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    add_filter(parser)
    parser.add_argument(
        "--compare",
        default="negative",
        choices=("negative", "rated"),
        help="negatively with positively rated calls (default), or rated calls with the others",
    )
    parser.add_argument(
        "--q",
        type=share,
        default=0.1,
        metavar="SHARE",
        help="how many of the findings may be by chance (default: 0.1)",
    )
    parser.add_argument(
        "--most-calls",
        type=positive,
        default=20_000,
        metavar="N",
        help="rated calls to read, and as many others; of more, conversations are drawn (default: 20000)",
    )
    parser.add_argument("--no-store", action="store_true", help="do not keep the result in the table insight_findings")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="default: text")


def run(arguments: argparse.Namespace) -> int:
    """Look, keep what is found, and print it.

    Raises:
        OtelFeedbackError: there is nothing to compare, or the database can't be asked.
    """
    from otel_feedback.insights import Limits, asker, contrast  # noqa: PLC0415  # --help needs no extra
    from otel_feedback.insights.contrast_run import STEPS  # noqa: PLC0415  # as above
    from otel_feedback.insights.progress import progress  # noqa: PLC0415  # as above

    settings = Settings.load()
    with progress(STEPS, "step", "contrast") as advance:
        found = contrast(
            asker(settings),
            compared=arguments.compare,
            of=filter_of(arguments),
            limits=Limits(q=arguments.q),
            most_calls=arguments.most_calls,
            store=not arguments.no_store,
            step=lambda: advance(1),
        )
    base = _dashboard(settings)
    if arguments.format == "json":
        print(json.dumps(_told(found, base), indent=2, ensure_ascii=False))
    else:
        print("\n".join(_lines(found, base)))
    return 0


def _dashboard(settings: Settings) -> str:
    """The address of the running dashboard, or "" where none runs here."""
    state = read_state(settings.data_dir) if has_service(settings.data_dir) else None
    return state.dashboard if state else ""


def _told(found: Run, base: str) -> dict[str, Any]:
    told = dataclasses.asdict(found)
    for finding, row in zip(found.contrast.findings, told["contrast"]["findings"], strict=True):
        for example, shown in zip(finding.examples, row["examples"], strict=True):
            shown["link"] = base + example.link
    return told


def _lines(found: Run, base: str) -> list[str]:
    contrast = found.contrast
    cases, controls = ("negative", "positive") if contrast.compared == "negative" else ("rated", "not rated")
    compared = f"{contrast.cases} {cases} and {contrast.controls} {controls} calls"
    lines = [
        f"{compared}, of {contrast.people} people or conversations. {contrast.response_rate:.1%} of all are rated.",
        f"{contrast.tested} features were tested, {len(contrast.findings)} differ.",
    ]
    if contrast.largest_share > 0.2:
        lines.append(f"One of them gave {contrast.largest_share:.0%} of these; such votes are weighed down.")
    lines += [
        f"{int(found.filter[each]) / 10_000:.3g} % of the conversations were drawn ({each} calls)."
        for each in ("rated", "unrated")
        if int(found.filter[each]) < 1_000_000
    ]
    for number, finding in enumerate(contrast.findings, 1):
        lines += ["", *_finding_lines(number, finding, cases, controls, base)]
    lines += ["", *(f"Not looked at: {each.dimension} {each.why}." for each in contrast.left_out)]
    if contrast.findings:
        lines.append("Differences are no causes: docs/insights.md says what each number means.")
    return "\n".join(lines).rstrip().split("\n")


def _finding_lines(number: int, finding: Finding, cases: str, controls: str, base: str) -> list[str]:
    low, high = finding.low * 100, finding.high * 100
    shares = f"{finding.share_with:.0%} {cases} with it, {finding.share_without:.0%} without"
    difference = f"{finding.difference * 100:+.0f} points ({low:+.0f} to {high:+.0f})"
    if finding.ratio is not None:
        difference += f", {finding.ratio:.2f} times ({finding.ratio_low:.2f} to {finding.ratio_high:.2f})"
    counts = f"{finding.cases_with} {cases}, {finding.controls_with} {controls}, {finding.people} people"
    lines = [
        f"{number}. {finding.dimension}: {finding.value}",
        f"   {shares}: {difference}",
        f"   {counts}; p {finding.p:.2g}, q {finding.q:.2g}",
    ]
    if finding.response_rate is not None:
        rated = f"   {finding.response_rate:.1%} of calls with it are rated"
        if finding.reweighted_difference is not None:
            rated += f"; if all kinds of calls were rated alike: {finding.reweighted_difference * 100:+.0f} points"
        lines.append(rated)
    lines += [f"   nearly the same calls as {finding.same_as}"] if finding.same_as else []
    return [*lines, *(f"   {base}{each.link}" for each in finding.examples)]
