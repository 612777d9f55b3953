"""``otel-feedback report``: the questions people ask, by name."""

from __future__ import annotations

import argparse
import dataclasses
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from otel_feedback.cli import answers
from otel_feedback.errors import UsageError

if TYPE_CHECKING:
    from otel_feedback.clickhouse.questions import Question

SUMMARY: Final = "answer a question people ask, such as satisfaction by model; alone it lists them"
EXAMPLE: Final = "otel-feedback report satisfaction_by_model --since 7d --param service=shop-assistant"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("name", metavar="NAME", nargs="?", help="a question; without it they are listed")
    parser.add_argument("--since", metavar="WHEN", help="from when on: 30d (ago; m, h, d or w), or 2026-11-01T09:30")
    parser.add_argument("--until", metavar="WHEN", help="until when, as --since; times are in UTC")
    answers.add_parameters(parser)
    answers.add_format(parser)
    instead = parser.add_mutually_exclusive_group()
    instead.add_argument("--describe", action="store_true", help="tell the question's parameters and cost instead")
    instead.add_argument("--sql", action="store_true", help="print the query instead, its values filled in, to paste")
    instead.add_argument("--grafana", action="store_true", help="as --sql, within the time range picked in Grafana")


def run(arguments: argparse.Namespace) -> int:
    """List the questions, or ask one and print the answer as it comes from ClickHouse.

    Raises:
        OtelFeedbackError: there is no such question, it does not take a value, or the database can't be asked.
    """
    from otel_feedback.clickhouse import questions  # noqa: PLC0415  # --help needs no database

    given = answers.parameters(arguments)
    given |= {name: text for name in ("since", "until") if (text := getattr(arguments, name)) is not None}
    if arguments.name is None:
        if given or arguments.describe or arguments.sql or arguments.grafana:
            raise UsageError(f"which question? `otel-feedback report` lists them. Example: {EXAMPLE}")
        _list([questions.load(name) for name in questions.names()], arguments.format)
        return 0
    question = questions.find(arguments.name)
    if arguments.describe:
        print(_describe(question))
        return 0
    values = question.values(given, datetime.now(UTC))
    if arguments.sql or arguments.grafana:
        print(question.filled(values, questions.GRAFANA_TIMES if arguments.grafana else {}))
    else:
        answers.print_answer(question.statement, values, format_name=arguments.format)
    return 0


def _list(found: list[Question], format_name: str) -> None:
    if format_name.lower() == "json":
        rows = [dataclasses.asdict(each) for each in found]
        print(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    if format_name != answers.DEFAULT_FORMAT:
        raise UsageError("the list of questions comes as text, or with --format json")
    width = max(len(each.name) for each in found)
    for each in found:
        print(f"{each.name:{width}}  {each.asks}")
    print(f"\nAsk one, for example: {EXAMPLE}\nSee what it takes: otel-feedback report NAME --describe")


def _describe(question: Question) -> str:
    lines = [f"{question.name}: {question.asks}"]
    for each in question.parameters:
        default = "needed" if each.default is None else f"default {each.default or 'all'}"
        lines.append(f"  {each.name} ({each.type}, {default}): {each.about}, e.g. {each.example}")
    return "\n".join([*lines, f"Cost: {question.cost}"])
