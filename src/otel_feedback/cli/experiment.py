"""``otel-feedback experiment``: arms compared by their ratings, a prompt's history, and drafts of its next version."""

from __future__ import annotations

import argparse
import dataclasses
import json
from typing import Final

from otel_feedback.cli import experiment_propose
from otel_feedback.cli.experiment_text import lines_of
from otel_feedback.cli.rated_arguments import add_filter, filter_of, positive, share
from otel_feedback.errors import UsageError
from otel_feedback.settings import Settings

SUMMARY: Final = (
    "compare prompt versions, models or variants by their ratings; `history`, `propose`: a prompt's versions"
)
EXAMPLE: Final = "otel-feedback experiment --prompt shop-assistant --since 30d"
_DIMENSIONS: Final = (
    "prompt_version", "prompt_name", "request_model", "response_model", "model", "provider", "service",
)  # fmt: skip


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "--by", default="prompt_version", choices=_DIMENSIONS, help="what the arms are (default: prompt_version)"
    )
    parser.add_argument(
        "--attribute", default="", metavar="KEY", help="arms are an attribute's values, e.g. experiment.variant"
    )
    parser.add_argument(
        "--arm",
        action="append",
        default=[],
        metavar="VALUE",
        help="one of the arms, the control first; several times (default: those with most ratings, the oldest first)",
    )
    parser.add_argument(
        "--split", default="", metavar="P/P", help="shares of people that were meant to get the arms, e.g. 50/50"
    )
    _add_common(parser, prompt_is_needed=False)
    actions = parser.add_subparsers(dest="action", metavar="[history | propose]")
    history = actions.add_parser("history", help="each version of a prompt beside the one before it")
    _add_common(history, prompt_is_needed=True)
    experiment_propose.configure(
        actions.add_parser("propose", help="draft a prompt's next version from what people disliked")
    )


def _add_common(parser: argparse.ArgumentParser, *, prompt_is_needed: bool) -> None:
    parser.add_argument(
        "--prompt", default="", required=prompt_is_needed, metavar="NAME", help="calls with this prompt only"
    )
    add_filter(parser)
    parser.add_argument(
        "--detect",
        type=share,
        default=0.1,
        metavar="SHARE",
        help="the difference that matters: it is told what it takes to find it (default: 0.1)",
    )
    parser.add_argument(
        "--most-arms", type=positive, default=10, metavar="N", help="arms to compare where none is named (default: 10)"
    )
    parser.add_argument(
        "--most-calls",
        type=positive,
        default=20_000,
        metavar="N",
        help="calls to read for latency, tokens and errors; of more, conversations are drawn (default: 20000)",
    )
    parser.add_argument("--no-store", action="store_true", help="do not keep the result in the table insight_findings")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="default: text")


def run(arguments: argparse.Namespace) -> int:
    """Compare, keep what is found, and print it; or draft.

    Raises:
        OtelFeedbackError: there is nothing to compare, or the database or the model can't be asked.
    """
    if arguments.action == "propose":
        return experiment_propose.run(arguments)
    from otel_feedback.insights import Arms, Design, asker, experiment  # noqa: PLC0415  # --help needs no extra
    from otel_feedback.insights.experiment_run import STEPS  # noqa: PLC0415  # as above
    from otel_feedback.insights.progress import progress  # noqa: PLC0415  # as above

    is_history = arguments.action == "history"
    arms = Arms(prompt=arguments.prompt, most=arguments.most_arms)
    if not is_history:
        arms = dataclasses.replace(arms, by=arguments.by, attribute=arguments.attribute, names=tuple(arguments.arm))
    split = () if is_history else _split(arguments.split)
    with progress(STEPS, "step", "experiment") as advance:
        found = experiment(
            asker(Settings.load()),
            arms=arms,
            of=filter_of(arguments),
            design=Design(detect=arguments.detect, to_previous=is_history, split=split),
            most_calls=arguments.most_calls,
            store=not arguments.no_store,
            step=lambda: advance(1),
        )
    if arguments.format == "json":
        print(json.dumps(dataclasses.asdict(found), indent=2, ensure_ascii=False))
    else:
        print("\n".join(lines_of(found)))
    return 0


def _split(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(each) for each in text.split("/")) if text else ()
    except ValueError:
        raise UsageError(f"--split {text!r} can't be read; write a share for each arm, e.g. 50/50") from None
