"""``make test-pythons``: the unit tests and those of the SDK, on each Python that is supported beside the one at hand.

An interpreter that this machine has is taken. Where there is none it comes from Maven Central, where builds of
CPython for Linux lie for other ends, and is kept in the cache outside the checkout.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Final

from tests.support.tools import cached_folder

ROOT: Final = Path(__file__).parents[2]
UV: Final = ROOT / ".uv" / "bin" / "uv"
BUILDS: Final = {"3.12": "3.12.1-1.5.10", "3.13": "3.13.5-1.5.12", "3.14": "3.14.3-1.5.13"}
OF_THE_SDK: Final = ("asgi", "recorder", "session", "targets", "wsgi")
TESTED: Final = ("tests/unit", *(f"tests/integration/sdk/test_{name}.py" for name in OF_THE_SDK))


def main() -> int:
    parser = argparse.ArgumentParser(prog="make test-pythons", description=__doc__)
    parser.add_argument("versions", nargs="*", default=list(BUILDS), help="default: %(default)s")
    failed = [version for version in parser.parse_args().versions if not passes(version)]
    print(f"failed on {', '.join(failed)}" if failed else "passed on each")
    return 1 if failed else 0


def passes(version: str) -> bool:
    """Whether the tests pass in an environment of this Python, made from the lock file."""
    environment = ROOT / f".venv-{version}"
    variables = os.environ | {"UV_PROJECT_ENVIRONMENT": str(environment)}
    sync = ["sync", "--quiet", "--frozen", "--all-extras", "--no-extra", "finetune"]
    if subprocess.run([UV, *sync, "--python", interpreter(version)], cwd=ROOT, env=variables, check=False).returncode:
        return False
    python = environment / "bin" / "python"
    print(f"Python {subprocess.check_output([python, '-V'], env=variables, text=True).split()[1]}", flush=True)
    pytest = [python, "-m", "pytest", "-q", "-n", "auto", "--dist", "loadfile", *TESTED]
    return subprocess.run(pytest, cwd=ROOT, env=variables, check=False).returncode == 0


def interpreter(version: str) -> Path:
    """An interpreter of this version."""
    find = [UV, "python", "find", "--no-project", version]
    found = subprocess.run(find, cwd=ROOT, capture_output=True, text=True, check=False)
    if found.returncode == 0:
        return Path(found.stdout.strip())

    def fill(folder: Path) -> None:
        artifact = f"org.bytedeco:cpython:{BUILDS[version]}:jar:linux-x86_64"
        mvn = ["mvn", "-q", "-B", "dependency:copy", f"-Dartifact={artifact}", f"-DoutputDirectory={folder}"]
        subprocess.run(mvn, cwd=folder, check=True, stdin=subprocess.DEVNULL)
        (archive,) = folder.glob("*.jar")
        with zipfile.ZipFile(archive) as content:
            content.extractall(folder)  # by its checksum what Maven Central has
        archive.unlink()
        for program in (_home(folder) / "bin").iterdir():
            program.chmod(0o755)
        (extensions,) = _home(folder).glob("lib/python3.*/lib-dynload")
        for library in _home(folder).glob("libffi*"):  # ctypes looks for it beside itself
            shutil.copy(library, extensions)

    return _home(cached_folder(f"pythons/{BUILDS[version]}", fill)) / "bin" / "python3"


def _home(folder: Path) -> Path:
    return folder / "org" / "bytedeco" / "cpython" / "linux-x86_64"


if __name__ == "__main__":
    sys.exit(main())
