"""``otel-feedback erase`` as people run it: whoever has the database, with what waits outside of it."""

from __future__ import annotations

import hashlib
import json
import os
import pty
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any, Final

import httpx
import pytest
from tests.support.asking import CALL, WAYS, Command, asked_database, send_what_is_asked_for
from tests.support.commands import otel_feedback
from tests.support.otlp import SECOND, trace_request
from tests.support.ratings import Call, Submission, only_span
from tests.support.segments import segment_bytes
from tests.support.service import RunningService, running_service, service_environment, wait_until

from otel_feedback.sdk import configuration
from otel_feedback.sdk.pseudonyms import pseudonym

PROTOBUF: Final = {"Content-Type": "application/x-protobuf"}
SETTINGS: Final = {"OTEL_FEEDBACK_RETENTION": "30d", "OTEL_FEEDBACK_PSEUDONYM_KEY": "secret"}
OLD: Final = "INSERT INTO otel_traces (Timestamp, TraceId, SpanId) SELECT now64(9) - toIntervalDay(40), 'old', '1'"


@pytest.fixture(params=[way for way in WAYS if way != "a cluster"])
def command(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Command]:
    """The command line, over a database that holds one rated call, of the user u, rated by rater-1."""
    with asked_database(request.param, tmp_path, SETTINGS) as ask:
        yield ask


def rows_of(command: Command, table: str) -> int:
    done = command("sql", f"SELECT count() FROM {table}", "--format", "CSV")  # noqa: S608  # tables of ours
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


def receipt_of(done: CompletedProcess[str]) -> dict[str, Any]:
    assert (done.returncode, done.stderr) == (0, "")
    receipt: dict[str, Any] = json.loads(done.stdout)
    return receipt


def test_a_person_is_counted_erased_and_then_not_found(command: Command):
    erase = partial(command, "erase", "--user", "u", "--format", "json")
    counted = receipt_of(erase("--dry-run"))
    assert rows_of(command, "otel_traces") == 2
    receipt = receipt_of(erase("--yes"))
    went = {each["table"]: each["removed"] for each in receipt["tables"]}
    assert went == {
        "insight_findings": 0,
        "llm_call_messages": 0,
        "llm_call_spans": 1,
        "otel_logs": 1,
        "otel_traces": 2,
        "otel_traces_trace_id_ts": went["otel_traces_trace_id_ts"],  # parts may have been merged
        "rating_deliveries": went["rating_deliveries"],
    }
    assert receipt["tables"] == counted["tables"]
    assert (receipt["total"], receipt["old_parts_on_disk"]) == (sum(went.values()), 0)
    assert (receipt["dry_run"], counted["dry_run"]) == (False, True)
    assert receipt["users"] == [f"sha256:{hashlib.sha256(b'u').hexdigest()}"]
    for table in went:
        assert rows_of(command, table) == 0
    assert receipt_of(erase("--yes"))["total"] == 0


def test_a_rater_is_erased_and_what_was_rated_stays(command: Command):
    done = command("erase", "--user", "rater-1", "--yes")
    assert (done.returncode, done.stderr) == (0, "")
    lines = {line.split()[0]: line.split()[1:] for line in done.stdout.splitlines() if line}
    assert lines["otel_traces"] == ["1", "0"]
    assert lines["otel_logs"] == ["1", "0"]
    assert lines["rating_deliveries"] in (["1", "0"], ["2", "0"])
    assert "removed a person" in done.stdout
    assert "It has left the database's disk, too." in done.stdout
    assert "rater-1" not in done.stdout
    assert rows_of(command, "llm_calls") == 1
    assert rows_of(command, "feedback_events") == 0


def test_what_has_expired_goes_by_one_command(command: Command):
    assert command("sql", "--write", OLD).returncode == 0
    counted = receipt_of(command("erase", "--expired", "--dry-run", "--format", "json"))
    receipt = receipt_of(command("erase", "--expired", "--format", "json"))
    assert receipt["what"] == "expired"
    assert counted["tables"] == receipt["tables"]
    assert {each["table"]: each["removed"] for each in receipt["tables"] if each["removed"]} == {
        "otel_traces": 1,
        "otel_traces_trace_id_ts": 1,
    }
    assert rows_of(command, "rated_llm_calls") == 1
    assert command("erase", "--expired").stdout.splitlines()[-1].split() == ["total", "0"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--user", "u"], "confirm it with --yes"),
        (["--user", "", "--yes"], "--user needs an id"),
        ([], "one of the arguments --user --expired is required"),
        (["--user", "u", "--expired"], "not allowed with argument"),
    ],
)
def test_what_can_not_be_meant_is_told(tmp_path: Path, arguments: list[str], said: str):
    done = otel_feedback(tmp_path / "data", "erase", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert not (tmp_path / "data").exists()


def test_without_a_database_it_says_so(tmp_path: Path):
    done = otel_feedback(tmp_path / "data", "erase", "--user", "u", "--yes")
    assert done.returncode == 1
    assert "There is no database at" in done.stderr


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    with running_service(tmp_path_factory.mktemp("erase") / "data") as service:
        yield service


def send(service: RunningService, request: Any, path: str = "traces") -> None:
    answer = httpx.post(f"{service.http}/v1/{path}", content=request.SerializeToString(), headers=PROTOBUF)
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(("answer", "left"), [("n", 1), ("y", 0)])
def test_on_a_terminal_it_asks(service: RunningService, answer: str, left: int):
    send(service, Call(user="asked", at=time.time_ns()).request())
    service.wait_for_rows("SELECT 1 FROM llm_calls WHERE UserId = 'asked'")
    terminal, its_end = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "otel_feedback.cli", "erase", "--user", "asked"],
        env=service_environment(service.data_dir),
        stdin=its_end,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        os.write(terminal, f"{answer}\n".encode())
        said, complaint = process.communicate(timeout=120)
    os.close(terminal)
    os.close(its_end)
    assert said.startswith("Remove 3 row(s) and 0 record(s) in rejected/ for good? [y/N] ")
    assert (process.returncode, complaint) == (1 if left else 0, "")
    assert len(service.sql("SELECT 1 FROM llm_calls WHERE UserId = 'asked'")) == left
    otel_feedback(service.data_dir, "erase", "--user", "asked", "--yes")


def test_what_was_just_acknowledged_is_waited_for(service: RunningService):
    for _ in range(5):
        send(service, Call(user="soon", at=time.time_ns()).request())
    receipt = receipt_of(otel_feedback(service.data_dir, "erase", "--user", "soon", "--yes", "--format", "json"))
    assert {each["table"]: each["removed"] for each in receipt["tables"]}["otel_traces"] == 5
    time.sleep(3)
    assert service.sql("SELECT 1 FROM otel_traces WHERE SpanAttributes['user.id'] = 'soon'") == []


@pytest.mark.parametrize("token", ["", "wrong"])
def test_only_who_has_the_token_may_erase(service: RunningService, token: str):
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    answer = httpx.post(f"{service.dashboard}/api/erase", json={"users": ["u"]}, headers=headers)
    assert answer.status_code == 401


@pytest.mark.parametrize(
    "body", ["{", "[]", "{}", '{"users": "u"}', '{"users": [""]}', '{"users": ["u"], "dry_run": 1}', '{"user": ["u"]}']
)
def test_a_request_that_can_not_be_meant_is_refused(service: RunningService, body: str):
    headers = {"Authorization": f"Bearer {service.api_token}"}
    answer = httpx.post(f"{service.dashboard}/api/erase", content=body, headers=headers)
    assert answer.status_code == 400
    assert set(answer.json()["error"]) == {"code", "message"}


def test_while_something_waits_in_the_queue_nothing_is_claimed(tmp_path: Path):
    data_dir = tmp_path / "data"
    with running_service(data_dir) as service:
        send_what_is_asked_for(service)
    waiting = data_dir / "queue" / "traces" / "1790000000000000000-0a0a0a0a.segment"
    waiting.write_bytes(segment_bytes([Call(user="u").request().SerializeToString()]))
    done = otel_feedback(data_dir, "erase", "--user", "u", "--yes")
    assert (done.returncode, done.stdout) == (1, "")
    assert "1 file(s) in" in done.stderr
    assert "otel-feedback serve" in done.stderr
    counted = otel_feedback(data_dir, "sql", "SELECT count() FROM otel_traces", "--format", "CSV")
    assert counted.stdout == "2\n", "nothing was removed"
    with running_service(data_dir) as service:
        erased = receipt_of(otel_feedback(data_dir, "erase", "--user", "u", "--yes", "--format", "json"))
        (traces,) = [each for each in erased["tables"] if each["table"] == "otel_traces"]
        assert traces["removed"] == 3
        assert not waiting.exists()


def test_their_records_leave_rejected_and_others_stay_to_be_put_back(tmp_path: Path):
    data_dir = tmp_path / "data"
    with running_service(data_dir) as service:
        send_what_is_asked_for(service)
        write(service, "ALTER TABLE otel_traces ADD CONSTRAINT none CHECK SpanAttributes['test.key'] != 'poison'")
        theirs = {"test.key": "poison", "user.id": "u"}
        nameless, others = {"test.key": "poison"}, {"test.key": "poison", "user.id": "carl"}
        request = trace_request(theirs, nameless, others)
        spans = request.resource_spans[0].scope_spans[0].spans
        spans[1].trace_id = CALL.trace_id  # of their trace, as the database knows
        Submission(id="x", rater="u", at=CALL.at + SECOND).add_event(spans[2])
        send(service, request)
        send(service, only_theirs := trace_request(theirs))
        assert only_span(only_theirs).trace_id
        wait_until(lambda: len(rejected(data_dir)) == 2 or None, 60, "they were not rejected")
        receipt = receipt_of(otel_feedback(data_dir, "erase", "--user", "u", "--yes", "--format", "json"))
        assert receipt["rejected"] == {"records": 4, "unreadable": []}
        (kept,) = rejected(data_dir)
        assert "was removed when a person in it was erased" in kept["reason"]
        write(service, "ALTER TABLE otel_traces DROP CONSTRAINT none")
        assert otel_feedback(data_dir, "doctor", "rejected", "replay", "--all").returncode == 0
        (back,) = service.wait_for_rows(
            "SELECT SpanAttributes['user.id'] AS User, length(Events.Name) AS Events FROM otel_traces"
        )
        assert (back["User"], int(back["Events"])) == ("carl", 0)


def test_a_damaged_file_that_shows_the_person_is_told(tmp_path: Path):
    data_dir = tmp_path / "data"
    with running_service(data_dir) as service:
        send_what_is_asked_for(service)
    folder = data_dir / "rejected" / "traces"
    folder.mkdir(parents=True, exist_ok=True)
    content = segment_bytes([Call(user="user-bergamot").request().SerializeToString()])
    (folder / "damaged.segment").write_bytes(content[:-9])
    done = otel_feedback(data_dir, "erase", "--user", "user-bergamot", "--yes")
    assert (done.returncode, done.stderr) == (1, "")
    assert "rejected/traces/damaged.segment is damaged and shows this person" in done.stdout


def rejected(data_dir: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(otel_feedback(data_dir, "doctor", "rejected", "--format", "json").stdout)
    return found


def write(service: RunningService, statement: str) -> None:
    done = otel_feedback(service.data_dir, "sql", "--write", statement)
    assert done.returncode == 0, done.stderr


def test_the_service_sweeps_by_itself(service: RunningService):
    data_dir = service.data_dir.with_name("sweeping")
    with running_service(data_dir) as first:
        write(first, OLD)
    command = [sys.executable, "-m", "tests.support.sweeping_service"]
    sweeping = RunningService(data_dir, {"OTEL_FEEDBACK_RETENTION": "1d"}, command=command)
    try:
        sweeping.start()
        wait_until(
            lambda: sweeping.metric("otel_feedback_last_sweep_timestamp_seconds") or None, 60, "it does not sweep"
        )
        assert sweeping.metric("otel_feedback_rows_expired_total", table="otel_traces") == 1
        assert sweeping.metric("otel_feedback_sweep_failures_total") == 0
        assert sweeping.sql("SELECT 1 FROM otel_traces") == []
        assert (
            "deleted what has expired: 1 of otel_traces_trace_id_ts, 1 of otel_traces row(s)"
            in sweeping.log.read_text()
        )
    finally:
        sweeping.stop()


def test_what_is_stored_under_a_persons_pseudonym_goes_with_their_id(command: Command, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OTEL_FEEDBACK_PSEUDONYM_KEY", SETTINGS["OTEL_FEEDBACK_PSEUDONYM_KEY"])
    configuration.forget()
    stored = pseudonym("ann")
    configuration.forget()
    insert = (
        "INSERT INTO otel_traces (Timestamp, TraceId, SpanId, SpanAttributes) "
        f"SELECT now64(9), 'hers', '1', map('user.id', '{stored}')"
    )
    assert command("sql", insert, "--write").returncode == 0
    before = rows_of(command, "otel_traces")
    receipt = receipt_of(command("erase", "--user", "ann", "--yes", "--format", "json"))
    assert receipt["users"] == [f"sha256:{hashlib.sha256(b'ann').hexdigest()}"]
    assert rows_of(command, "otel_traces") == before - 1


def test_a_cluster_is_swept_and_a_person_there_is_told_to_be_erased_by_hand(tmp_path: Path):
    with asked_database("a cluster", tmp_path, SETTINGS) as command:
        insert = OLD.replace("otel_traces", "otel.otel_traces")
        assert command("sql", insert, "--write").returncode == 0
        receipt = receipt_of(command("erase", "--expired", "--format", "json"))
        assert {each["table"]: each["removed"] for each in receipt["tables"]}["otel_traces"] == 1
        done = command("erase", "--user", "u", "--yes")
        assert done.returncode == 1
        assert "docs/cluster.md" in done.stderr
