"""``otel-feedback evaluator train``."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any, Final

from otel_feedback.cli.model_arguments import add_model_use, model_use
from otel_feedback.cli.rated_arguments import add_filter, filter_of, positive, share
from otel_feedback.settings import Settings

SUMMARY: Final = "train an evaluator, measure it on people it has not seen, and decide whether it may be used"
EXAMPLE: Final = "otel-feedback evaluator train --out thumbs-judge --since 90d --precision 0.8"
_MOST_CALLS: Final = {"judge": 500}
"""Each costs a question or more."""
FIGURES: Final = {
    "roc_auc": "ROC AUC",
    "balanced_accuracy": "balanced accuracy",
    "average_precision": "average precision",
    "kappa": "Cohen's kappa",
}
"""As they are told, by their names in the manifest."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the action's arguments."""
    parser.add_argument("--out", type=Path, metavar="DIR", required=True, help="a directory that does not exist yet")
    parser.add_argument(
        "--kind",
        default="classifier",
        help="classifier (default): weights of terms and numbers of the texts; judge: a language model with criteria; "
        "finetuned: a small model that learns (LoRA)",
    )
    add_filter(parser)
    parser.add_argument(
        "--as",
        dest="as_name",
        default="",
        metavar="NAME",
        help="verdicts are recorded as evaluator.NAME (default: the kind)",
    )
    parser.add_argument(
        "--precision",
        type=share,
        metavar="SHARE",
        help="call an answer negative only where people agree at this rate (default: where it is likelier than usual)",
    )
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="of everything that is drawn (default: 1)")
    parser.add_argument(
        "--most-calls",
        type=positive,
        metavar="N",
        help="rated calls to read; of more, conversations are drawn (default: 20000, for a judge 500)",
    )
    parser.add_argument(
        "--model", default="", metavar="NAME", help="of a judge, as its server knows it; of finetuned, what learns"
    )
    add_model_use(parser)
    parser.add_argument("--no-store", action="store_true", help="do not keep the figures in the table insight_findings")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="default: text")


def run(arguments: argparse.Namespace) -> int:
    """Train, and print how good it is; 0 also where it is not promoted, since that is an answer.

    Raises:
        OtelFeedbackError: there is too little to learn from, an argument can't be meant, or something can't be reached.
    """
    from contextlib import ExitStack  # noqa: PLC0415  # beside what needs it

    from otel_feedback.insights import asker  # noqa: PLC0415  # --help needs no extra
    from otel_feedback.insights.evaluator import Options, train  # noqa: PLC0415  # as above
    from otel_feedback.insights.progress import progress  # noqa: PLC0415  # as above

    options = Options(
        arguments.kind,
        arguments.as_name,
        arguments.precision,
        arguments.seed,
        arguments.most_calls or _MOST_CALLS.get(arguments.kind, 20_000),
        arguments.model,
    )
    with ExitStack() as bars:
        manifest = train(
            arguments.out,
            asker(Settings.load()),
            of=filter_of(arguments),
            options=options,
            use=model_use(arguments),
            store=not arguments.no_store,
            progress=lambda total: bars.enter_context(progress(total, "step", "train")),
        )
    print(
        json.dumps(manifest, indent=2, ensure_ascii=False)
        if arguments.format == "json"
        else _text(manifest, arguments.out)
    )
    return 0


def _text(manifest: dict[str, Any], directory: Path) -> str:
    figures = manifest["figures"]
    calls, negative = manifest["rated_calls"], manifest["negative"]
    lines = [
        f"{calls} rated calls, {negative} negative and {calls - negative} positive.",
        f"Tried on calls that it had not seen, of other {manifest['divided_by']}.",
        "",
        *_table(figures),
        "",
        *_limits(manifest),
        *_pairs(figures),
        *_curve(figures),
        "",
    ]
    if manifest["promoted"]:
        lines.append(
            f"Promoted: {manifest['name']}@{manifest['version']}. Let it judge: otel-feedback evaluator run {directory}"
        )
    else:
        lines += [f"Not promoted: {reason}." for reason in manifest["refused"]]
    return "\n".join([*lines, f"{directory / 'manifest.json'} tells all of it."])


def _table(figures: dict[str, Any]) -> list[str]:
    """The evaluator's figures, and how far it is ahead of each baseline."""
    heads = ["", "evaluator", *(f"ahead of {name}" for name in figures["baselines"])]
    rows = [heads]
    for name, title in FIGURES.items():
        leads = [_signed(each[name]["lead"]) for each in figures["baselines"].values()]
        rows.append([title, _interval(figures["evaluator"][name]), *leads])
    widths = [max(len(row[column]) for row in rows) for column in range(len(heads))]
    return ["  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _limits(manifest: dict[str, Any]) -> list[str]:
    figures, stated = manifest["figures"], manifest["options"]["precision"]
    lines = []
    for name, got in figures["precision"].items():
        if got["precision"] is None:
            lines.append(f"For a precision of {name} nothing can be called negative.")
            continue
        right, low, high = got["precision"]
        lines.append(
            f"For a precision of {name} it calls {got['called']:.1%} of the answers negative, {right:.0%} rightly "
            f"({low:.0%} to {high:.0%}), which finds {got['recall'][0]:.0%} of the negative ones."
        )
    limit = manifest["verdicts"]["negative_from"]
    if limit is not None:
        asked = "likelier than usual" if stated is None else f"--precision {stated:g}"
        lines.append(f"Negative is called what people dislike with a probability from {limit:.2f} on ({asked}).")
    calibration = figures["calibration"]
    lines.append(
        f"Probabilities are off by {calibration['expected_calibration_error'][0]:.3f} on average; Brier score "
        f"{calibration['brier'][0]:.3f} (who always tells the usual share has {calibration['brier_of_majority']:.3f})."
    )
    return lines


def _pairs(figures: dict[str, Any]) -> list[str]:
    pairs = figures["pairs"]
    if not pairs["count"]:
        return []
    undecided = f"{pairs['undecided']:.0%} undecided, counted half"
    return [
        f"Of {pairs['count']} pairs of answers to one prompt it tells {_interval(pairs['right'])} right ({undecided})."
    ]


def _curve(figures: dict[str, Any]) -> list[str]:
    points = [f"{calls:.0f}: {value:.3f}" for calls, value, _, _ in figures["learning_curve"]]
    return [f"ROC AUC by the number of rated calls that it learns from: {', '.join(points)}."] if points else []


def _interval(figure: list[float]) -> str:
    return f"{figure[0]:.3f} ({figure[1]:.3f} to {figure[2]:.3f})"


def _signed(figure: list[float]) -> str:
    return f"{figure[0]:+.3f} ({figure[1]:+.3f} to {figure[2]:+.3f})"
