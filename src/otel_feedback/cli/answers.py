"""What the commands that ask the database share: their arguments, and an answer printed as it comes."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from typing import Final

from otel_feedback.errors import UsageError
from otel_feedback.settings import Settings

DEFAULT_FORMAT: Final = "PrettyCompact"


def add_format(parser: argparse.ArgumentParser) -> None:
    """Declare ``--format``."""
    parser.add_argument(
        "--format",
        default=DEFAULT_FORMAT,
        metavar="NAME",
        help=f"a ClickHouse format, e.g. CSVWithNames or json (default: {DEFAULT_FORMAT})",
    )


def add_parameters(parser: argparse.ArgumentParser) -> None:
    """Declare ``--param``."""
    parser.add_argument(
        "--param",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="the value of a {name:Type} place; may be given several times",
    )


def parameters(arguments: argparse.Namespace) -> dict[str, str]:
    """The values of ``--param``; of two for one name the last.

    Raises:
        UsageError: one can't be read.
    """
    values = {}
    for text in arguments.param:
        name, separator, value = text.partition("=")
        if not separator or not name.isidentifier():
            raise UsageError(f"--param {text!r} can't be read; write --param name=value")
        values[name] = value
    return values


def print_answer(statement: str, values: Mapping[str, str], *, format_name: str, write: bool = False) -> None:
    """Ask through the running service or, when none runs, directly; print the bytes of ClickHouse's format.

    Raises:
        DatabaseError: ClickHouse refused the statement, or can't be asked.
    """
    from otel_feedback.dashboard.sql_client import ask  # noqa: PLC0415  # --help needs no database

    answer = ask(Settings.load(), statement, values, format_name=format_name, write=write)
    sys.stdout.buffer.write(answer)
    sys.stdout.flush()
