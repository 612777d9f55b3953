"""``otel-feedback config``: show every setting, its value in force and what it does."""

from __future__ import annotations

import argparse
import json
import re
from dataclasses import fields
from typing import Final

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
        rows.append({"variable": variable, "value": shown, "description": each.metadata["description"]})
    if arguments.format == "json":
        print(json.dumps(rows, indent=2))
    else:
        width = max(len(row["variable"]) for row in rows)
        for row in rows:
            print(f"{row['variable']:<{width}}  {row['value']}\n{'':<{width}}  {row['description']}")
    return 0


_PASSWORD_IN_URL: Final = re.compile(r"(?<=://)([^:/@]*):[^@/]*@")


def _show(value: object) -> str:
    if isinstance(value, tuple):
        return ",".join(map(str, value)) or "none"
    return _PASSWORD_IN_URL.sub(r"\1:***@", str(value)) if value != "" else "none"
