"""``otel-feedback sql``: ask ClickHouse, through the running service or, when none runs, directly."""

from __future__ import annotations

import argparse
import sys
from typing import Final

from otel_feedback.errors import ConfigurationError, DatabaseError
from otel_feedback.settings import Settings

SUMMARY: Final = "ask the database; read-only unless --write"
EXAMPLE: Final = 'otel-feedback sql "SELECT Label, Duration, InputTokens, Prompt FROM rated_llm_calls LIMIT 5"'
DEFAULT_FORMAT: Final = "PrettyCompact"
_READONLY: Final = 164
"""ClickHouse's error code for what a reader may not do."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("statement", metavar="SQL", help="one statement of ClickHouse SQL; - for standard input")
    parser.add_argument(
        "--format", default=DEFAULT_FORMAT, metavar="NAME", help=f"a ClickHouse format (default: {DEFAULT_FORMAT})"
    )
    parser.add_argument(
        "--param",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="the value of a {name:Type} place; may be given several times",
    )
    parser.add_argument("--write", action="store_true", help="let the statement change data")


def run(arguments: argparse.Namespace) -> int:
    """Print the answer as it comes from ClickHouse.

    Raises:
        OtelFeedbackError: a parameter can't be read, or the database refused the statement or can't be asked.
    """
    from otel_feedback.dashboard.sql_client import ask  # noqa: PLC0415  # --help needs no database

    statement = sys.stdin.read() if arguments.statement == "-" else arguments.statement
    if not statement.strip():
        raise ConfigurationError(f"there is no statement. Example: {EXAMPLE}")
    parameters = dict(_parameter(each) for each in arguments.param)
    try:
        answer = ask(Settings.load(), statement, parameters, format_name=arguments.format, write=arguments.write)
    except DatabaseError as error:
        if error.code != _READONLY or arguments.write:
            raise
        hint = "Without --write, tables can be read and nothing else"
        raise DatabaseError(f"{error}\n{hint}", code=error.code) from error
    sys.stdout.buffer.write(answer)
    sys.stdout.flush()
    return 0


def _parameter(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not separator or not name.isidentifier():
        raise ConfigurationError(f"--param {text!r} can't be read; write --param name=value")
    return name, value
