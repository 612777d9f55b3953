"""docs/sql.md: a document of commands with what they print, and of queries with the files that they come from."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from tests.support.service import service_environment
from tests.support.shop import FIRST_DAY, shop_request

from otel_feedback.clickhouse import questions

COOKBOOK: Final = Path(__file__).parents[2] / "docs" / "sql.md"
BLOCK: Final = re.compile(
    r"(?:^<!-- question: (?P<question>\w+) -->\n)?^```(?P<language>\w+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)
"""A block of code; ``question`` names the file whose text it is."""

_BIN: Final = Path(sys.executable).parent
_FIRST: Final = int(datetime.combine(FIRST_DAY, datetime.min.time(), UTC).timestamp())
_LAST: Final = _FIRST + int(timedelta(days=14).total_seconds())


class Shell:
    """Runs what the document says to type, over one database."""

    def __init__(self, data_dir: Path, environment: Mapping[str, str] | None = None) -> None:
        self._folder = data_dir.parent
        path = {"PATH": f"{_BIN}:{os.environ['PATH']}"}
        self._environment = {**service_environment(data_dir, environment), **path}

    def __call__(self, commands: str, stdin: str | None = None) -> str:
        """What the commands print; the first that fails fails the test."""
        done = subprocess.run(
            ["sh", "-ec", commands],
            cwd=self._folder,
            env=self._environment,
            input=stdin,
            stdin=None if stdin is not None else subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, ""), commands
        return done.stdout


def render(document: str, run: Callable[[str], str]) -> str:
    """The document with every file's text, and everything that its commands print, as they are now."""
    printed = ""

    def fill(block: re.Match[str]) -> str:
        nonlocal printed
        if block["question"]:
            text = f"{questions.load(block['question']).statement}\n"
        elif block["language"] == "sh":
            printed = run(block["text"])
            return block[0]
        elif block["language"] == "text":
            text, printed = printed, ""
        else:
            return block[0]
        start, end = block.span("text")
        return block[0][: start - block.start()] + text + block[0][end - block.start() :]

    return BLOCK.sub(fill, document)


def queries_for_grafana(document: str) -> list[str]:
    """The queries that are no file's, Grafana's macros and the variable ``trace`` filled in as Grafana does."""
    found = [
        block["text"] for block in BLOCK.finditer(document) if block["language"] == "sql" and not block["question"]
    ]
    return [_filled(text) for text in found]


def _filled(query: str) -> str:
    trace = next(span for span in shop_request().resource_spans[0].scope_spans[0].spans if span.links).trace_id.hex()
    query = query.replace("$trace", trace)
    query = re.sub(r"\$__timeFilter\((\w+)\)", rf"\1 >= toDateTime({_FIRST}) AND \1 <= toDateTime({_LAST})", query)
    return re.sub(r"\$__timeInterval\((\w+)\)", r"toStartOfInterval(toDateTime(\1), INTERVAL 86400 second)", query)
