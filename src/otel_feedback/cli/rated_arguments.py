"""Which rated calls the commands that put ratings to use look at: the same arguments for each."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from otel_feedback.insights import Filter

_SOURCES: Final = ("end_user", "annotator", "evaluator", "any")


def add_filter(parser: argparse.ArgumentParser, *, ratings: bool = True) -> None:
    """Declare ``--since``, ``--until`` and ``--service``, and with ``ratings`` ``--name`` and ``--source``."""
    parser.add_argument(
        "--since", default="30d", metavar="WHEN", help="calls from when on, as report has it (default: 30d)"
    )
    parser.add_argument("--until", default="now", metavar="WHEN", help="calls until when; times are in UTC")
    parser.add_argument("--service", default="", metavar="NAME", help="calls of this service only")
    if not ratings:
        parser.set_defaults(name="", source="end_user")
        return
    parser.add_argument("--name", default="", metavar="NAME", help="ratings of this name only, e.g. thumbs")
    parser.add_argument("--source", default="end_user", choices=_SOURCES, help="whose ratings (default: end_user)")


def filter_of(arguments: argparse.Namespace) -> Filter:
    """What these arguments say."""
    from otel_feedback.insights import Filter  # noqa: PLC0415  # --help needs no extra

    source = "" if arguments.source == "any" else arguments.source
    return Filter(arguments.since, arguments.until, arguments.service, arguments.name, source)


def share(text: str) -> float:
    """A number above 0 and at most 1, as argparse's ``type``."""
    value = float(text)
    if not 0 < value <= 1:
        raise argparse.ArgumentTypeError("must be above 0, and at most 1")
    return value


def positive(text: str) -> int:
    """A whole number of at least 1, as argparse's ``type``."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return value
