"""``otel-feedback evaluator reproduce``."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

from otel_feedback.cli.model_arguments import add_model_use, model_use
from otel_feedback.settings import Settings

SUMMARY: Final = "train an evaluator again from its manifest, and tell whether figures and model are the same"
EXAMPLE: Final = "otel-feedback evaluator reproduce thumbs-judge"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the action's arguments."""
    parser.add_argument("directory", type=Path, metavar="DIR", help="an evaluator")
    add_model_use(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print what differs; 1 if anything does.

    Raises:
        OtelFeedbackError: the data is not there any more, there is no evaluator, or the database can't be asked.
    """
    from otel_feedback.insights import asker  # noqa: PLC0415  # --help needs no extra
    from otel_feedback.insights.evaluator import reproduce  # noqa: PLC0415  # as above

    differences = reproduce(arguments.directory, asker(Settings.load()), use=model_use(arguments))
    for each in differences:
        print(f"{each.what} was {each.was}, and is {each.now}")
    if not differences:
        print("The same data, libraries, figures and model.")
    return 1 if differences else 0
