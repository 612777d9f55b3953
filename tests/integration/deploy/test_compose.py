"""deploy/compose: valid to Compose's own loader, hardened, and made of files and settings that exist."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.support.clickhouse_roles import STATEMENTS
from tests.support.collector_config import FOLDER as COLLECTOR_CONFIG
from tests.support.go_tools import COMPOSE, go_program

from otel_feedback.settings import PREFIX, Settings, fields, setting_name

DEPLOY = Path(__file__).parents[3] / "deploy"
FILES = sorted((DEPLOY / "compose").glob("*.yaml"))
OURS = {"otel-feedback", "migrate"}
SETTINGS = {PREFIX + setting_name(each.name).upper() for each in fields(Settings)}


def loaded(path: Path) -> Any:
    """The file as Compose reads it, with the services that it extends; variables as they are written."""
    done = subprocess.run(
        [go_program(COMPOSE), "--no-interpolation", "--format", "json", path],
        cwd=path.parent,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_compose_takes_it(path: Path):
    services = loaded(path)["services"]
    assert "otel-feedback" in services
    for name, service in services.items():
        assert all(port["host_ip"] == "127.0.0.1" for port in service.get("ports", [])), f"{name} is open to others"
        for volume in service.get("volumes", []):
            assert volume["type"] == "volume" or Path(volume["source"]).exists(), volume


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_our_containers_have_no_rights_and_no_root_to_write_to(path: Path):
    services = loaded(path)["services"]
    for name in OURS & services.keys():
        service = services[name]
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert service["tmpfs"] == ["/tmp"]  # noqa: S108  # the container's
        assert service["build"]["dockerfile"] == "deploy/docker/Dockerfile"
        assert Path(service["build"]["context"]) == DEPLOY.parent
        assert {key for key in service["environment"] if key.startswith(PREFIX)} <= SETTINGS


def test_a_file_that_is_wrong_is_refused(tmp_path: Path):
    wrong = tmp_path / "compose.yaml"
    wrong.write_text("services:\n  a:\n    image: x\n    prots: [1]\n")
    with pytest.raises(AssertionError, match="prots"):
        loaded(wrong)


def test_its_clickhouse_has_the_users_that_the_roles_make():
    environment = loaded(DEPLOY / "compose" / "clickhouse.yaml")["services"]
    made = dict(re.findall(r"CREATE USER IF NOT EXISTS (\w+) IDENTIFIED WITH \w+ BY '([^']+)'", ";".join(STATEMENTS)))
    for name, user in (("migrate", "otel_migrator_user"), ("otel-feedback", "otel_writer_user")):
        url = environment[name]["environment"]["OTEL_FEEDBACK_DATABASE_URL"]
        assert re.fullmatch(rf"clickhouse://{user}:\$\{{\w+:-{made[user]}\}}@clickhouse:8123/otel", url)


def test_its_collector_gets_variables_that_its_file_reads():
    collector = loaded(DEPLOY / "compose" / "collector-grafana.yaml")["services"]["collector"]
    (config,) = (Path(each["source"]) for each in collector["volumes"] if each["type"] == "bind")
    assert config.parent == COLLECTOR_CONFIG
    assert set(collector["environment"]) <= set(re.findall(r"\$\{env:(\w+)", config.read_text()))


def test_what_prometheus_and_grafana_are_given_is_there():
    services = loaded(DEPLOY / "compose" / "collector-grafana.yaml")["services"]
    scraped = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text())
    targets = [
        target for job in scraped["scrape_configs"] for each in job["static_configs"] for target in each["targets"]
    ]
    assert {target.partition(":")[0] for target in targets} <= services.keys()
    source = yaml.safe_load((DEPLOY / "grafana" / "provisioning" / "datasources" / "prometheus.yaml").read_text())
    assert source["datasources"][0]["url"] == "http://prometheus:9090"
    provider = yaml.safe_load((DEPLOY / "grafana" / "provisioning" / "dashboards" / "otel-feedback.yaml").read_text())
    folder = provider["providers"][0]["options"]["path"]
    assert any(each["target"].startswith(f"{folder}/") for each in services["grafana"]["volumes"])
