"""deploy/clickhouse/roles.sql: each user can do its work, and nothing of the others'."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from tests.support.clickhouse_roles import STATEMENTS, Users, server_with_roles
from tests.support.clickhouse_server import ClickHouseServer
from tests.support.collector_config import configured_collector
from tests.support.commands import otel_feedback
from tests.support.rated_app import SPANS, Plan, run_app
from tests.support.service import running_service, start_in_vain, wait_until

ACCESS_DENIED = "ACCESS_DENIED"


@pytest.fixture(scope="module")
def users(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Users]:
    """A server that the migrator has migrated."""
    server, users = server_with_roles(tmp_path_factory.mktemp("roles"))
    try:
        server.start()
        done = otel_feedback(Path("unused"), "migrate", environment={"OTEL_FEEDBACK_DATABASE_URL": users.migrator})
        assert (done.returncode, done.stderr) == (0, "")
        yield users
    finally:
        server.stop()


def refusal(url: str, statement: str) -> str:
    server = ClickHouseServer(url)
    answer = httpx.post(server.http_url, content=statement, headers=server.user, timeout=60)
    return "" if answer.status_code == 200 else answer.text


def test_every_statement_is_one_of_clickhouse(users: Users):
    server = ClickHouseServer(users.migrator)
    for statement in STATEMENTS:
        assert server.execute(f"EXPLAIN AST {statement}"), statement


def test_the_service_stores_sweeps_and_is_asked_as_the_writer(users: Users, tmp_path: Path):
    settings = {"OTEL_FEEDBACK_DATABASE_URL": users.writer, "OTEL_FEEDBACK_RETENTION": "3d"}
    with running_service(tmp_path / "data", settings) as service:
        old = run_app(service.http, Plan(answers=4, rated=(0,), days_ago=5))
        run_app(service.http, Plan(answers=2))
        service.wait_for_rows("SELECT 1 FROM otel_traces", 6 * SPANS + 1)
        service.wait_for_rows("SELECT 1 FROM rated_llm_calls")
        done = otel_feedback(tmp_path / "data", "erase", "--expired", environment=settings)
        assert (done.returncode, done.stderr) == (0, "")
        left = {row["TraceId"] for row in service.sql("SELECT DISTINCT TraceId FROM otel_traces")}
        assert len(left) == 3
        assert {each.trace_id for each in old} & left == {old[0].trace_id}
        assert httpx.get(service.dashboard).status_code == 200


def test_the_collectors_exporter_writes_as_the_writer(users: Users, tmp_path: Path):
    server = ClickHouseServer(users.reader)
    port = server.execute("SELECT getServerPort('tcp_port')")
    environment = {
        "CLICKHOUSE_ENDPOINT": f"tcp://127.0.0.1:{port}",
        "CLICKHOUSE_USER": users.writer_name,
        "CLICKHOUSE_PASSWORD": users.writer_password,
    }
    with configured_collector("clickhouse-direct.yaml", tmp_path, environment) as collector:
        (answer,) = run_app(collector.http, Plan(answers=1, rated=(0,)))
        query = f"SELECT count() FROM otel.rated_llm_calls WHERE TraceId = '{answer.trace_id}'"  # noqa: S608  # an id of ours
        wait_until(lambda: server.execute(query) == "1" or None, 30, "the rating is missing")


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TABLE otel.otel_logs",
        "TRUNCATE TABLE otel.otel_traces",
        "ALTER TABLE otel.otel_traces ADD COLUMN x Int8",
        "ALTER TABLE otel.otel_traces UPDATE SpanName = '' WHERE 1",
        "CREATE TABLE otel.another (x Int8) ORDER BY x",
        "CREATE DATABASE another",
        "INSERT INTO otel.schema_migrations (Version, Name) VALUES (9999, '')",
        "INSERT INTO otel.rating_deliveries (TargetTraceId) VALUES ('')",
        "SELECT * FROM system.users",
        "CREATE USER another",
        "SELECT * FROM url('http://127.0.0.1:1/', 'CSV', 'x String')",
        "SELECT * FROM file('/etc/passwd', 'LineAsString', 'x String')",
    ],
)
def test_the_writer_can_do_nothing_else(users: Users, statement: str):
    assert ACCESS_DENIED in refusal(users.writer, statement)


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO otel.otel_traces (TraceId) VALUES ('')",
        "ALTER TABLE otel.otel_traces DELETE WHERE 1",
        "DELETE FROM otel.rating_deliveries WHERE 1",
        "DROP DATABASE otel",
        "CREATE VIEW otel.another AS SELECT 1",
        "BACKUP DATABASE otel TO File('stolen')",
        "SELECT * FROM system.parts",
    ],
)
def test_the_reader_can_write_nothing(users: Users, statement: str):
    assert ACCESS_DENIED in refusal(users.reader, statement)


def test_the_reader_asks_with_our_commands(users: Users, tmp_path: Path):
    settings = {"OTEL_FEEDBACK_DATABASE_URL": users.reader}
    for arguments in (("sql", "SELECT count() FROM rated_llm_calls"), ("report", "satisfaction_by_model")):
        done = otel_feedback(tmp_path / "data", *arguments, environment=settings)
        assert (done.returncode, done.stderr) == (0, ""), arguments
    done = otel_feedback(tmp_path / "data", "sql", "--write", "TRUNCATE TABLE otel_logs", environment=settings)
    assert done.returncode == 1
    assert ACCESS_DENIED in done.stderr


def test_pages_and_commands_ask_as_the_reader_where_there_is_one(users: Users, tmp_path: Path):
    settings = {"OTEL_FEEDBACK_DATABASE_URL": users.writer, "OTEL_FEEDBACK_READER_DATABASE_URL": users.reader}
    who = "SELECT currentUser() AS who"
    with running_service(tmp_path / "data", settings) as service:
        run_app(service.http, Plan(answers=1, rated=(0,)))
        service.wait_for_rows("SELECT 1 FROM rated_llm_calls")
        assert service.sql(who) == [{"who": "otel_reader_user"}]
        for page in ("/", "/feedback", "/users", "/sessions", "/insights", "/feedback.csv"):
            assert httpx.get(f"{service.dashboard}{page}").status_code == 200, page
        headers = {"Authorization": f"Bearer {service.api_token}"}
        written = httpx.post(f"{service.dashboard}/api/sql", json={"query": who, "write": True}, headers=headers)
        assert written.json() == {"who": "otel_writer_user"}
        for arguments in (("sql", who), ("sql", "--write", who), ("report", "satisfaction_by_model"), ("doctor",)):
            done = otel_feedback(tmp_path / "data", *arguments, environment=settings)
            assert (done.returncode, done.stderr) == (0, ""), (arguments, done.stdout)
            if arguments[-1] == who:
                assert ("otel_writer_user" if "--write" in arguments else "otel_reader_user") in done.stdout


def test_pages_need_the_reader_and_ingest_does_not(users: Users, tmp_path: Path):
    """So no page is ever asked for with the rights of the writer."""
    wrong = users.reader.replace("change-me-reader", "wrong-password")
    settings = {"OTEL_FEEDBACK_DATABASE_URL": users.writer, "OTEL_FEEDBACK_READER_DATABASE_URL": wrong}
    with running_service(tmp_path / "data", settings) as service:
        (answer,) = run_app(service.http, Plan(answers=1))
        server = ClickHouseServer(users.reader)
        query = f"SELECT count() FROM otel.otel_traces WHERE TraceId = '{answer.trace_id}'"  # noqa: S608  # an id of ours
        wait_until(lambda: server.execute(query) != "0" or None, 30, "it was not stored")
        page = httpx.get(f"{service.dashboard}/users")
        assert page.status_code in {500, 503}
        assert "wrong-password" not in page.text + service.log.read_text()


@pytest.mark.parametrize(
    ("writer", "reader", "said"),
    [
        ("chdb:///tmp/a", "clickhouse://r@db/otel", "the embedded has no users"),
        ("clickhouse://w@db/otel", "clickhouse://r@db/other", "must be the same"),
        ("clickhouse://w@db/otel", "r@db", "OTEL_FEEDBACK_READER_DATABASE_URL='r@db' can't be read"),
    ],
)
def test_a_reader_that_makes_no_sense_is_refused(tmp_path: Path, writer: str, reader: str, said: str):
    settings = {"OTEL_FEEDBACK_DATABASE_URL": writer, "OTEL_FEEDBACK_READER_DATABASE_URL": reader}
    done = otel_feedback(tmp_path / "data", "sql", "SELECT 1", environment=settings)
    assert done.returncode == 1
    assert said in done.stderr


def test_the_migrator_erases_a_person(users: Users, tmp_path: Path):
    with running_service(tmp_path / "data", {"OTEL_FEEDBACK_DATABASE_URL": users.writer}) as service:
        run_app(service.http, Plan(answers=1, rated=(0,)))
        service.wait_for_rows("SELECT 1 FROM rated_llm_calls WHERE RaterId = 'user-0'")
        settings = {"OTEL_FEEDBACK_DATABASE_URL": users.migrator}
        done = otel_feedback(tmp_path / "data", "erase", "--user", "user-0", "--yes", environment=settings)
        assert (done.returncode, done.stderr) == (0, "")
        assert service.sql("SELECT 1 FROM otel_traces WHERE SpanAttributes['enduser.pseudo.id'] = 'user-0'") == []


def test_a_writer_without_the_schema_is_told_who_makes_it(tmp_path: Path):
    server, users = server_with_roles(tmp_path)
    try:
        server.start()
        code, said = start_in_vain(tmp_path / "data", {"OTEL_FEEDBACK_DATABASE_URL": users.writer})
    finally:
        server.stop()
    assert code == 1
    assert "This user may not bring the schema to" in said
    assert "otel-feedback migrate" in said
