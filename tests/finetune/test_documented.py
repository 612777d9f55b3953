"""Every command and snippet of docs/finetune.md, with a model of this machine in place of one of the hub."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Final

from tests.support.commands import otel_feedback

from otel_feedback.insights.finetune import Config

DOCUMENT: Final = (Path(__file__).parents[2] / "docs" / "finetune.md").read_text(encoding="utf-8")
PERIOD: Final = ("--since", "2026-09-01", "--until", "2026-10-01")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", DOCUMENT, re.MULTILINE | re.DOTALL)


def test_the_way_from_ratings_to_an_adapter(data_dir: Path, tiny_model: Path, tmp_path: Path):
    said = [line for block in blocks("sh") for line in block.splitlines()]
    assert [line.split()[1] for line in said] == ["export", "finetune", "finetune", "evaluator"]
    arguments = shlex.split(said[0])[1:]
    arguments[arguments.index("--since") : arguments.index("--since") + 2] = []
    arguments[arguments.index("--consent") : arguments.index("--consent") + 2] = []
    arguments[arguments.index("--out") + 1] = str(tmp_path / "kto-november")
    done = otel_feedback(data_dir, *arguments, "--keep-near", *PERIOD)
    assert done.returncode == 0, done.stderr
    sample = otel_feedback(data_dir, *shlex.split(said[1])[1:3])
    assert (sample.returncode, sample.stderr) == (0, "")
    told, _, file = said[1].partition(" > ")
    assert told.endswith("--sample")
    path = tmp_path / file
    path.write_text(re.sub(r'^name = "[^"]+"', f'name = "{tiny_model}"', sample.stdout, flags=re.MULTILINE))
    assert Config.read(path).model.name == str(tiny_model)
    trained = otel_feedback(data_dir, *shlex.split(said[2])[1:-1], str(path))
    assert (trained.returncode, trained.stderr) == (0, ""), trained.stderr
    assert "tried on" in trained.stdout
    (snippet,) = blocks("python")
    path.write_text(path.read_text().replace('out = "shop-adapter"', 'out = "again"'))
    again = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", snippet],
        cwd=tmp_path,
        env={"OTEL_FEEDBACK_DATA_DIR": str(data_dir), "PATH": "", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert again.returncode == 0, again.stderr[-1000:]
    assert "'figure': 'roc_auc'" in again.stdout
