"""What the demo prints can be read, and pasted."""

import shlex
import sys
from pathlib import Path

import pytest

from otel_feedback.demo.telling import sql_command, table
from otel_feedback.demo.unattended import Joined


def test_the_sql_line_can_be_pasted_where_the_demo_was_started(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(Path(sys.executable).parents[1])
    line = sql_command({})
    program, command, statement, *options = shlex.split(line)
    assert (program, command, options) == ("bin/otel-feedback", "sql", ["--format", "PrettyCompact"])
    assert "FROM rated_llm_calls" in statement


def test_the_sql_line_has_the_settings_that_another_terminal_lacks(tmp_path: Path):
    folder = str(tmp_path / "with a blank")
    assert shlex.split(sql_command({"OTEL_FEEDBACK_DATA_DIR": folder}))[0] == f"OTEL_FEEDBACK_DATA_DIR={folder}"


def test_long_texts_are_cut():
    row = {
        "Label": "negative",
        "Comment": "word " * 100,
        "Duration": "1500000000",
        "InputTokens": 3,
        "OutputTokens": "4",
        "RequestModel": "m" * 60,
        "Prompt": "Where?",
        "Completion": "There.\nAnd\there.",
    }
    heading, rule, line = table([Joined(row, 1.26)]).splitlines()
    assert heading.split()[:3] == ["rating", "comment", "latency"]
    assert len(line) <= len(rule)
    assert "word…" in line
    assert [part for part in ("1.50 s", " 7 ", "Where?", "There. And here.", "1.3 s") if part not in line] == []
