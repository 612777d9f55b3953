"""deploy/docker: the Dockerfile is sound, and what it installs runs without rights on a root that can't be written to.

No image is built, since none can be pulled where these tests run: the build stage's own command installs the packages,
and the service runs as the image has it, with its environment, in a mount namespace whose root is read-only.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from tests.support.environments import pinned_python
from tests.support.service import wait_until
from tests.support.tools import missing_tool

from otel_feedback.settings import PREFIX, Settings, fields, setting_name

ROOT = Path(__file__).parents[3]
DOCKERFILE = ROOT / "deploy" / "docker" / "Dockerfile"
TEXT = re.sub(r"\\\n\s*", "", DOCKERFILE.read_text())
UV = ROOT / ".uv" / "bin" / "uv"
START_SECONDS = 90
# What the image's user may write to is a volume and /tmp; all else is read-only to everybody.
ISOLATED = """
set -e
mount --make-rprivate /
mount --bind "$DATA" "$DATA"
mount -t tmpfs -o mode=1777 tmpfs /tmp
mount --bind "$PROGRAM" "$PROGRAM"
mount -o remount,bind,ro "$PROGRAM"
mount -o remount,bind,ro /
exec setpriv --reuid=10001 --regid=10001 --clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all -- "$@"
"""


def last(instruction: str) -> str:
    """The last use of an instruction, without its name."""
    return [line.partition(" ")[2] for line in TEXT.splitlines() if line.startswith(f"{instruction} ")][-1]


def environment() -> dict[str, str]:
    """What the image's ENV sets for the service."""
    return dict(each.split("=", 1) for each in shlex.split(last("ENV")))


def install_command() -> list[str]:
    """How the build stage installs the project with its packages: the arguments of uv."""
    (line,) = (
        line for line in TEXT.splitlines() if line.startswith("RUN uv sync") and "--no-install-project" not in line
    )
    return shlex.split(line)[2:]


def test_hadolint_finds_nothing():
    hadolint = pinned_python(Path(__file__).with_name("requirements.txt")).with_name("hadolint")
    done = subprocess.run([hadolint, DOCKERFILE], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_its_settings_exist_and_its_uv_is_the_makefiles():
    known = {PREFIX + setting_name(each.name).upper() for each in fields(Settings)}
    assert {name for name in environment() if name.startswith(PREFIX)} <= known
    (pinned,) = re.findall(r"uv==(\S+)", TEXT)
    assert re.search(rf"^UV_VERSION := {re.escape(pinned)}$", (ROOT / "Makefile").read_text(), re.MULTILINE)


def test_every_file_that_it_copies_is_let_through():
    allowed = re.findall(r"^!(\S+)$", DOCKERFILE.with_name("Dockerfile.dockerignore").read_text(), re.MULTILINE)
    copied = [word for line in re.findall(r"^COPY (?!--from)(.+)$", TEXT, re.MULTILINE) for word in line.split()[:-1]]
    assert sorted(copied) == sorted(allowed)
    assert all((ROOT / each).exists() for each in copied)


@pytest.fixture
def installed() -> Iterator[Path]:
    """A folder that everybody may read; in ``program`` what the build stage's last command installs."""
    if os.geteuid() != 0:
        missing_tool("run this as root: it makes a mount namespace with a read-only root")
    folder = Path(tempfile.mkdtemp(prefix="otel-feedback-image-", dir="/var/tmp"))  # not below /tmp, which is hidden
    folder.chmod(0o755)
    try:
        sources = folder / "sources"
        sources.mkdir()
        for each in ("pyproject.toml", "uv.lock", "README.md", "LICENSE"):
            shutil.copy(ROOT / each, sources)
        shutil.copytree(ROOT / "src", sources / "src", ignore=shutil.ignore_patterns("__pycache__"))
        subprocess.run(
            [UV, *install_command()],
            cwd=sources,
            env={**os.environ, "UV_PROJECT_ENVIRONMENT": str(folder / "program"), "VIRTUAL_ENV": ""},
            check=True,
            capture_output=True,
            timeout=600,
        )
        shutil.rmtree(sources)
        yield folder
    finally:
        shutil.rmtree(folder)


def test_it_serves_without_rights_and_with_a_root_that_cannot_be_written_to(installed: Path, tmp_path: Path):
    data = installed / "data"
    data.mkdir(mode=0o750)
    os.chown(data, 10001, 10001)
    program = installed / "program"
    ports = {f"OTEL_FEEDBACK_{name}_ADDRESS": "127.0.0.1:0" for name in ("GRPC", "HTTP", "DASHBOARD")}
    given = {
        **environment(),
        **ports,
        "PATH": f"{program}/bin:/usr/bin:/bin",
        "OTEL_FEEDBACK_DATA_DIR": str(data),
        "OTEL_FEEDBACK_SIGNING_KEYS": "key",
        "DATA": str(data),
        "PROGRAM": str(program),
    }
    entry = [*json.loads(last("ENTRYPOINT")), *json.loads(last("CMD"))]
    log = tmp_path / "log"
    with log.open("wb") as written:
        process = subprocess.Popen(
            ["unshare", "--mount", "sh", "-c", ISOLATED, "sh", *entry],
            env=given,
            cwd=data,
            stdout=written,
            stderr=subprocess.STDOUT,
        )
    try:

        def state() -> dict[str, str] | None:
            assert process.poll() is None, log.read_text()
            try:
                found: dict[str, str] = json.loads((data / "service.json").read_text())
                return found if httpx.get(f"{found['http']}/readyz").status_code == 200 else None
            except (FileNotFoundError, json.JSONDecodeError, httpx.HTTPError):
                return None

        addresses = wait_until(state, START_SECONDS, "the service did not get ready")
        assert httpx.get(f"{addresses['dashboard']}/").status_code == 200
        status = Path(f"/proc/{process.pid}/status").read_text()
        assert re.search(r"^Uid:\s+10001\b", status, re.MULTILINE)
        assert re.search(r"^CapBnd:\s+0+$", status, re.MULTILINE)
        health = json.loads(last("HEALTHCHECK").partition("CMD ")[2])
        check = [each.replace("127.0.0.1:4318", addresses["http"].removeprefix("http://")) for each in health]
        done = subprocess.run(check, env=given, capture_output=True, text=True, timeout=30, check=False)
        assert (done.returncode, done.stderr) == (0, "")
    finally:
        process.terminate()
        code = process.wait(60)
    assert code == 0, log.read_text()
    done = subprocess.run(check, env=given, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode != 0, "healthy without a service"
