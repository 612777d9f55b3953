"""``otel-feedback doctor``: say what keeps ratings out, and look after what was rejected."""

from __future__ import annotations

import argparse
import dataclasses
import json
from typing import Any, Final

from otel_feedback.cli import doctor_rejected

SUMMARY: Final = "check settings, disk, queue, ports, database and clock, and say what to do"
EXAMPLE: Final = "otel-feedback doctor --format json"
_MARKS: Final = {"ok": "ok", "warning": "WARNING", "failed": "FAILED"}


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments and its subcommand."""
    parser.add_argument("--format", choices=("text", "json"), default="text", help="default: text")
    subjects = parser.add_subparsers(dest="subject", metavar="[rejected]")
    rejected = subjects.add_parser(
        "rejected",
        help=doctor_rejected.SUMMARY,
        description=doctor_rejected.SUMMARY,
        epilog=f"Example:\n  {doctor_rejected.EXAMPLE}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    doctor_rejected.configure(rejected)


def run(arguments: argparse.Namespace) -> int:
    """Print what was found; 1 if anything failed."""
    if arguments.subject == "rejected":
        return doctor_rejected.run(arguments)
    from otel_feedback.doctor.examination import examine  # noqa: PLC0415  # --help needs no service

    findings = examine()
    if arguments.format == "json":
        print(json.dumps([dataclasses.asdict(each) for each in findings], indent=2))
    else:
        width = max(len(each.check) for each in findings)
        for each in findings:
            print(f"{_MARKS[each.state]:<7}  {each.check:<{width}}  {each.found}")
            if each.advice:
                print(f"{'':<7}  {'':<{width}}  -> {each.advice}")
        print(f"\n{_summary(findings)}")
    return 1 if any(each.state == "failed" for each in findings) else 0


def _summary(findings: list[Any]) -> str:
    states = [each.state for each in findings]
    failed, warnings = states.count("failed"), states.count("warning")
    if not failed and not warnings:
        return "All is well."
    return f"{failed} failed, {warnings} warning(s), {states.count('ok')} ok."
