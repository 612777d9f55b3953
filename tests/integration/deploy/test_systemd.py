"""deploy/systemd: systemd understands the unit, and finds it hardened."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from tests.support.tools import missing_tool

UNIT = Path(__file__).parents[3] / "deploy" / "systemd" / "otel-feedback.service"
MOST_EXPOSED = 2.0
"""Of 10. What is left: it talks to the network, may compile code, and has a user database."""


@pytest.fixture(scope="module")
def systemd_analyze() -> str:
    program = shutil.which("systemd-analyze")
    if program is None:
        missing_tool("install systemd (apt-get install systemd): systemd-analyze checks the unit")
    return program


def test_systemd_understands_it(systemd_analyze: str, tmp_path: Path):
    unit = tmp_path / UNIT.name
    command = re.search(r"^ExecStart=(\S+)", UNIT.read_text(), re.MULTILINE)
    assert command is not None
    unit.write_text(UNIT.read_text().replace(command[1], "/bin/true"))  # verify wants a program that is there
    done = subprocess.run([systemd_analyze, "verify", unit], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    unit.write_text(unit.read_text().replace("NoNewPrivileges=yes", "NoNewPriviliges=yes"))
    done = subprocess.run([systemd_analyze, "verify", unit], capture_output=True, text=True, timeout=60, check=False)
    assert "NoNewPriviliges" in done.stderr, "a typing mistake is told"


def test_it_is_hardened(systemd_analyze: str):
    command = [systemd_analyze, "security", "--offline=true", UNIT]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    exposure = re.search(r"exposure level for \S+: ([\d.]+)", done.stdout)
    assert exposure is not None, done.stdout + done.stderr
    assert float(exposure[1]) <= MOST_EXPOSED
