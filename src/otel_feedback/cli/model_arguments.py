"""How commands may use a language model: the same arguments for each."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Final

from otel_feedback.cli.rated_arguments import positive
from otel_feedback.settings import Settings

if TYPE_CHECKING:
    from otel_feedback.insights.evaluator import ModelUse

ANSWERS_FILE: Final = "model-answers.sqlite"


def add_model_use(parser: argparse.ArgumentParser) -> None:
    """Declare ``--prices``, ``--most-cost``, ``--most-tokens``, ``--parallel``, ``--per-minute`` and ``--answers``."""
    group = parser.add_argument_group("of the kind judge, which asks a model at OPENAI_BASE_URL with OPENAI_API_KEY")
    group.add_argument(
        "--prices", type=_prices, metavar="IN/OUT", help="of a million input and output tokens, e.g. 2.5/10"
    )
    group.add_argument(
        "--most-cost", type=float, metavar="AMOUNT", help="ask nothing that might cost more, by --prices"
    )
    group.add_argument(
        "--most-tokens", type=positive, metavar="N", help="ask nothing that might take more, of both kinds"
    )
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
    from otel_feedback.insights.spending import Prices  # noqa: PLC0415  # as above

    prices = None if arguments.prices is None else Prices(*arguments.prices)
    return ModelUse(
        cache=arguments.answers or Settings.load().data_dir / ANSWERS_FILE,
        parallel=arguments.parallel,
        per_minute=arguments.per_minute,
        most_cost=arguments.most_cost,
        most_tokens=arguments.most_tokens,
        prices=prices,
    )


def _prices(text: str) -> tuple[float, float]:
    first, _, second = text.partition("/")
    prices = float(first), float(second)
    if min(prices) < 0:
        raise argparse.ArgumentTypeError("must be two prices, e.g. 2.5/10")
    return prices
