"""docs/collector.md tells of every file in collector_config/, and its commands and snippets run."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

from tests.support.collector import needed_collector
from tests.support.collector_config import NAMES

from otel_feedback.settings import Settings

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs" / "collector.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", DOCUMENT, re.MULTILINE | re.DOTALL)


def test_its_table_has_every_file_once():
    assert sorted(re.findall(r"^\| \[([\w-]+\.yaml)\]", DOCUMENT, re.MULTILINE)) == NAMES


def test_the_collectors_commands_are_understood_by_a_collector(tmp_path: Path):
    validate, run = blocks("sh")[0].splitlines()
    program, *arguments = shlex.split(validate)
    assert run == f"{program} {' '.join(arguments[1:])}"
    done = subprocess.run(
        [needed_collector(), *arguments],
        cwd=ROOT,
        env={"QUEUE_DIRECTORY": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_the_settings_that_it_names_are_read():
    lines = [line for line in blocks("sh")[1].splitlines() if line.startswith("export ")]
    named = dict(shlex.split(line)[1].split("=", 1) for line in lines)
    settings = Settings.load(named)
    assert (settings.retention_seconds, settings.retention_rated_seconds) == (3 * 86_400, 400 * 86_400)


def test_its_python_runs():
    (snippet,) = blocks("python")
    exec(compile(snippet, "collector.md", "exec"), {})  # noqa: S102  # the document's own text
