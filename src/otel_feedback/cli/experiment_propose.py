"""``otel-feedback experiment propose``: a draft of a prompt's next version, from what people disliked."""

from __future__ import annotations

import argparse
import dataclasses
import difflib
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

from otel_feedback.cli.model_arguments import add_budget, prices
from otel_feedback.cli.rated_arguments import add_filter, filter_of, positive
from otel_feedback.settings import Settings

if TYPE_CHECKING:
    from otel_feedback.insights import Proposal


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--prompt", required=True, metavar="NAME", help="the prompt's name")
    parser.add_argument("--version", required=True, metavar="VERSION", help="the version to revise")
    parser.add_argument(
        "--model", required=True, metavar="NAME", help="writes the draft, at OPENAI_BASE_URL with OPENAI_API_KEY"
    )
    add_filter(parser)
    parser.add_argument(
        "--examples", type=positive, default=20, metavar="N", help="disliked answers that it is shown (default: 20)"
    )
    add_budget(parser)
    parser.add_argument("--no-store", action="store_true", help="do not keep the draft in the table insight_findings")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="default: text")


def run(arguments: argparse.Namespace) -> int:
    """Draft, keep and print.

    Raises:
        OtelFeedbackError: there is nothing to learn from, or the database or the model can't be asked.
    """
    from otel_feedback.insights import ChatModel, Spending, asker, propose  # noqa: PLC0415  # --help needs no extra
    from otel_feedback.redaction import load_redactor  # noqa: PLC0415  # as above

    settings = Settings.load()
    with ChatModel(
        arguments.model,
        prices=prices(arguments),
        spending=Spending(most_cost=arguments.most_cost, most_tokens=arguments.most_tokens),
    ) as model:
        proposal = propose(
            arguments.prompt,
            arguments.version,
            model,
            asker(settings),
            of=filter_of(arguments),
            most_examples=arguments.examples,
            redactor=load_redactor(settings.redact),
            store=not arguments.no_store,
        )
    if arguments.format == "json":
        print(json.dumps(dataclasses.asdict(proposal), indent=2, ensure_ascii=False))
    else:
        print("\n".join(_lines(proposal)))
    return 0


def _lines(proposal: Proposal) -> Iterator[str]:
    disliked = sum(each.label == "negative" for each in proposal.examples)
    yield f"A draft by {proposal.model}, from {disliked} disliked answers by {proposal.prompt} {proposal.version}."
    for problem in proposal.problems:
        shown = ", ".join(map(str, problem.examples))
        yield f"  - {problem.problem}" + (f" (example {shown})" if shown else "")
    yield from ("", "What it changed:", *(f"  - {each}" for each in proposal.changes), "")
    yield from difflib.unified_diff(
        proposal.instructions.splitlines(), proposal.draft.splitlines(), proposal.version, "draft", lineterm=""
    )
    yield ""
    if proposal.new_addresses:
        yield f"! Addresses that are new: {', '.join(proposal.new_addresses)}. Make sure that they are yours."
    if proposal.masked:
        kinds = ", ".join(f"{count} {kind}" for kind, count in proposal.masked.items())
        yield f"Not sent to the model: {kinds}. Where the draft has [email] or the like, put back what belongs there."
    cost = f", cost {proposal.cost:.4g}" if proposal.cost else ""
    yield f"{proposal.input_tokens} + {proposal.output_tokens} tokens{cost}. Nothing was changed anywhere."
    if proposal.id:
        yield f"Kept as {proposal.id} in insight_findings, with the ids of the examples."
