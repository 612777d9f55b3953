"""``otel-feedback evaluator drift``."""

from __future__ import annotations

import argparse
import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Final

from otel_feedback.cli.evaluator_train import FIGURES
from otel_feedback.cli.model_arguments import add_model_use, model_use
from otel_feedback.settings import Settings

if TYPE_CHECKING:
    from otel_feedback.insights.evaluator import Drift

SUMMARY: Final = "compare an evaluator with what users rated since its training; exits with 1 if it got worse"
EXAMPLE: Final = "otel-feedback evaluator drift thumbs-judge"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the action's arguments."""
    parser.add_argument("directory", type=Path, metavar="DIR", help="an evaluator")
    parser.add_argument(
        "--since",
        default="",
        metavar="WHEN",
        help="only ratings from when on, e.g. 7d; default: all since the training",
    )
    parser.add_argument("--format", choices=("text", "json"), default="text", help="default: text")
    add_model_use(parser)


def run(arguments: argparse.Namespace) -> int:
    """Compare; 1 if it should be trained anew.

    Raises:
        OtelFeedbackError: there is no evaluator, or the database can't be asked.
    """
    from otel_feedback.insights import asker  # noqa: PLC0415  # --help needs no extra
    from otel_feedback.insights.evaluator import drift, load  # noqa: PLC0415  # as above

    evaluator = load(arguments.directory, model_use(arguments))
    found = drift(evaluator, asker(Settings.load()), since=arguments.since)
    if arguments.format == "json":
        print(json.dumps(dataclasses.asdict(found), indent=2))
    else:
        print(_text(found, evaluator.rater_id))
    return 1 if found.reasons else 0


def _text(found: Drift, who: str) -> str:
    lines = [
        f"{found.rated_calls} calls that {who} has not learned from were rated since, {found.negative} negatively.",
        f"{found.judged_before} of them had its verdict before.",
    ]
    if not found.is_told:
        return "\n".join([*lines, "These are too few to tell."])
    for name, each in found.figures.items():
        lines.append(
            f"{FIGURES[name]}: promised {each.promised.value:.3f}, now {each.now.value:.3f} "
            f"({each.now.low:.3f} to {each.now.high:.3f})"
        )
    if not found.reasons:
        return "\n".join([*lines, "Fine: nothing is worse than promised beyond what chance explains."])
    return "\n".join([*lines, *(f"Train it anew: {reason}." for reason in found.reasons)])
