"""docs/dashboard.md: its commands work, and its pictures and settings are there."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import fields
from pathlib import Path

from tests.support.dashboard.process import DASHBOARD_TOKEN
from tests.support.dashboard.running import running_dashboard

from otel_feedback.dashboard import access, questions
from otel_feedback.settings import Settings, setting_name

DOCUMENT = (Path(__file__).parents[2] / "docs" / "dashboard.md").read_text()


def test_its_commands_give_the_files_that_it_tells_of(tmp_path: Path):
    (commands,) = re.findall(r"```sh\n(.*?)```", DOCUMENT, re.DOTALL)
    (tmp_path / "dashboard").mkdir()
    with running_dashboard(tmp_path / "dashboard", "sample") as dashboard:
        subprocess.run(
            ["sh", "-ec", commands.replace("http://127.0.0.1:4380", dashboard.guarded_url)],
            cwd=tmp_path,
            env={"PATH": "/usr/bin:/bin", "TOKEN": DASHBOARD_TOKEN},
            check=True,
        )
    assert (tmp_path / "negatives.csv").read_text().startswith("Time,FeedbackId,")
    sessions = [json.loads(line) for line in (tmp_path / "sessions.jsonl").read_text().splitlines()]
    assert [session["SessionId"] for session in sessions] == ["conversation-2044"]


def test_its_pictures_and_settings_are_there():
    for picture in re.findall(r'(?:src|srcset)="(images/[^"]+)"', DOCUMENT):
        assert (Path(__file__).parents[2] / "docs" / picture).exists(), picture
    settings = {f"OTEL_FEEDBACK_{setting_name(each.name).upper()}" for each in fields(Settings)}
    assert set(re.findall(r"OTEL_FEEDBACK_[A-Z_]+[A-Z]", DOCUMENT)) <= settings


def test_its_limits_are_those_of_the_code():
    assert questions.PAGE_LIMITS["max_execution_time"] == 15
    assert questions.PAGE_LIMITS["max_memory_usage"] == 2 << 30
    assert questions.PAGE_LIMITS["max_rows_to_read"] == 2_000_000_000
    assert (access.COOKIE_LIFETIME_SECONDS, access.LEAST_TOKEN_CHARACTERS, access.WRONG_TOKENS_PER_MINUTE) == (
        12 * 3600,
        16,
        10,
    )
