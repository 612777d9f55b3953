"""Programs out of Debian's packages, without installing them: kept in the cache outside the checkout."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from tests.support.tools import cached_folder, missing_tool


def promtool() -> Path:
    """Prometheus' own checker: the one on PATH, or Debian's, of which nothing is installed."""
    if found := shutil.which("promtool"):
        return Path(found)

    def fill(folder: Path) -> None:
        if shutil.which("apt-get") is None:
            missing_tool("no promtool: put the one of Prometheus (https://prometheus.io/download) on PATH")
        # Only root may update the lists, which a fresh machine lacks.
        done = _run(
            "apt-get download -q prometheus || { apt-get update -q && apt-get download -q prometheus; }", folder
        )
        if done.returncode == 0:
            done = _run("dpkg -x prometheus_*.deb .", folder)
        if done.returncode:
            missing_tool(f"no promtool: {done.stderr.strip()[-300:]}. Put the one of Prometheus on PATH")

    return cached_folder("debian/prometheus", fill) / "usr" / "bin" / "promtool"


def _run(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["sh", "-c", command], cwd=folder, capture_output=True, text=True, check=False, timeout=600)
