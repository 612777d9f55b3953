"""Environments of pinned packages, kept in the cache outside the checkout; each is made by whoever needs it first."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path
from typing import Final

from tests.support.tools import cached_folder, missing_tool

INSTALL_SECONDS: Final = 1200


def pinned_python(pins: Path) -> Path:
    """The interpreter of the environment that holds exactly the packages of this file of pins.

    Where they can't be installed, the test is skipped.
    """

    def fill(folder: Path) -> None:
        _install([sys.executable, "-m", "venv", str(folder)], pins)
        command = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        _install([*command, "--no-deps", "--requirement", str(pins)], pins)

    python = f"{sys.implementation.cache_tag}-{sys.base_prefix}"
    digest = hashlib.sha256(python.encode() + pins.read_bytes()).hexdigest()[:12]
    return cached_folder(f"instrumentations/{pins.stem}-{digest}", fill) / "bin" / "python"


def _install(command: list[str], pins: Path) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False)
    if done.returncode:
        said = "; ".join((done.stdout + done.stderr).strip().split("\n")[-3:])
        missing_tool(f"the packages of {pins.name} can't be installed with pip: {said}")
