"""Migrations on both engines: once, twice, two at once, and never backwards."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Final

import pytest
from tests.integration.clickhouse.conftest import ENGINES
from tests.support.commands import otel_feedback
from tests.support.otlp import NOON, SECOND
from tests.support.ratings import Call, Submission
from tests.support.schema_text import FILE, HOW_TO_WRITE_IT, VARIABLE, schema_text
from tests.support.segments import store
from tests.support.service import running_service

from otel_feedback.clickhouse import statements
from otel_feedback.clickhouse.connect import connect
from otel_feedback.clickhouse.database import Database
from otel_feedback.clickhouse.migrate import Migrated, applied_version, migrate
from otel_feedback.errors import SchemaVersionError
from otel_feedback.settings import Settings

NEWEST: Final = statements.migrations()[-1][0]
SETTINGS: Final = Settings.load({})


@pytest.fixture(params=ENGINES)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Where a database may be made."""
    if request.param == "embedded":
        yield f"chdb://{tmp_path / 'clickhouse'}"
        return
    server = request.getfixturevalue("clickhouse_server")
    name = f"otel_feedback_test_{secrets.token_hex(6)}"
    yield server.url.rpartition("/")[0] + f"/{name}"
    server.execute(f"DROP DATABASE IF EXISTS {name}")


@pytest.fixture
def unmigrated(url: str) -> Iterator[Database]:
    database = connect(url)
    yield database
    database.close()


def versions(database: Database) -> list[int]:
    return [row["Version"] for row in database.query("SELECT Version FROM schema_migrations FINAL ORDER BY Version")]


def objects(database: Database) -> dict[str, str]:
    rows = database.query("SELECT name, create_table_query AS q FROM system.tables WHERE database = currentDatabase()")
    return {row["name"]: row["q"] for row in rows}


def test_migrations_are_numbered_without_gaps():
    numbers = [version for version, _ in statements.migrations()]
    assert numbers == list(range(1, len(numbers) + 1))


def test_every_migration_is_recorded_with_its_name(unmigrated: Database):
    assert migrate(unmigrated, SETTINGS) == Migrated(0, NEWEST)
    rows = unmigrated.query("SELECT Version, Name FROM schema_migrations FINAL ORDER BY Version")
    assert [(row["Version"], f"migrations/{row['Name']}") for row in rows] == list(statements.migrations())


def test_a_second_time_changes_nothing(unmigrated: Database):
    migrate(unmigrated, SETTINGS)
    before = objects(unmigrated)
    call = Call()
    store(unmigrated, call.request(), Submission(call).carrier())
    assert migrate(unmigrated, SETTINGS) == Migrated(NEWEST, NEWEST)
    assert objects(unmigrated) == before
    assert len(unmigrated.query("SELECT * FROM rated_llm_calls")) == 1


def test_a_migration_that_was_interrupted_is_completed(unmigrated: Database):
    migrate(unmigrated, SETTINGS)
    complete = objects(unmigrated)
    unmigrated.command("TRUNCATE TABLE schema_migrations")
    unmigrated.command("DROP VIEW users")
    unmigrated.command("INSERT INTO schema_migrations (Version, Name) SELECT 3, 'the third'")
    assert migrate(unmigrated, SETTINGS) == Migrated(3, NEWEST)
    assert objects(unmigrated) == complete


def test_two_at_once_make_one_schema(url: str, unmigrated: Database):
    other = connect(url)
    both_are_ready = Barrier(2)

    def migrate_one(database: Database) -> Migrated:
        both_are_ready.wait(30)
        return migrate(database, SETTINGS)

    try:
        with ThreadPoolExecutor(2) as threads:
            done = list(threads.map(migrate_one, (unmigrated, other)))
        assert [each.after for each in done] == [NEWEST, NEWEST]
        assert versions(other) == list(range(1, NEWEST + 1))
        call = Call()
        store(other, call.request(), Submission(call).carrier())
        (row,) = unmigrated.query("SELECT count() AS Events FROM rating_deliveries")
        assert row == {"Events": 1}, "each view is there once"
    finally:
        other.close()


def test_a_newer_schema_is_left_alone(unmigrated: Database):
    migrate(unmigrated, SETTINGS)
    unmigrated.command("INSERT INTO schema_migrations (Version, Name) SELECT 9999, 'from_the_future'")
    said = (
        rf"Schema is at 9999, this version of otel-feedback knows up to {NEWEST:04}\. Install the version that made it"
    )
    with pytest.raises(SchemaVersionError, match=said):
        migrate(unmigrated, SETTINGS)
    assert applied_version(unmigrated) == 9999


def test_a_setting_of_the_views_is_written_when_it_changes(unmigrated: Database):
    for text, stored in (("1d", "86400"), ("1d", "86400"), ("2m", "120")):
        migrate(unmigrated, Settings.load({"OTEL_FEEDBACK_UNMATCHED_AFTER": text}))
        rows = unmigrated.query("SELECT Value FROM service_settings FINAL WHERE Name = 'unmatched_after_seconds'")
        assert [row["Value"] for row in rows] == [stored]


@pytest.mark.parametrize("url", ENGINES[:1], indirect=True)
def test_schema_sql_is_what_the_migrations_make(unmigrated: Database):
    migrate(unmigrated, SETTINGS)
    text = schema_text(unmigrated)
    if os.environ.get(VARIABLE) == "1":
        FILE.write_text(text, encoding="utf-8")
    assert FILE.read_text(encoding="utf-8") == text, f"Write it anew: {HOW_TO_WRITE_IT}"


def test_the_command_says_from_which_version_to_which(url: str, tmp_path: Path):
    environment = {"OTEL_FEEDBACK_DATABASE_URL": url}
    first = otel_feedback(tmp_path / "data", "migrate", environment=environment)
    assert (first.returncode, first.stdout, first.stderr) == (0, f"The schema went from 0000 to {NEWEST:04}.\n", "")
    second = otel_feedback(tmp_path / "data", "migrate", environment=environment)
    assert (second.returncode, second.stdout, second.stderr) == (0, f"The schema is up to date ({NEWEST:04}).\n", "")
    newer = "INSERT INTO schema_migrations (Version, Name) SELECT 9999, 'from_the_future'"
    assert otel_feedback(tmp_path / "data", "sql", "--write", newer, environment=environment).returncode == 0
    third = otel_feedback(tmp_path / "data", "migrate", environment=environment)
    assert (third.returncode, third.stdout) == (1, "")
    assert third.stderr.startswith("otel-feedback migrate: Schema is at 9999, this version")
    assert third.stderr.count("\n") == 1


def test_a_dry_run_prints_the_sql_and_touches_nothing(tmp_path: Path):
    done = otel_feedback(tmp_path / "data", "migrate", "--dry-run")
    assert (done.returncode, done.stderr) == (0, "")
    assert [line for line in done.stdout.splitlines() if line.startswith("-- migrations/")] == [
        f"-- {name}" for _, name in statements.migrations()
    ]
    assert len(re.findall(r"^(CREATE|ALTER|DROP) ", done.stdout, re.MULTILINE)) == NEWEST + 2
    assert not (tmp_path / "data").exists()


def test_the_command_leaves_the_database_of_a_running_service_alone(tmp_path: Path):
    with running_service(tmp_path / "data") as service:
        done = otel_feedback(tmp_path / "data", "migrate")
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr == (
            f"otel-feedback migrate: The service (pid {service.pid}) has the embedded database, and migrated it when "
            "it started. Stop it to migrate by hand\n"
        )


def test_a_server_that_is_not_there_is_told_in_one_line(tmp_path: Path):
    environment = {"OTEL_FEEDBACK_DATABASE_URL": "clickhouse://default:@127.0.0.1:1/otel"}
    done = otel_feedback(tmp_path / "data", "migrate", environment=environment)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("otel-feedback migrate: ClickHouse can't be reached: ")
    assert done.stderr.count("\n") == 1


def test_a_view_that_a_newer_version_brings_is_filled_from_what_is_stored(unmigrated: Database):
    migrate(unmigrated, SETTINGS)
    calls = [Call(at=NOON + day * 86_400 * SECOND) for day in range(3)]
    for call in calls:
        store(unmigrated, call.request(), Submission(call, id=call.span_id.hex()).carrier())
        store(unmigrated, Submission(call, id=call.span_id.hex()).log())
    shown = ("SELECT * FROM rated_llm_calls ORDER BY ALL", "SELECT * FROM traces ORDER BY ALL")
    complete = [unmigrated.query(each) for each in shown]
    for view, table in (
        ("llm_call_spans_genai_mv", "llm_call_spans"),
        ("rating_deliveries_from_spans_mv", "rating_deliveries"),
        ("rating_deliveries_from_logs_mv", "rating_deliveries"),
        ("otel_traces_trace_id_ts_mv", "otel_traces_trace_id_ts"),
    ):
        unmigrated.command(f"DROP VIEW {view}")
        unmigrated.command(f"TRUNCATE TABLE {table}")
    unmigrated.command("TRUNCATE TABLE schema_migrations")
    migrate(unmigrated, SETTINGS)
    assert [unmigrated.query(each) for each in shown] == complete
