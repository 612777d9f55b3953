"""How commands may use a language model: the same arguments for each."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Final

from otel_feedback.cli.rated_arguments import positive
from otel_feedback.settings import Settings

if TYPE_CHECKING:
    from otel_feedback.insights import Prices
    from otel_feedback.insights.evaluator import ModelUse

ANSWERS_FILE: Final = "model-answers.sqlite"


def add_budget(parser: argparse._ActionsContainer) -> None:
    """Declare ``--prices``, ``--most-cost`` and ``--most-tokens``."""
    parser.add_argument(
        "--prices", type=_prices, metavar="IN/OUT", help="of a million input and output tokens, e.g. 2.5/10"
    )
    parser.add_argument(
        "--most-cost", type=float, metavar="AMOUNT", help="ask nothing that might cost more, in the unit of --prices"
    )
    parser.add_argument(
        "--most-tokens", type=positive, metavar="N", help="ask nothing that might take more, of both kinds together"
    )


def prices(arguments: argparse.Namespace) -> Prices | None:
    """What ``--prices`` says."""
    from otel_feedback.insights import Prices  # noqa: PLC0415  # --help needs no extra

    return None if arguments.prices is None else Prices(*arguments.prices)


def add_model_use(parser: argparse.ArgumentParser) -> None:
    """Declare ``--prices``, ``--most-cost``, ``--most-tokens``, ``--parallel``, ``--per-minute`` and ``--answers``."""
    group = parser.add_argument_group("of the kind judge, which asks a model at OPENAI_BASE_URL with OPENAI_API_KEY")
    add_budget(group)
    group.add_argument("--parallel", type=positive, default=4, metavar="N", help="questions at once (default: 4)")
    group.add_argument(
        "--per-minute", type=positive, metavar="N", help="questions in a minute; default: what the server takes"
    )
    group.add_argument(
        "--answers",
        type=Path,
        metavar="FILE",
        help=f"where answers are kept (default: {ANSWERS_FILE} in the data directory)",
    )


def model_use(arguments: argparse.Namespace) -> ModelUse:
    """What these arguments say."""
    from otel_feedback.insights.evaluator import ModelUse  # noqa: PLC0415  # --help needs no extra

    return ModelUse(
        cache=arguments.answers or Settings.load().data_dir / ANSWERS_FILE,
        parallel=arguments.parallel,
        per_minute=arguments.per_minute,
        most_cost=arguments.most_cost,
        most_tokens=arguments.most_tokens,
        prices=prices(arguments),
    )


def _prices(text: str) -> tuple[float, float]:
    try:
        first, second = (float(each) for each in text.split("/"))
    except ValueError:
        first, second = -1.0, -1.0
    if not (0 <= first < float("inf") and 0 <= second < float("inf")):
        raise argparse.ArgumentTypeError("write two numbers, for input and output, e.g. 2.5/10")
    return first, second
