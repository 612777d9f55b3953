"""deploy/prometheus by Prometheus' own promtool: its rules are sound, fire when they should, and are quiet else."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from tests.support.debian import promtool

from otel_feedback.cli import main

FOLDER = Path(__file__).parents[3] / "deploy" / "prometheus"
RULES = ("alerts.yml", "rating-alerts.yml", "service-rating-alerts.yml")
LOADED = ("alerts.yml", "rating-alerts.yml")
"""Beside a Collector, as in prometheus.yml: of the two for ratings the one that is over its metrics."""
RUNBOOKS = Path(__file__).parents[3] / "docs" / "runbooks.md"


def check(*arguments: str | Path, folder: Path = FOLDER) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [promtool(), *arguments], cwd=folder, capture_output=True, text=True, timeout=120, check=False
    )


def unit_tests_of(name: str) -> Path:
    """promtool's unit tests of these rules."""
    return Path(__file__).with_name(name.replace(".yml", "_test.yml"))


def unit_tested(folder: Path, name: str) -> subprocess.CompletedProcess[str]:
    """The rules of this name in this folder, tested."""
    shutil.copy(unit_tests_of(name), folder)
    return check("test", "rules", unit_tests_of(name).name, folder=folder)


@pytest.mark.parametrize("name", RULES)
def test_the_rules_are_sound(name: str):
    done = check("check", "rules", "--lint-fatal", name)
    assert done.returncode == 0, done.stdout + done.stderr


def test_prometheus_takes_the_configuration(tmp_path: Path):
    shutil.copytree(FOLDER, tmp_path, dirs_exist_ok=True)
    done = check("check", "config", "prometheus.yml", folder=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert yaml.safe_load((FOLDER / "prometheus.yml").read_text())["rule_files"] == list(LOADED)


@pytest.mark.parametrize("name", RULES)
def test_every_alert_fires_when_it_should_and_is_quiet_else(tmp_path: Path, name: str):
    shutil.copy(FOLDER / name, tmp_path)
    done = unit_tested(tmp_path, name)
    assert done.returncode == 0, done.stdout + done.stderr
    groups = yaml.safe_load((FOLDER / name).read_text())["groups"]
    for alert in {rule["alert"] for group in groups for rule in group["rules"] if "alert" in rule}:
        assert len(re.findall(rf"\b{alert}\b", unit_tests_of(name).read_text())) >= 2, (
            f"{alert} is not tested both ways"
        )


@pytest.mark.parametrize(
    ("name", "limit", "other"),
    [
        ("alerts.yml", "age_seconds > 120", "age_seconds > 118"),
        ("alerts.yml", "limit_bytes > 0.5", "limit_bytes > 0.9"),
        ("alerts.yml", ">= 20", ">= 19"),
        ("alerts.yml", "(otel_feedback_stored_ratings)) > 0.1", "(otel_feedback_stored_ratings)) > 0.09"),
        ("rating-alerts.yml", "before - 0.1", "before - 0.4"),
        ("rating-alerts.yml", ">= 100)", ">= 1)"),
        ("rating-alerts.yml", "> 168", "> 0"),
        ("service-rating-alerts.yml", "offset 1d) - 0.1", "offset 1d) - 0.05"),
        ("service-rating-alerts.yml", ">= 100", ">= 99"),
        ("service-rating-alerts.yml", "> 14", "> 13"),
        ("service-rating-alerts.yml", "max without", "sum without"),
    ],
)
def test_another_limit_is_noticed(tmp_path: Path, name: str, limit: str, other: str):
    text = (FOLDER / name).read_text()
    assert limit in text
    (tmp_path / name).write_text(text.replace(limit, other))
    assert unit_tested(tmp_path, name).returncode != 0


def test_every_alert_leads_to_its_section_of_the_runbooks():
    sections = re.findall(r"^## (\w+)$", RUNBOOKS.read_text(), re.MULTILINE)
    led_to = {}
    for name in RULES:
        for group in yaml.safe_load((FOLDER / name).read_text())["groups"]:
            for rule in group["rules"]:
                if "alert" in rule:
                    led_to[rule["alert"]] = rule["annotations"]["runbook_url"]
    assert sorted(sections) == sorted(led_to)
    for alert, url in led_to.items():
        assert url.endswith(f"/docs/runbooks.md#{alert.lower()}")


def test_every_command_of_the_runbooks_is_there(capsys: pytest.CaptureFixture[str]):
    commands = set(re.findall(r"`otel-feedback ([a-z_ ]+)`", RUNBOOKS.read_text()))
    assert {"doctor", "doctor rejected", "report satisfaction_changes", "contrast"} <= commands
    for command in sorted(commands):
        if command.startswith("report "):
            assert main([*command.split(), "--describe"]) == 0
        else:
            with pytest.raises(SystemExit, match=r"^0$"):
                main([*command.split(), "--help"])
        assert capsys.readouterr().out


def test_every_metric_of_the_runbooks_is_told_of():
    told = (RUNBOOKS.parent / "metrics.md").read_text()
    for metric in set(re.findall(r"\botel_feedback_\w+", RUNBOOKS.read_text())):
        assert metric in told
