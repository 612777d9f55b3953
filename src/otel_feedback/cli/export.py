"""``otel-feedback export``: data sets to train on, made from rated calls."""

from __future__ import annotations

import argparse
import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from otel_feedback.cli.rated_arguments import add_filter, filter_of
from otel_feedback.errors import UsageError
from otel_feedback.settings import Settings

if TYPE_CHECKING:
    from otel_feedback.insights.export_verify import Stale

SUMMARY: Final = "make a data set to train on from rated calls; `export verify` finds what must leave older ones"
EXAMPLE: Final = "otel-feedback export --format kto --out kto-november --since 30d"
_FORMATS: Final = ("sft", "kto", "dpo", "openai", "parquet")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--format", choices=_FORMATS, help="what the rows are for; needed")
    parser.add_argument("--out", type=Path, metavar="DIR", help="a directory that does not exist yet; needed")
    add_filter(parser)
    parser.add_argument(
        "--split",
        default="80/10/10",
        metavar="P/P/P",
        help="percentages of train, validation and test, by conversation",
    )
    parser.add_argument(
        "--pii",
        default="count",
        choices=("count", "mask", "drop"),
        help="what looks like addresses, numbers of people, and keys: counted (default), masked, or its rows left out",
    )
    parser.add_argument("--keep-near", action="store_true", help="keep rows that nearly repeat an earlier one")
    parser.add_argument(
        "--consent",
        metavar="ATTRIBUTE=VALUE",
        help="only calls whose span has it, such as consent.training=yes; the others are left out and counted",
    )
    parser.add_argument(
        "--no-store", action="store_true", help="do not keep the manifest in the table insight_findings"
    )
    actions = parser.add_subparsers(dest="action", metavar="[verify]")
    verify = actions.add_parser("verify", help="name files of older exports with rows that were erased since")
    verify.add_argument("directory", type=Path, metavar="DIR", help="an export, or a directory with exports")
    verify.add_argument(
        "--format", choices=("text", "json"), dest="verify_format", default="text", help="default: text"
    )


def run(arguments: argparse.Namespace) -> int:
    """Write the data set, or check older ones; 1 if one of these holds what was erased.

    Raises:
        OtelFeedbackError: an argument can't be meant, the directory can't be used, or the database can't be asked.
    """
    if arguments.action == "verify":
        return _verify(arguments.directory, arguments.verify_format)
    if arguments.format is None or arguments.out is None:
        raise UsageError(f"--format and --out are needed. Example: {EXAMPLE}")
    from contextlib import ExitStack  # noqa: PLC0415  # beside what needs it

    from otel_feedback.insights import Consent, ExportOptions, Splits, asker, export  # noqa: PLC0415  # as above
    from otel_feedback.insights.progress import progress  # noqa: PLC0415  # as above
    from otel_feedback.redaction import load_redactor  # noqa: PLC0415  # as above

    settings = Settings.load()
    options = ExportOptions(
        Splits.parse(arguments.split),
        arguments.pii,
        not arguments.keep_near,
        load_redactor(settings.redact),
        Consent.parse(arguments.consent) if arguments.consent is not None else None,
    )
    with ExitStack() as bars:
        manifest = export(
            arguments.format,
            arguments.out,
            asker(settings),
            of=filter_of(arguments),
            options=options,
            store=not arguments.no_store,
            progress=lambda total: bars.enter_context(progress(total, "rating", "export")),
        )
    print("\n".join(_lines(manifest, arguments.out)))
    return 0


def _lines(manifest: dict[str, Any], directory: Path) -> list[str]:
    rows = ", ".join(f"{count} {name}" for name, count in manifest["rows"].items())
    found = {kind: count for kind, count in manifest["personal_data"].items() if count and kind != "rows"}
    lines = [
        f"{directory}: {sum(manifest['rows'].values())} rows ({rows}) of {manifest['calls']} rated calls.",
        *(f"Left out: {count} {why}." for why, count in manifest["left_out"].items()),
    ]
    if found:
        done = {"count": "kept as it is: see --pii", "mask": "masked", "drop": "left out"}[manifest["pii"]]
        kinds = ", ".join(f"{count} {kind}" for kind, count in found.items())
        lines.append(f"Looks personal in {manifest['personal_data']['rows']} rows: {kinds}; {done}.")
    return [*lines, f"{directory / 'manifest.json'} tells all of it."]


def _verify(directory: Path, format_name: str) -> int:
    from otel_feedback.insights import asker, verify  # noqa: PLC0415  # --help needs no extra

    found = verify(directory, asker(Settings.load()))
    if format_name == "json":
        print(json.dumps([dataclasses.asdict(each) for each in found], indent=2))
    else:
        print("\n".join(map(_stale_line, found)) or "Every row's calls and ratings are still there.")
    return 1 if found else 0


def _stale_line(stale: Stale) -> str:
    shown = ", ".join(map(str, stale.rows[:10])) + (", ..." if len(stale.rows) > 10 else "")
    return (
        f"{stale.file}: {len(stale.rows)} row(s) must go (row {shown}): "
        f"of {stale.calls} the call was erased or has expired, of {stale.ratings} a rating was erased or taken back"
    )
