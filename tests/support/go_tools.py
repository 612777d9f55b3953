"""Programs from Go modules, built once and kept in the cache outside the checkout."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

from tests.support.tools import cached_folder, missing_tool

HELM: Final = "helm.sh/helm/v3/cmd/helm@v3.22.0"
"""Some two and a half minutes on two cores."""
COMPOSE: Final = "github.com/compose-spec/compose-go/v2/cmd@v2.16.2"
"""The loader that Docker Compose is made of, with a command around it."""
_BUILD_SECONDS: Final = 1800


def go_program(package: str) -> Path:
    """The program of a main package, e.g. ``helm.sh/helm/v3/cmd/helm@v3.22.0``."""
    if shutil.which("go") is None:
        missing_tool(f"{package} is built with Go: install Go 1.24 or newer")

    def fill(folder: Path) -> None:
        environment = {**os.environ, "GOBIN": str(folder), "CGO_ENABLED": "0"}
        command = ["go", "install", "-trimpath", "-ldflags=-s -w", package]
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=_BUILD_SECONDS
        )
        if done.returncode:
            missing_tool(f"go can't install {package}: {done.stderr.strip()[-500:]}")

    path, _, version = package.partition("@")
    name = path.rpartition("/")[2]
    return cached_folder(f"go/{path.replace('/', '-')}-{version}", fill) / name


def module_file(module: str, member: str) -> Path:
    """One file of a Go module, e.g. of ``github.com/prometheus-operator/prometheus-operator@v0.85.0``."""
    if shutil.which("go") is None:
        missing_tool(f"{module} comes with Go: install Go 1.24 or newer")
    name, _, version = module.partition("@")

    def fill(folder: Path) -> None:
        environment = {**os.environ, "GOFLAGS": "-mod=mod -modcacherw", "GOMODCACHE": str(folder / "modules")}
        done = subprocess.run(
            ["go", "mod", "download", module], cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            missing_tool(f"go can't download {module}: {done.stderr.strip()[-500:]}")
        shutil.copy(folder / "modules" / module / member, folder / Path(member).name)
        shutil.rmtree(folder / "modules")

    return cached_folder(f"go/{name.replace('/', '-')}-{version}-{Path(member).stem}", fill) / Path(member).name
