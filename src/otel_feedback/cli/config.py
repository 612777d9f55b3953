"""``otel-feedback config``: show every setting, its value in force and what it does."""

from __future__ import annotations

import argparse
import json
from dataclasses import fields
from typing import Final

from otel_feedback.hidden import without_password
from otel_feedback.settings import PREFIX, Settings, setting_name

SUMMARY: Final = "show every setting, its value in force and what it does"
EXAMPLE: Final = "OTEL_FEEDBACK_HTTP_ADDRESS=127.0.0.1:0 otel-feedback config"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--format", choices=("text", "json"), default="text", help="default: text")


def run(arguments: argparse.Namespace) -> int:
    """Print the settings. Secrets are shown as set or not set."""
    settings = Settings.load()
    rows = []
    for each in fields(settings):
        value = getattr(settings, each.name)
        shown = ("set" if value else "not set") if each.metadata["secret"] else _show(value)
        variable = PREFIX + setting_name(each.name).upper()
        description = each.metadata["description"]
        if each.metadata["may_be_file"]:
            description += f"; or in a file that {variable}_FILE names"
        rows.append({"variable": variable, "value": shown, "description": description})
    if arguments.format == "json":
        print(json.dumps(rows, indent=2))
    else:
        width = max(len(row["variable"]) for row in rows)
        for row in rows:
            print(f"{row['variable']:<{width}}  {row['value']}\n{'':<{width}}  {row['description']}")
    return 0


def _show(value: object) -> str:
    if isinstance(value, tuple):
        return ",".join(map(str, value)) or "none"
    return without_password(str(value)) if value != "" else "none"
