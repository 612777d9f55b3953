"""Backup and restore as docs/deployment.md has them: everything is there again, and the service goes on with it."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.support.clickhouse_roles import server_with_roles
from tests.support.clickhouse_server import ClickHouseServer
from tests.support.rated_app import SPANS, Plan, run_app
from tests.support.service import RunningService, running_service, start_in_vain

TABLES = ("otel_traces", "otel_logs", "rating_deliveries", "llm_call_spans", "schema_migrations")
VIEWS = ("feedback", "rated_llm_calls", "traces", "sessions", "users")

REPLACING = "SELECT name FROM system.tables WHERE database = currentDatabase() AND engine LIKE 'Replacing%'"
"""Tables that may be merged between two looks, which is no difference."""


def contents(service: RunningService) -> dict[str, list[dict[str, object]]]:
    """What is stored, and what the views make of it."""
    merged = {each["name"] for each in service.sql(REPLACING)}
    return {
        name: sorted(service.sql(f"SELECT * FROM {name} {'FINAL' if name in merged else ''}"), key=str)  # noqa: S608
        for name in (*TABLES, *VIEWS)
    }


def use(service: RunningService, answers: int) -> None:
    """People ask and rate; returns once it can be asked for."""
    before = len(service.sql("SELECT 1 FROM otel_traces"))
    run_app(service.http, Plan(answers=answers, rated=(0,), comment="Good."))
    service.wait_for_rows("SELECT 1 FROM otel_traces", before + answers * SPANS + 1)
    service.wait_for_rows("SELECT 1 FROM rated_llm_calls", (before and 2) or 1)
    service.wait_for_rows("SELECT 1 FROM rating_deliveries", (before and 2) or 1)


def test_a_server_is_restored_from_its_backup(tmp_path: Path):
    allowed = f"<backups><allowed_path>{tmp_path}/backups/</allowed_path></backups>"
    (first_folder := tmp_path / "first").mkdir()
    (second_folder := tmp_path / "second").mkdir()
    first, first_users = server_with_roles(first_folder, allowed)
    second, second_users = server_with_roles(second_folder, allowed)
    try:
        first.start()
        first.execute("CREATE DATABASE otel")
        with running_service(tmp_path / "a", {"OTEL_FEEDBACK_DATABASE_URL": first_users.migrator}) as service:
            use(service, 3)
            expected = contents(service)
            done = ClickHouseServer(first_users.migrator).execute("BACKUP DATABASE otel TO File('otel-1')")
            assert "BACKUP_CREATED" in done
            use(service, 1)  # what comes after a backup is not in it
        first.kill()
        second.start()
        assert "RESTORED" in second.execute("RESTORE DATABASE otel FROM File('otel-1')")
        with running_service(tmp_path / "b", {"OTEL_FEEDBACK_DATABASE_URL": second_users.writer}) as service:
            assert contents(service) == expected
            use(service, 2)
    finally:
        first.stop()
        second.stop()


def test_an_embedded_database_is_restored_from_a_copy_of_the_data_directory(tmp_path: Path):
    with running_service(tmp_path / "data") as service:
        use(service, 3)
        expected = contents(service)
    archive(tmp_path / "data", tmp_path / "backup")
    shutil.rmtree(tmp_path / "data")
    archive(tmp_path / "backup", tmp_path / "restored")
    with running_service(tmp_path / "restored") as service:
        assert contents(service) == expected
        use(service, 2)


def archive(here: Path, there: Path) -> None:
    """As ``cp -a``: ClickHouse's folders are links, which must stay links."""
    shutil.copytree(here, there, symlinks=True)


def test_the_way_back_from_a_newer_schema_is_its_backup(tmp_path: Path):
    server, users = server_with_roles(tmp_path, f"<backups><allowed_path>{tmp_path}/backups/</allowed_path></backups>")
    settings = {"OTEL_FEEDBACK_DATABASE_URL": users.migrator}
    try:
        server.start()
        with running_service(tmp_path / "data", settings) as service:
            use(service, 3)
            expected = contents(service)
        ClickHouseServer(users.migrator).execute("BACKUP DATABASE otel TO File('before-the-upgrade')")
        server.execute("INSERT INTO otel.schema_migrations (Version, Name) VALUES (9999, 'of a newer version')")
        code, said = start_in_vain(tmp_path / "data", settings)
        assert (code, "Schema is at 9999" in said) == (1, True)
        server.execute("DROP DATABASE otel SYNC")
        server.execute("RESTORE DATABASE otel FROM File('before-the-upgrade')")
        with running_service(tmp_path / "data", settings) as service:
            assert contents(service) == expected
            use(service, 1)
    finally:
        server.stop()
