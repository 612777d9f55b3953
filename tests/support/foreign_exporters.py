"""Programs that send with the official exporters of other languages: tests/contract/{js,java,go}.

Their packages are fetched once, at the versions that are pinned there, and kept in the cache outside the checkout.
Where a toolchain or its registry is missing, the test is skipped with a line that says how to get it.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.support.tools import cached_folder, missing_tool

SOURCES = Path(__file__).parents[1] / "contract"
FETCH_SECONDS = 1200
SEND_SECONDS = 120


@dataclass(frozen=True)
class Sender:
    """A program that takes: way, compression, endpoint, test id; and prints the id of the trace that it sent."""

    command: tuple[str, ...]
    environment: Mapping[str, str]

    def send(self, way: str, compression: str, endpoint: str, test_id: str) -> str:
        """Send, and return the trace's id; fails if the exporter reported anything."""
        done = subprocess.run(
            [*self.command, way, compression, endpoint, test_id],
            env={**_own_environment(), **self.environment},
            capture_output=True,
            text=True,
            timeout=SEND_SECONDS,
            check=False,
        )
        assert done.returncode == 0, f"{self.command[0]} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
        return done.stdout.strip()


def javascript() -> Sender:
    """Node.js, with the packages of js/package-lock.json."""
    return Sender(("node", str(SOURCES / "js" / "send.mjs")), {"NODE_MODULES": str(javascript_modules())})


def javascript_modules() -> Path:
    """The folder ``node_modules`` with the packages of js/package-lock.json."""
    _need("node", "npm", how_to_get_them="install Node.js 18 or newer with npm (apt-get install nodejs npm)")
    sources = SOURCES / "js"

    def fill(folder: Path) -> None:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(sources / name, folder)
        _fetch(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"], folder, "npm")

    return cached_folder(f"exporters/js-{_digest(sources)}", fill) / "node_modules"


def java() -> Sender:
    """A JVM, with the artifacts of java/pom.xml."""
    target = java_target()
    return Sender(("java", "-cp", f"{target / 'classes'}{os.pathsep}{target / 'dependency'}/*", "Send"), {})


def java_target() -> Path:
    """Maven's folder ``target`` with the ``classes`` of java and, as ``dependency``, the artifacts of its pom.xml."""
    _need("java", "mvn", how_to_get_them="install a JDK of 17 or newer and Maven (apt-get install default-jdk maven)")
    sources = SOURCES / "java"

    def fill(folder: Path) -> None:
        shutil.copytree(sources, folder, dirs_exist_ok=True)
        goals = ["compile", "dependency:copy-dependencies", "-DincludeScope=runtime"]
        _fetch(["mvn", "--quiet", "--batch-mode", *goals], folder, "Maven")

    return cached_folder(f"exporters/java-{_digest(sources)}", fill) / "target"


def go() -> Sender:
    """A binary of the modules of go/go.sum."""
    _need("go", how_to_get_them="install Go of the version in tests/contract/go/go.mod or newer (https://go.dev/dl)")
    sources = SOURCES / "go"

    def fill(folder: Path) -> None:
        _fetch(["go", "build", "-o", str(folder / "send"), "."], sources, "Go")

    return Sender((str(cached_folder(f"exporters/go-{_digest(sources)}", fill) / "send"),), {})


def _need(*tools: str, how_to_get_them: str) -> None:
    missing = [tool for tool in tools if shutil.which(tool) is None]
    if missing:
        missing_tool(f"{', '.join(missing)} is not on PATH: {how_to_get_them}")


def _fetch(command: Sequence[str], folder: Path, registry: str) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=FETCH_SECONDS, check=False)
    if done.returncode:
        said = "; ".join((done.stdout + done.stderr).strip().split("\n")[:3])
        missing_tool(f"the exporters of {folder} can't be built from {registry}'s packages: {said}")


def _digest(sources: Path) -> str:
    files = sorted(path for path in sources.rglob("*") if path.is_file())
    content = b"".join(str(path.relative_to(sources)).encode() + path.read_bytes() for path in files)
    return hashlib.sha256(content).hexdigest()[:12]


def _own_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
