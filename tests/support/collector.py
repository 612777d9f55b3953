"""A real OpenTelemetry Collector with the ClickHouse exporter, built once and kept outside the checkout."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

from tests.support.tools import cached_folder

MANIFEST = Path(__file__).with_name("collector-builder.yaml")
BUILDER = "go.opentelemetry.io/collector/cmd/builder@v0.161.0"


def collector_binary() -> Path | None:
    """The Collector's binary, built from Go modules on first use (some three minutes); None without Go."""
    if shutil.which("go") is None:
        return None
    manifest = MANIFEST.read_bytes()
    return cached_folder(f"collector/{hashlib.sha256(manifest).hexdigest()[:12]}", _build) / "otelcol-test"


def _build(folder: Path) -> None:
    environment = {**os.environ, "GOBIN": str(folder / "bin"), "CGO_ENABLED": "0"}

    def run(*command: str, cwd: Path = folder) -> None:
        done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")

    sources = folder / "sources"
    run("go", "install", BUILDER)
    run(
        str(folder / "bin" / "builder"),
        "--config",
        str(MANIFEST),
        "--skip-compilation",
        f"--output-path={sources}",
    )
    run("go", "build", "-trimpath", "-ldflags=-s -w", "-o", str(folder / "otelcol-test"), cwd=sources)
