"""SIGKILL ``otel-feedback erase`` at any moment: the next run completes it, and the table settings are as before."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Final

from tests.support.commands import otel_feedback
from tests.support.kept import everything
from tests.support.otlp import NOON, SECOND
from tests.support.ratings import Call, Submission
from tests.support.segments import store
from tests.support.service import service_environment

from otel_feedback.clickhouse.connect import connect
from otel_feedback.clickhouse.migrate import migrate
from otel_feedback.settings import Settings

USERS: Final = ("u", "v")
PACE_SECONDS: Final = 0.15
ERASE: Final = [sys.executable, "-m", "otel_feedback.cli", "erase", *(f"--user={user}" for user in USERS), "--yes"]
DAY: Final = 86_400 * SECOND


def test_a_killed_erasure_is_completed_by_the_next(tmp_path: Path):
    data_dir = tmp_path / "data"
    url = f"chdb://{data_dir / 'clickhouse'}"
    # In a process of its own, since one can hold one embedded database.
    made = subprocess.run([sys.executable, "-m", "tests.faults.test_kill_erase", url], check=False)
    assert made.returncode == 0
    delay_seconds = 0.5
    kills = 0
    while True:
        with subprocess.Popen(ERASE, env=service_environment(data_dir), stdout=subprocess.PIPE) as process:
            try:
                process.wait(delay_seconds)
            except subprocess.TimeoutExpired:
                process.kill()
                kills += 1
        if process.returncode == 0:
            break
        delay_seconds += PACE_SECONDS
    assert kills > 3
    again = json.loads(otel_feedback(data_dir, *ERASE[3:], "--format", "json").stdout)
    assert again["total"] == 0
    left = "SELECT count() FROM otel_traces", "SELECT count() FROM deletions"
    for statement, rows in zip(left, (4, 0), strict=True):
        done = otel_feedback(data_dir, "sql", statement, "--format", "CSV")
        assert done.stdout == f"{rows}\n", done.stderr
    settings = "SELECT count() FROM system.tables WHERE create_table_query LIKE '%old_parts_lifetime%'"
    assert otel_feedback(data_dir, "sql", settings, "--format", "CSV").stdout == "0\n"
    assert b"bergamot" not in b"".join(path.read_bytes() for path in data_dir.rglob("*") if path.is_file())


def _fill(url: str) -> None:
    database = connect(url)
    migrate(database, Settings.load({}))
    calls = [Call(user=user, at=NOON + day * DAY, prompt="bergamot") for user in USERS for day in range(4)]
    others = [Call(user="other", at=NOON + day * DAY) for day in range(4)]
    store(database, *(call.request() for call in (*calls, *others)))
    store(database, *(Submission(call, id=f"id-{number}", rater="u").log() for number, call in enumerate(others)))
    assert everything(database)["otel_logs"]
    database.close()


if __name__ == "__main__":
    _fill(sys.argv[1])
