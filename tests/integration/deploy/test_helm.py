"""deploy/helm: Helm renders it, Kubernetes' schemas take it, and values that make no sense are refused."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.support.environments import pinned_python
from tests.support.go_tools import HELM, go_program, module_file

CHART = Path(__file__).parents[3] / "deploy" / "helm" / "otel-feedback"
PINS = Path(__file__).with_name("requirements.txt")
OPERATOR = "github.com/prometheus-operator/prometheus-operator@v0.85.0"
KUBERNETES = ("1.27", "1.37")
EVERYTHING = {
    "replicaCount": 3,
    "imagePullSecrets": [{"name": "registry"}],
    "database": {"existingSecret": "clickhouse", "migrate": {"enabled": True, "existingSecret": "migrator"}},
    "settings": {"OTEL_FEEDBACK_RETENTION": "3d", "OTEL_FEEDBACK_VOTES_PER_MINUTE": 60},
    "settingsSecret": "more",
    "tls": {"existingSecret": "certificate"},
    "persistence": {"size": "5Gi", "storageClassName": "fast"},
    "networkPolicy": {
        "from": [{"namespaceSelector": {}}],
        "dashboardFrom": [{"ipBlock": {"cidr": "10.0.0.0/8"}}],
        "egress": [{"ports": [{"port": 9000}]}],
    },
    "serviceMonitor": {"enabled": True, "labels": {"release": "prometheus"}},
    "nodeSelector": {"disk": "ssd"},
    "tolerations": [{"key": "llm", "operator": "Exists"}],
    "affinity": {"nodeAffinity": {}},
    "podAnnotations": {"a": "b"},
    "podLabels": {"team": "chat"},
}
SERVER = {"database": {"existingSecret": "clickhouse"}}


def helm(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([go_program(HELM), *arguments], capture_output=True, text=True, timeout=120, check=False)


def template(folder: Path, values: dict[str, Any], version: str = KUBERNETES[-1]) -> subprocess.CompletedProcess[str]:
    path = folder / "values.yaml"
    path.write_text(yaml.safe_dump(values))
    return helm("template", "ratings", CHART, "--values", path, "--kube-version", version, "--namespace", "llm")


def rendered(folder: Path, values: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """The objects by their kind."""
    done = template(folder, values)
    assert done.returncode == 0, done.stderr
    objects: dict[str, list[dict[str, Any]]] = {}
    for each in yaml.safe_load_all(done.stdout):
        if each:
            objects.setdefault(each["kind"], []).append(each)
    return objects


def test_helm_finds_nothing_wrong():
    done = helm("lint", CHART, "--strict", "--kube-version", KUBERNETES[-1])
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("version", KUBERNETES)
@pytest.mark.parametrize("values", [{}, SERVER, EVERYTHING], ids=["defaults", "server", "everything"])
def test_kubernetes_takes_every_object(tmp_path: Path, values: dict[str, Any], version: str):
    done = template(tmp_path, values, version)
    assert done.returncode == 0, done.stderr
    objects = [each for each in yaml.safe_load_all(done.stdout) if each and each["kind"] != "ServiceMonitor"]
    (tmp_path / "objects.yaml").write_text(yaml.safe_dump_all(objects))
    validate = [pinned_python(PINS), "-m", "kubernetes_validate"]
    command = [*validate, "--strict", "-k", version, tmp_path / "objects.yaml"]
    checked = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    said = checked.stdout + checked.stderr
    assert checked.returncode == 0, said
    assert said.count(" passed for ") == len(objects)


def test_the_operators_schema_takes_the_service_monitor(tmp_path: Path):
    (monitor,) = rendered(tmp_path, EVERYTHING)["ServiceMonitor"]
    crd = module_file(OPERATOR, "example/prometheus-operator-crd/monitoring.coreos.com_servicemonitors.yaml")
    schema = yaml.safe_load(crd.read_text())["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    (tmp_path / "schema.json").write_text(json.dumps(schema))
    (tmp_path / "monitor.json").write_text(json.dumps(monitor))
    check = "import json, sys, jsonschema; jsonschema.validate(*(json.load(open(each)) for each in sys.argv[1:]))"
    command = [pinned_python(PINS), "-c", check, tmp_path / "monitor.json", tmp_path / "schema.json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    services = rendered(tmp_path, EVERYTHING)["Service"]
    scraped = monitor["spec"]["endpoints"][0]["port"]
    assert [scraped in {port["name"] for port in each["spec"]["ports"]} for each in services] == [True, False]


@pytest.mark.parametrize("values", [{}, EVERYTHING], ids=["defaults", "everything"])
def test_no_pod_has_rights_or_a_root_to_write_to(tmp_path: Path, values: dict[str, Any]):
    objects = rendered(tmp_path, values)
    pods = [each["spec"]["template"]["spec"] for each in (*objects["StatefulSet"], *objects.get("Job", []))]
    for pod in pods:
        assert pod["automountServiceAccountToken"] is False
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        for container in pod["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }


def test_the_queue_is_on_a_volume_that_outlives_everything(tmp_path: Path):
    (service,) = rendered(tmp_path, {})["StatefulSet"]
    (claim,) = service["spec"]["volumeClaimTemplates"]
    mounts = service["spec"]["template"]["spec"]["containers"][0]["volumeMounts"]
    assert {each["name"]: each["mountPath"] for each in mounts}[claim["metadata"]["name"]] == "/var/lib/otel-feedback"
    assert set(service["spec"]["persistentVolumeClaimRetentionPolicy"].values()) == {"Retain"}


def test_a_budget_only_where_it_does_not_keep_a_node_from_being_drained(tmp_path: Path):
    assert "PodDisruptionBudget" not in rendered(tmp_path, {})
    assert "PodDisruptionBudget" not in rendered(tmp_path, SERVER)
    assert rendered(tmp_path, EVERYTHING)["PodDisruptionBudget"][0]["spec"]["minAvailable"] == 1


def test_settings_reach_the_container_as_text(tmp_path: Path):
    (service,) = rendered(tmp_path, EVERYTHING)["StatefulSet"]
    container = service["spec"]["template"]["spec"]["containers"][0]
    given = {each["name"]: each["value"] for each in container["env"]}
    assert given["OTEL_FEEDBACK_VOTES_PER_MINUTE"] == "60"
    assert given["OTEL_FEEDBACK_TLS_CERT"] == "/etc/otel-feedback/tls/tls.crt"
    assert {container[f"{kind}Probe"]["httpGet"]["scheme"] for kind in ("startup", "liveness", "readiness")} == {
        "HTTPS"
    }
    assert [each["secretRef"]["name"] for each in container["envFrom"]] == ["more", "clickhouse"]


def test_secrets_are_files_that_are_replaced_in_the_running_pod(tmp_path: Path):
    (service,) = rendered(tmp_path, {})["StatefulSet"]
    pod = service["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert "envFrom" not in container
    mounts = {each["name"]: each for each in container["volumeMounts"]}
    assert "subPath" not in mounts["secrets"], "Kubernetes never renews those"
    (volume,) = (each for each in pod["volumes"] if each["name"] == "secrets")
    assert volume["secret"]["secretName"] == "otel-feedback"
    given = {each["name"]: each["value"] for each in container["env"]}
    for name in ("SIGNING_KEYS", "INGEST_TOKENS", "DASHBOARD_TOKEN"):
        path = f"{mounts['secrets']['mountPath']}/OTEL_FEEDBACK_{name}"
        assert given[f"OTEL_FEEDBACK_{name}_FILE"] == path


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"replicaCount": 2}, "replicaCount above 1 needs a ClickHouse server"),
        ({"replicaCount": 0}, "replicaCount"),
        ({"replicas": 2}, "replicas"),
        ({"settings": {"OTEL_FEEDBACK_SIGNING_KEYS": "in plain sight"}}, "OTEL_FEEDBACK_SIGNING_KEYS"),
        ({"settings": {"RETENTION": "3d"}}, "RETENTION"),
        ({"persistence": {"size": "much"}}, "size"),
        ({"terminationGracePeriodSeconds": 5}, "terminationGracePeriodSeconds"),
        ({"database": {"existingSecret": "a", "migrate": {"enabled": True}}}, "database.migrate.existingSecret"),
    ],
)
def test_values_that_make_no_sense_are_refused(tmp_path: Path, values: dict[str, Any], said: str):
    done = template(tmp_path, values)
    assert done.returncode == 1
    assert said in done.stderr


def test_every_value_is_described_and_has_its_default():
    schema = json.loads((CHART / "values.schema.json").read_text())
    values = yaml.safe_load((CHART / "values.yaml").read_text())

    def check(properties: dict[str, Any], defaults: dict[str, Any], where: str) -> None:
        assert properties.keys() - {"global", "nameOverride"} == defaults.keys(), where
        for name, each in properties.items():
            if "properties" in each:
                check(each["properties"], defaults[name], f"{where}{name}.")
            else:
                assert each.get("description"), f"{where}{name}"

    check(schema["properties"], values, "")
