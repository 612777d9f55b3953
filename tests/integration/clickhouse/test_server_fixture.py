"""The server that the storage tests run on keeps what it promises, so that a failing storage test means storage."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from tests.support.clickhouse_server import (
    VARIABLE,
    OwnClickHouse,
    ServerEndedError,
    own_clickhouse,
    running_clickhouse,
)
from tests.support.service import wait_until

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnClickHouse]:
    with own_clickhouse(tmp_path_factory.mktemp("server")) as running:
        yield running


def has_gone(pid: int) -> bool | None:
    """Whether the process has ended; None while it runs, as wait_until wants it."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE or None
    except psutil.NoSuchProcess:
        return True


def test_it_answers_in_sql_and_its_url_is_one_of_our_settings(server: OwnClickHouse):
    assert int(server.execute("SELECT version()").partition(".")[0]) >= 25
    assert server.url == f"clickhouse://default:@127.0.0.1:{server.http_port}/otel"


def test_what_was_written_survives_a_kill_and_a_start(tmp_path: Path):
    with own_clickhouse(tmp_path) as server:
        server.execute("CREATE DATABASE otel")
        server.execute("CREATE TABLE otel.numbers (number UInt64) ENGINE = MergeTree ORDER BY number")
        server.execute("INSERT INTO otel.numbers SELECT number FROM numbers(1000)")
        killed = server.pid
        server.kill()
        assert has_gone(killed)
        server.start()
        assert server.execute("SELECT count(), sum(number) FROM otel.numbers") == "1000\t499500"


def test_no_process_is_left_at_the_end(tmp_path: Path):
    before = set(psutil.Process().children(recursive=True))
    with own_clickhouse(tmp_path) as server:
        started = set(psutil.Process().children(recursive=True)) - before
        assert server.pid in {each.pid for each in started}
    assert all(has_gone(each.pid) for each in started)


def test_it_dies_with_whoever_started_it(tmp_path: Path):
    code = f"""
import pathlib, sys
from tests.support.clickhouse_server import own_clickhouse
with own_clickhouse(pathlib.Path({str(tmp_path)!r})) as server:
    print(server.pid, flush=True)
    sys.stdin.read()
"""
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as starter:
        assert starter.stdout is not None
        pid = int(starter.stdout.readline())
        assert not has_gone(pid)
        starter.send_signal(signal.SIGKILL)
    wait_until(lambda: has_gone(pid), 10, "the server did not end")


def test_a_server_that_ends_early_says_why(tmp_path: Path):
    with own_clickhouse(tmp_path):
        second = OwnClickHouse(tmp_path)
        with pytest.raises(ServerEndedError, match="Cannot lock file"):
            second.start()


def test_the_one_that_the_environment_names_lends_a_database(
    server: OwnClickHouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv(VARIABLE, f"clickhouse://default:@127.0.0.1:{server.http_port}")
    with running_clickhouse(tmp_path) as lent:
        database = lent.url.rpartition("/")[2]
        assert database in server.execute("SHOW DATABASES").split()
    assert database not in server.execute("SHOW DATABASES").split()
    assert not list(tmp_path.iterdir())


def test_a_clickhouse_on_the_path_is_preferred(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    program = tmp_path / "clickhouse"
    program.write_text('#!/bin/sh\necho "$0 $*"; exit 3\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    said = f"ended with 3:\n{program} server --config-file={tmp_path / 'config.xml'}"
    with pytest.raises(ServerEndedError, match=said), own_clickhouse(tmp_path):
        pass


@pytest.mark.parametrize(("required", "outcome"), [("", pytest.skip.Exception), ("1", pytest.fail.Exception)])
def test_without_any_the_test_is_skipped_unless_all_are_required(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, required: str, outcome: type[BaseException]
):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("OTEL_FEEDBACK_REQUIRE_ALL", required)
    with pytest.raises(outcome, match=f"clickhouse on PATH .*{VARIABLE}=clickhouse://"):
        OwnClickHouse(tmp_path)
