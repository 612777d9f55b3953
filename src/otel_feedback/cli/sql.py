"""``otel-feedback sql``: ask ClickHouse, through the running service or, when none runs, directly."""

from __future__ import annotations

import argparse
import sys
from typing import Final

from otel_feedback.cli import answers
from otel_feedback.errors import DatabaseError, UsageError

SUMMARY: Final = "ask the database; read-only unless --write"
EXAMPLE: Final = 'otel-feedback sql "SELECT Label, Duration, InputTokens, Prompt FROM rated_llm_calls LIMIT 5"'
_READONLY: Final = 164
"""ClickHouse's error code for what a reader may not do."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("statement", metavar="SQL", help="one statement of ClickHouse SQL; - for standard input")
    answers.add_format(parser)
    answers.add_parameters(parser)
    parser.add_argument("--write", action="store_true", help="let the statement change data")


def run(arguments: argparse.Namespace) -> int:
    """Print the answer as it comes from ClickHouse.

    Raises:
        OtelFeedbackError: a parameter can't be read, or the database refused the statement or can't be asked.
    """
    statement = sys.stdin.read() if arguments.statement == "-" else arguments.statement
    if not statement.strip():
        raise UsageError(f"there is no statement. Example: {EXAMPLE}")
    values = answers.parameters(arguments)
    try:
        answers.print_answer(statement, values, format_name=arguments.format, write=arguments.write)
    except DatabaseError as error:
        if error.code != _READONLY or arguments.write:
            raise
        hint = "Without --write, tables can be read and nothing else"
        raise DatabaseError(f"{error}\n{hint}", code=error.code) from error
    return 0
