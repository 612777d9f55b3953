"""``otel-feedback sql``: one question in a shell, whoever has the database just then."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from subprocess import CompletedProcess
from typing import Final

import pytest
from tests.support.asking import WAYS, Command, asked_database, send_what_is_asked_for
from tests.support.commands import otel_feedback
from tests.support.service import running_service

JOINED: Final = "SELECT Label, Duration, InputTokens, Prompt FROM rated_llm_calls"
ANSWER: Final = {"Label": "positive", "Duration": "1000000000", "InputTokens": "10", "Prompt": "Capital of France?"}


@pytest.fixture(scope="module", params=WAYS)
def sql(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Command]:
    """The command, over a database that holds one rated call."""
    with asked_database(request.param, tmp_path_factory.mktemp("sql")) as command:
        yield partial(command, "sql")


def answer_of(done: CompletedProcess[str]) -> str:
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def refusal_of(done: CompletedProcess[str], exit_code: int = 1) -> str:
    """What the command said on standard error, without its name."""
    assert (done.returncode, done.stdout) == (exit_code, "")
    name, _, said = done.stderr.partition(": ")
    assert name == "otel-feedback sql"
    assert "Traceback" not in said
    return said


def test_a_rated_call_is_one_row(sql: Command):
    row = json.loads(answer_of(sql(JOINED, "--format", "JSONEachRow")))
    assert {key: str(value) for key, value in row.items()} == ANSWER


def test_without_a_format_it_is_a_table_for_people(sql: Command):
    table = answer_of(sql(f"{JOINED};"))
    assert "Capital of France?" in table
    assert "┌─Label" in table


@pytest.mark.parametrize(
    ("format_name", "text"),
    [
        ("CSVWithNames", '"one","text"\n1,"a,b"\n'),
        ("TSV", "1\ta,b\n"),
        ("JSONEachRow", '{"one":1,"text":"a,b"}\n'),
        ("Vertical", "Row 1:\n──────\none:  1\ntext: a,b\n"),
    ],
)
def test_any_format_of_clickhouses_can_be_asked_for(sql: Command, format_name: str, text: str):
    assert answer_of(sql("SELECT 1 AS one, 'a,b' AS text", "--format", format_name)) == text


def test_a_format_in_the_statement_wins(sql: Command):
    assert answer_of(sql("SELECT 1 AS one FORMAT CSV")) == "1\n"
    assert answer_of(sql("SELECT 1 AS one\nformat JSONEachRow ;\n", "--format", "CSV")) == '{"one":1}\n'


@pytest.mark.parametrize(
    "statement", ["SELECT 1", "SELECT 1;", " SELECT 1 ; \n", "SELECT 1 -- all\n", "/* one */ SELECT 1", "(SELECT 1)"]
)
def test_semicolons_and_comments_are_fine(sql: Command, statement: str):
    assert answer_of(sql(statement, "--format", "CSV")) == "1\n"


def test_a_dash_reads_the_statement_from_standard_input(sql: Command):
    assert answer_of(sql("-", "--format", "CSV", stdin="SELECT\n  'é ''\\\\'\n;\n")) == '"é \'\\"\n'


def test_parameters_fill_their_places_and_are_never_sql(sql: Command):
    hostile = "x' OR 1=1; DROP TABLE otel_traces --\n\t\\ é"
    query = (
        "SELECT {text:String} = concat('x\\' OR 1=1; DROP TABLE otel_traces --\\n\\t\\\\ ', 'é'), {number:UInt8} + 1"
    )
    answer = sql(query, "--param", f"text={hostile}", "--param", "number=41", "--format", "CSV")
    assert answer_of(answer) == "1,42\n"


@pytest.mark.parametrize("statement", ["SHOW TABLES LIKE 'feedback'", "EXISTS TABLE feedback", "DESCRIBE users"])
def test_statements_that_ask_otherwise_are_answered(sql: Command, statement: str):
    assert answer_of(sql(statement, "--format", "CSV"))


def test_an_answer_of_no_rows_is_empty(sql: Command):
    assert answer_of(sql(f"{JOINED} WHERE Label = 'negative'", "--format", "CSV")) == ""


def test_a_long_answer_comes_whole(sql: Command):
    answer = answer_of(sql("SELECT number FROM numbers(300000)", "--format", "CSV"))
    assert answer.splitlines()[-1] == "299999"
    assert answer.count("\n") == 300_000


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("SELECT nothing FROM feedback", "nothing"),
        ("SELECT * FROM nowhere", "nowhere"),
        ("SELEKT 1", "Syntax error"),
        ("SELECT {missing:String}", "missing"),
        ("SELECT throwIf(1, 'on purpose')", "on purpose"),
    ],
)
def test_a_mistake_is_told_by_clickhouse(sql: Command, statement: str, said: str):
    assert said in refusal_of(sql(statement))


def test_without_write_nothing_can_be_changed(sql: Command):
    for statement in (
        "INSERT INTO schema_migrations (Version, Name) SELECT 99, 'x'",
        "CREATE TABLE mine (a UInt8) ENGINE = Memory",
        "DROP TABLE otel_traces",
        "TRUNCATE TABLE otel_traces",
        "ALTER TABLE otel_traces DELETE WHERE 1",
        "OPTIMIZE TABLE otel_traces",
        "SYSTEM STOP MERGES otel_traces",
        "SYSTEM DROP MARK CACHE",
        "KILL QUERY WHERE 1",
        "SET readonly = 0",
        "BACKUP DATABASE otel TO Disk('x', 'y')",
        "CREATE USER someone",
    ):
        said = refusal_of(sql(statement))
        assert ("readonly" in said.lower() and "Without --write" in said) or "Not enough privileges" in said, statement
    assert answer_of(sql("SELECT count() FROM otel_traces", "--format", "CSV")) == "2\n"


@pytest.mark.parametrize("settings", ["readonly = 0", "readonly = 2", "max_memory_usage = 0"])
def test_a_statement_can_not_lift_its_own_limits(sql: Command, settings: str):
    assert "readonly" in refusal_of(sql(f"SELECT 1 SETTINGS {settings}")).lower()


@pytest.mark.parametrize(
    "source",
    [
        "file('/etc/passwd', 'LineAsString', 'line String')",
        "url('http://127.0.0.1:1/', 'LineAsString', 'line String')",
        "s3('http://127.0.0.1:1/bucket/key', 'LineAsString', 'line String')",
        "remote('127.0.0.1:1', 'system.one')",
        "executable('x', 'LineAsString', 'line String')",
    ],
)
def test_nothing_but_tables_can_be_read(sql: Command, source: str):
    assert "readonly" in refusal_of(sql(f"SELECT * FROM {source}")).lower()  # noqa: S608  # the sources above


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT file('/etc/passwd')",
        "SELECT `file` /* hidden */ ('/etc/passwd')",
        "SELECT 1 UNION ALL SELECT length(file('/etc/passwd'))",
        "SELECT 1 INTO OUTFILE '/tmp/of-readers'",
        "SELECT 1 INTO /* hidden */ outfile '/tmp/of-readers' FORMAT CSV",
    ],
)
def test_a_reader_reaches_no_file_of_the_services(sql: Command, statement: str):
    assert "readonly" in refusal_of(sql(statement)).lower()


def test_words_of_refused_statements_are_fine_in_texts_and_names(sql: Command):
    statement = (
        "SELECT 'INTO OUTFILE file(''x'') \\\\' AS file, profile.file, 'file(' FROM (SELECT 1 AS file) AS profile"
    )
    assert answer_of(sql(statement, "--format", "CSV"))


def test_with_write_data_can_be_changed(sql: Command):
    try:
        assert answer_of(sql("--write", "CREATE TABLE mine (a UInt8) ENGINE = MergeTree ORDER BY a")) == ""
        assert answer_of(sql("--write", "INSERT INTO mine VALUES (1), (2)")) == ""
        assert answer_of(sql("--write", "INSERT INTO mine SELECT {n:UInt8};", "--param", "n=3")) == ""
        assert answer_of(sql("--write", "SELECT sum(a) FROM mine", "--format", "CSV")) == "6\n"
    finally:
        assert answer_of(sql("--write", "DROP TABLE IF EXISTS mine SYNC")) == ""


@pytest.mark.parametrize("parameter", ["novalue", "=1", "1a=1", "a b=1"])
def test_a_parameter_that_can_not_be_read_is_told(sql: Command, parameter: str):
    said = refusal_of(sql("SELECT 1", "--param", parameter), 2)
    assert said == f"--param {parameter!r} can't be read; write --param name=value\n"


def test_no_statement_is_told(sql: Command):
    assert refusal_of(sql("-", stdin=" \n"), 2).startswith("there is no statement. Example: otel-feedback sql ")


def test_a_format_that_is_none_is_told(sql: Command):
    assert "NoSuch" in refusal_of(sql("SELECT 1", "--format", "NoSuch"))
    assert refusal_of(sql("SELECT 1", "--format", "CSV SETTINGS readonly=0"))


def test_without_a_database_it_says_how_to_get_one(tmp_path: Path):
    done = otel_feedback(tmp_path / "data", "sql", "SELECT 1")
    assert refusal_of(done) == (
        f"There is no database at {tmp_path / 'data' / 'clickhouse'}. Start `otel-feedback serve` (or `make demo`) "
        "first, run this in the directory where it was started, or set OTEL_FEEDBACK_DATA_DIR\n"
    )
    assert not (tmp_path / "data").exists()


def test_what_a_killed_service_stored_can_be_asked_for(tmp_path: Path):
    data_dir = tmp_path / "data"
    with running_service(data_dir) as service:
        send_what_is_asked_for(service)
        service.kill()
        done = otel_feedback(data_dir, "sql", JOINED, "--format", "JSONEachRow")
        assert {key: str(value) for key, value in json.loads(answer_of(done)).items()} == ANSWER
        service.start()
        again = otel_feedback(data_dir, "sql", "SELECT count() FROM feedback", "--format", "CSV")
        assert answer_of(again) == "1\n"


def test_a_server_that_is_not_there_is_told_in_one_line(tmp_path: Path):
    environment = {"OTEL_FEEDBACK_DATABASE_URL": "clickhouse://default:@127.0.0.1:1/otel"}
    said = refusal_of(otel_feedback(tmp_path / "data", "sql", "SELECT 1", environment=environment))
    assert said.startswith("ClickHouse can't be reached: ")
    assert said.count("\n") == 1
