"""SECURITY.md: each claim names tests that are there, and the bill of materials has what the lock file has."""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
DOCUMENT: Final = (ROOT / "SECURITY.md").read_text(encoding="utf-8")


def claims() -> dict[str, list[str]]:
    rows = re.findall(r"^\| ([^|]+) \| ((?:`test_\w+`(?:, )?)+) \|$", DOCUMENT, re.MULTILINE)
    return {claim: re.findall(r"test_\w+", tests) for claim, tests in rows}


def test_every_claim_has_tests_that_are_there():
    there = {
        name
        for path in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"^(?:async )?def (test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert len(claims()) >= 19
    assert DOCUMENT.count("| `test_") == len(claims())
    for claim, tests in claims().items():
        assert set(tests) <= there, claim


@pytest.fixture(scope="module")
def bill(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    path = tmp_path_factory.mktemp("sbom") / "sbom.json"
    done = subprocess.run(
        ["make", "--silent", "sbom", f"SBOM={path}"], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    told: dict[str, object] = json.loads(path.read_text(encoding="utf-8"))
    return told


def test_the_bill_of_materials_names_each_package_of_the_lock_that_users_get(bill: dict):
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.5")
    assert bill["metadata"]["component"]["name"] == "otel-feedback"
    told = {(each["name"], each["version"]): each for each in bill["components"]}
    locked = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))["package"]
    known = {(each["name"], each["version"]) for each in locked}
    assert set(told) <= known
    names = {name for name, _ in told}
    assert {"opentelemetry-api", "grpcio", "clickhouse-connect", "starlette", "scikit-learn", "torch"} <= names
    assert "pytest" not in names
    assert all(each["purl"].startswith("pkg:pypi/") for each in told.values())
