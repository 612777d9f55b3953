"""Every file of collector_config/ is valid as it is; its head tells the variables that it reads, with defaults."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from tests.support.collector import needed_collector
from tests.support.collector_config import FOLDER, NAMES

READ = re.compile(r"\$\{env:(\w+):-([^}]*)\}")
TOLD = re.compile(r"\b([A-Z][A-Z_]+)=(\S*)")
OF_ALL = dict(TOLD.findall((FOLDER / "agent.yaml").read_text().split("\nextensions:")[0]))


@pytest.mark.parametrize("name", NAMES)
def test_it_is_valid(name: str, tmp_path: Path):
    command = [needed_collector(), "validate", "--config", FOLDER / name]
    done = subprocess.run(
        command, env={"QUEUE_DIRECTORY": str(tmp_path)}, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("name", NAMES)
def test_its_head_tells_what_it_reads(name: str):
    head, body = (FOLDER / name).read_text().split("\nextensions:", 1)
    read = dict(READ.findall(body))
    assert len(set(READ.findall(body))) == len(read), "one variable, two defaults"
    told = dict(TOLD.findall(head[head.index("# Environment") :]))
    assert told.items() <= read.items()
    untold = read.keys() - told.keys()
    assert untold <= OF_ALL.keys()
    assert {variable: read[variable] for variable in untold} == {variable: OF_ALL[variable] for variable in untold}
    assert "${env:" not in READ.sub("", body), "a variable without a default"
