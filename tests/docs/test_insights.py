"""Every command and snippet in docs/insights.md runs, on the demo's two weeks, and the README's are among them."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest
from tests.support.commands import otel_feedback
from tests.support.scripted_model import says, scripted_model
from tests.support.service import service_environment
from tests.support.shop import fill_with_shop

from otel_feedback.clickhouse.connect import connect

ROOT: Final = Path(__file__).parents[2]
DOCUMENT: Final = (ROOT / "docs" / "insights.md").read_text()
README: Final = (ROOT / "README.md").read_text()
FIRST_DAY: Final = "2026-03-01"
DRAFT: Final = json.dumps({"problems": [], "instructions": "Look the order up first.", "changes": []})


def blocks(language: str, text: str = DOCUMENT) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("insights") / "data"
    database = connect(f"chdb://{directory / 'clickhouse'}")
    fill_with_shop(database)
    database.close()
    return directory


def test_every_command_runs_and_says_what_the_document_shows(data_dir: Path, tmp_path: Path):
    commands = [line for block in blocks("sh") for line in block.splitlines()]
    assert commands.pop(0) == 'pip install "otel-feedback[insights]"'
    told = {}
    with scripted_model(lambda _: says(DRAFT)) as model:
        for line in commands:
            program, name, *arguments = shlex.split(line.replace("30d", FIRST_DAY))
            assert program == "otel-feedback"
            at = {each: str(tmp_path / each) for each in ("kto-november", "shop-judge")} | {".": str(tmp_path)}
            asked = (at.get(each, each) for each in arguments)
            done = otel_feedback(data_dir, name, *asked, environment={"OPENAI_BASE_URL": model.base_url})
            if (name, arguments[0]) == ("evaluator", "run"):
                # Of the demo's 19 people nothing is promoted; what is promoted runs in tests/integration/insights.
                assert (done.returncode, done.stdout) == (2, "")
                assert "is not promoted: 19 people or conversations" in done.stderr
            else:
                assert (done.returncode, done.stderr) == (0, ""), line
            told[name, arguments[0]] = done.stdout
    assert list(told) == [
        ("contrast", "--since"), ("experiment", "--prompt"), ("experiment", "history"), ("experiment", "propose"),
        ("evaluator", "train"), ("evaluator", "run"), ("evaluator", "drift"), ("evaluator", "reproduce"),
        ("export", "--format"), ("export", "verify"),
    ]  # fmt: skip
    contrast, experiment, judged = blocks("text")
    assert told["contrast", "--since"].startswith(contrast)
    assert told["experiment", "--prompt"].startswith(experiment)
    assert told["evaluator", "train"].startswith(judged)
    assert len(model.asked) == 1


def test_every_snippet_runs(data_dir: Path, tmp_path: Path):
    for snippet in blocks("python"):
        code = snippet.replace("30d", FIRST_DAY)
        environment = service_environment(data_dir)
        done = subprocess.run(
            [sys.executable, "-c", code], env=environment, cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, ""), snippet
    assert (tmp_path / "sft-november" / "manifest.json").exists()
    assert (tmp_path / "python-judge" / "manifest.json").exists()


def test_the_readmes_commands_are_among_them():
    (block,) = [each for each in blocks("sh", README) if "otel-feedback contrast" in each]
    document = "\n".join(blocks("sh"))
    for line in block.splitlines():
        assert line in document, line


def test_its_links_lead_somewhere():
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", DOCUMENT):
        assert (ROOT / "docs" / target).exists(), target
