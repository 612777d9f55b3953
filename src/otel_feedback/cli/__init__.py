"""The command ``otel-feedback``: one module a command.

A command module has SUMMARY and EXAMPLE (strings), ``configure(parser)`` and ``run(arguments) -> exit code``.
Exit codes: 0 ok, 1 failed (one line on standard error says what to do), 2 usage.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from typing import Final

from otel_feedback.errors import OtelFeedbackError, UsageError

COMMANDS: Final = (
    "serve", "demo", "migrate", "doctor", "sql", "report", "contrast", "experiment", "evaluator", "export", "finetune",
    "erase", "alert", "config",
)  # fmt: skip
_INSIGHTS: Final = ("contrast", "experiment", "evaluator", "export")
EXTRAS: Final = {"demo": "demo", "finetune": "finetune", **dict.fromkeys(_INSIGHTS, "insights")}
"""The extra that has what a command needs, where it is not ``service``."""


def main(argv: list[str] | None = None) -> int:
    """Run one command and return its exit code."""
    parser = argparse.ArgumentParser(
        prog="otel-feedback",
        description="User ratings of LLM answers as OpenTelemetry, joined with their traces in ClickHouse.",
    )
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name in COMMANDS:
        module = importlib.import_module(f"otel_feedback.cli.{name}")
        subparser = subparsers.add_parser(
            name,
            help=module.SUMMARY,
            description=module.SUMMARY,
            epilog=f"Example:\n  {module.EXAMPLE}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        module.configure(subparser)
        subparser.set_defaults(run=module.run)
    arguments = parser.parse_args(argv)
    try:
        return int(arguments.run(arguments))
    except OtelFeedbackError as error:
        print(f"otel-feedback {arguments.command}: {error}", file=sys.stderr)
        return 2 if isinstance(error, UsageError) else 1
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        print(
            f"otel-feedback {arguments.command}: the package {missing!r} is not installed. "
            f'Run: pip install "otel-feedback[{EXTRAS.get(arguments.command, "service")}]"',
            file=sys.stderr,
        )
    except KeyboardInterrupt:
        return 130
    return 1
