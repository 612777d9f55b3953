"""Every command in docs/retention.md runs, in its order, and its links lead somewhere."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from tests.support.asking import asked_database

from otel_feedback.settings import Settings

DOCS = Path(__file__).parents[2] / "docs"
DOCUMENT = (DOCS / "retention.md").read_text()


def test_every_command_runs(tmp_path: Path):
    lines = [
        line
        for block in re.findall(r"^```sh\n(.*?)^```$", DOCUMENT, re.MULTILINE | re.DOTALL)
        for line in block.splitlines()
    ]
    assert len(lines) == 4
    with asked_database("after the service", tmp_path) as command:
        for line in lines:
            program, *arguments = shlex.split(line)
            done = command(*arguments)
            assert (program, done.returncode, done.stderr) == ("otel-feedback", 0, ""), line


def test_the_defaults_are_those_in_force():
    settings = Settings.load({})
    rows = dict(re.findall(r"^\| `(OTEL_FEEDBACK_\w+)` \| `(\d+)d` ", DOCUMENT, re.MULTILINE))
    assert {name: int(days) * 86_400 for name, days in rows.items()} == {
        "OTEL_FEEDBACK_RETENTION": settings.retention_seconds,
        "OTEL_FEEDBACK_RETENTION_RATED": settings.retention_rated_seconds,
    }


def test_its_links_lead_somewhere():
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", DOCUMENT):
        assert (DOCS / target).exists(), target
