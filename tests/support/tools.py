"""Tools that tests need and this project does not install: kept in a cache outside the checkout, or told as missing."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest


def missing_tool(how_to_get_it: str) -> NoReturn:
    """Skip the test; where every tool is required (CONTRIBUTING.md), fail it."""
    if os.environ.get("CI", "").lower() == "true" or os.environ.get("OTEL_FEEDBACK_REQUIRE_ALL") == "1":
        pytest.fail(how_to_get_it, pytrace=False)
    pytest.skip(how_to_get_it)  # on a contributor's machine without npm or Go; never in CI, which failed above


def cached_folder(name: str, fill: Callable[[Path], None]) -> Path:
    """The cache's folder of this name; the first caller of all processes fills it, the others wait for it.

    It shows under its name only once it is complete, so whoever is killed while filling leaves nothing half.
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "otel-feedback"
    folder = cache / name
    if folder.exists():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_name(f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            unfinished = folder.with_name(f"{folder.name}.unfinished")
            shutil.rmtree(unfinished, ignore_errors=True)
            unfinished.mkdir()
            fill(unfinished)
            unfinished.rename(folder)
    return folder


def npm_file(package: str, version: str, member: str, *, else_: str = "") -> Path:
    """One file out of an npm package, e.g. ``package/axe.min.js``, without its dependencies and scripts.

    Where npm is missing or can't fetch it, the test is skipped; ``else_`` tells what helps instead of npm.
    """

    def fill(folder: Path) -> None:
        if shutil.which("npm") is None:
            missing_tool(f"{package} comes from npm: install npm (apt-get install npm){else_}")
        command = ["npm", "pack", "--silent", f"--pack-destination={folder}", f"{package}@{version}"]
        packed = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=1800)
        if packed.returncode:
            said = "; ".join((packed.stderr or packed.stdout).split("\n")[:3])
            missing_tool(f"npm can't fetch {package}@{version}: {said}{else_}")
        (archive_path,) = folder.glob("*.tgz")
        with tarfile.open(archive_path) as archive:
            archive.extract(member, folder, filter="data")
        archive_path.unlink()

    return cached_folder(f"npm/{package.lstrip('@').replace('/', '-')}-{version}", fill) / member
