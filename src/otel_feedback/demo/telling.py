"""What the demo tells on the terminal."""

from __future__ import annotations

import os
import shlex
import sys
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from otel_feedback.clickhouse import statements
from otel_feedback.demo.start import Demo
from otel_feedback.demo.unattended import Joined
from otel_feedback.settings import PREFIX

_COLUMNS: Final = ("rating", "comment", "latency", "tokens", "model", "prompt", "answer", "joined")
_WIDTHS: Final = (8, 24, 7, 6, 20, 32, 38, 6)


def welcome(demo: Demo, environment: Mapping[str, str] | None = None) -> str:
    """Where everything is, and what to try first."""
    environment = os.environ if environment is None else environment
    sign_in = (
        " (sign in with your OTEL_FEEDBACK_DASHBOARD_TOKEN)" if environment.get(f"{PREFIX}DASHBOARD_TOKEN") else ""
    )
    return f"""
  Chat        {demo.chat_url}
              Ask something and click a thumb under the answer.
  Dashboard   {demo.service.dashboard}{sign_in}
              Your rating is there seconds later, in its conversation.
  SQL         {sql_command(environment)}
              Try it in another terminal, while the demo runs or after.

  History     {demo.history}
  Model       {demo.model.told}
  Logs        {_short(demo.folder)}

Ctrl-C ends all of it; what was stored stays in {_short(demo.folder.parent)}.
"""


def sql_command(environment: Mapping[str, str]) -> str:
    """The command line to try, with the settings of this start that another terminal does not know."""
    names = (PREFIX + "DATA_DIR", PREFIX + "DATABASE_URL")
    settings = [f"{name}={shlex.quote(environment[name])}" for name in names if environment.get(name)]
    command = shlex.quote(_short(Path(sys.executable).with_name("otel-feedback")))
    statement = " ".join(statements.load("queries/latest_rated_calls.sql").split())
    return " ".join([*settings, command, "sql", f'"{statement}"', "--format", "PrettyCompact"])


def table(joined: Sequence[Joined]) -> str:
    """The joined ratings, one a line, long texts cut."""
    lines = [_line(_COLUMNS), _line("-" * width for width in _WIDTHS)]
    for each in joined:
        row = each.row
        lines.append(
            _line(
                (
                    row["Label"],
                    row["Comment"],
                    f"{int(row['Duration']) / 1e9:.2f} s",
                    str(int(row["InputTokens"]) + int(row["OutputTokens"])),
                    row["RequestModel"],
                    row["Prompt"],
                    row["Completion"],
                    f"{each.seconds:.1f} s",
                )
            )
        )
    return "\n".join(lines)


def _line(cells: Any) -> str:
    cut = (textwrap.shorten(str(cell), width, placeholder="…") for cell, width in zip(cells, _WIDTHS, strict=True))
    return "  ".join(f"{cell:<{width}}" for cell, width in zip(cut, _WIDTHS, strict=True)).rstrip()


def _short(path: Path) -> str:
    """The path as one would type it here."""
    try:
        return str(path.absolute().relative_to(Path.cwd()))
    except ValueError:
        return str(path)
