"""docs/deployment.md: its SQL runs, and its commands are understood by the programs that they name."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

from tests.support.clickhouse_roles import FILE, server_with_roles
from tests.support.clickhouse_server import ClickHouseServer
from tests.support.commands import otel_feedback
from tests.support.go_tools import HELM, go_program

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs" / "deployment.md").read_text()


def commands(program: str) -> list[list[str]]:
    """The arguments of every command that begins with this word."""
    blocks = re.findall(r"^```sh\n(.*?)^```$", DOCUMENT, re.MULTILINE | re.DOTALL)
    words = [shlex.split(line) for block in blocks for line in block.splitlines()]
    return [arguments for first, *arguments in words if first == program]


def test_the_backup_is_made_and_restored_as_it_says(tmp_path: Path):
    backup, restore = re.findall(r"^```sql\n(.*?);\n```$", DOCUMENT, re.MULTILINE | re.DOTALL)
    server, users = server_with_roles(tmp_path, f"<backups><allowed_path>{tmp_path}/backups/</allowed_path></backups>")
    try:
        server.start()
        done = otel_feedback(tmp_path / "data", "migrate", environment={"OTEL_FEEDBACK_DATABASE_URL": users.migrator})
        assert (done.returncode, done.stderr) == (0, "")
        tables = server.execute("SELECT name FROM system.tables WHERE database = 'otel' ORDER BY name")
        ClickHouseServer(users.migrator).execute(backup)
        server.execute("DROP DATABASE otel SYNC")
        server.execute(restore)
        assert server.execute("SELECT name FROM system.tables WHERE database = 'otel' ORDER BY name") == tables
    finally:
        server.stop()


def test_helm_understands_its_commands():
    given = commands("helm")
    assert len(given) == 2
    for arguments in given:
        assert arguments[:2] == ["upgrade", "--install"]
        command = [go_program(HELM), "template", *arguments[2:], "--kube-version", "1.30"]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr


def test_what_systemd_is_given_is_installed_where_the_unit_looks(tmp_path: Path):
    for arguments in commands("install"):
        *options, source, target = arguments
        command = ["install", *options, source, f"{tmp_path}{target}"]
        subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    unit = (tmp_path / "etc/systemd/system/otel-feedback.service").read_text()
    (settings,) = re.findall(r"^EnvironmentFile=(\S+)$", unit, re.MULTILINE)
    assert (tmp_path / settings.lstrip("/")).stat().st_mode & 0o777 == 0o600
    ((_, _, folder),) = (arguments for arguments in commands("python3"))
    assert f"\nExecStart={folder}/bin/otel-feedback serve\n" in unit


def test_the_files_and_users_that_its_commands_name_are_there():
    for arguments in (*commands("docker"), *commands("clickhouse-client")):
        for each in arguments:
            assert not each.startswith("deploy/") or (ROOT / each).exists(), each
    users = re.findall(r"clickhouse://(\w+):([\w-]+)@", DOCUMENT)
    assert len(users) == 2
    for name, password in users:
        assert f"CREATE USER IF NOT EXISTS {name} IDENTIFIED WITH sha256_password BY '{password}'" in FILE.read_text()


def test_the_exposure_is_as_systemd_tells_it():
    (told,) = re.findall(r"rates it ([\d.]+) of 10", DOCUMENT)
    unit = ROOT / "deploy" / "systemd" / "otel-feedback.service"
    command = ["systemd-analyze", "security", "--offline=true", unit]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert f"exposure level for otel-feedback.service: {told} " in done.stdout
