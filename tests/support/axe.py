"""axe-core from npm: finds accessibility mistakes in a page that a real browser has drawn."""

from __future__ import annotations

import fcntl
import json
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page

VERSION = "4.14.1"


def axe_source() -> str | None:
    """The script, downloaded once into the cache outside the checkout; None without npm."""
    folder = Path.home() / ".cache" / "otel-feedback" / f"axe-core-{VERSION}"
    script = folder / "package" / "axe.min.js"
    if not script.exists():
        if shutil.which("npm") is None:
            return None
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not script.exists():
                _download(folder)
    return script.read_text(encoding="utf-8")


def violations(page: Page, source: str) -> list[str]:
    """What axe-core finds wrong with the page as it is drawn now: one line a rule, with the elements."""
    page.evaluate(source)
    found = json.loads(page.evaluate("async () => JSON.stringify((await axe.run()).violations)"))
    return [
        f"{each['id']} ({each['impact']}): {each['help']}: " + "; ".join(node["html"][:160] for node in each["nodes"])
        for each in found
    ]


def _download(folder: Path) -> None:
    command = ["npm", "pack", "--silent", f"axe-core@{VERSION}"]
    packed = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True, timeout=120)
    with tarfile.open(folder / packed.stdout.strip().splitlines()[-1]) as archive:
        archive.extract("package/axe.min.js", folder, filter="data")
