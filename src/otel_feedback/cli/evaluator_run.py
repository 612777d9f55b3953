"""``otel-feedback evaluator run``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from otel_feedback.cli.model_arguments import add_model_use, model_use
from otel_feedback.cli.rated_arguments import add_filter, filter_of, positive
from otel_feedback.settings import Settings

if TYPE_CHECKING:
    from otel_feedback.insights.evaluator import Judged

SUMMARY: Final = "let an evaluator judge the calls that nobody rated; its verdicts are recorded through the service"
EXAMPLE: Final = "otel-feedback evaluator run thumbs-judge --since 7d --most-calls 10000"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the action's arguments."""
    parser.add_argument("directory", type=Path, metavar="DIR", help="an evaluator")
    add_filter(parser, ratings=False)
    parser.add_argument(
        "--most-calls", type=positive, metavar="N", help="calls to judge, the newest first; default: all"
    )
    parser.add_argument(
        "--seconds", type=positive, metavar="N", help="how long it may last; default: as long as it takes"
    )
    parser.add_argument(
        "--watch", action="store_true", help="judge what comes until it is stopped; bounds are for each hour"
    )
    parser.add_argument("--unpromoted", action="store_true", help="let one judge that does not beat the baselines, too")
    add_model_use(parser)


def run(arguments: argparse.Namespace) -> int:
    """Judge, and print how many calls were called what.

    Raises:
        OtelFeedbackError: the evaluator may not judge, no service takes verdicts, or the database can't be asked.
    """
    from otel_feedback.insights import asker  # noqa: PLC0415  # --help needs no extra
    from otel_feedback.insights.evaluator import Budget, check_promoted, load, watch  # noqa: PLC0415  # as above
    from otel_feedback.insights.evaluator import run as run_evaluator  # noqa: PLC0415  # as above
    from otel_feedback.insights.progress import progress  # noqa: PLC0415  # as above
    from otel_feedback.service.rating_client import RatingClient  # noqa: PLC0415  # as above

    settings = Settings.load()
    evaluator = load(arguments.directory, model_use(arguments))
    check_promoted(evaluator, unpromoted=arguments.unpromoted)
    record = RatingClient.by(settings).send
    of, budget = filter_of(arguments), Budget(arguments.most_calls, arguments.seconds)
    if evaluator.refused:
        print(f"{evaluator.rater_id} is not promoted: {'; '.join(evaluator.refused)}.", file=sys.stderr)
    if arguments.watch:
        watch(
            evaluator,
            record,
            asker(settings),
            of=of,
            hourly=budget,
            unpromoted=arguments.unpromoted,
            told=lambda done: print(_text(done, evaluator.rating_name), flush=True),
        )
    with progress(arguments.most_calls or 0, "call", "judge") as step:
        done = run_evaluator(
            evaluator, record, asker(settings), of=of, budget=budget, unpromoted=arguments.unpromoted, step=step
        )
    print(_text(done, evaluator.rating_name))
    return 0


def _text(done: Judged, name: str) -> str:
    labels = ", ".join(
        f"{done.labels[each]} {each}" for each in ("negative", "neutral", "positive") if done.labels[each]
    )
    said = f"{done.calls} calls judged as {name}" + (f": {labels}." if labels else ".")
    if done.skipped:
        said += f" {done.skipped} have ids that are not OpenTelemetry's, and were left out."
    return f"{said} Stopped after {done.spent}; run it again for the rest." if done.spent else f"{said} None is left."
