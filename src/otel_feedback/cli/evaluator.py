"""``otel-feedback evaluator``: judges of answers that learn from ratings. One module an action."""

from __future__ import annotations

import argparse
from typing import Final

from otel_feedback.cli import evaluator_drift, evaluator_reproduce, evaluator_run, evaluator_train

SUMMARY: Final = "train a judge of answers on ratings, try it on other people's, and let it judge what nobody rated"
EXAMPLE: Final = "otel-feedback evaluator train --out thumbs-judge --since 90d"
_ACTIONS: Final = {
    "train": evaluator_train,
    "run": evaluator_run,
    "drift": evaluator_drift,
    "reproduce": evaluator_reproduce,
}


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the actions and their arguments."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    for name, module in _ACTIONS.items():
        action = actions.add_parser(
            name,
            help=module.SUMMARY,
            description=module.SUMMARY,
            epilog=f"Example:\n  {module.EXAMPLE}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        module.configure(action)


def run(arguments: argparse.Namespace) -> int:
    """Do it.

    Raises:
        OtelFeedbackError: as the action says.
    """
    return int(_ACTIONS[arguments.action].run(arguments))
