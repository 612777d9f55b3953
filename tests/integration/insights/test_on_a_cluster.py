"""The statements of insights on two shards."""

from __future__ import annotations

from pathlib import Path

from tests.support.asking import asked_database

from otel_feedback.clickhouse import statements

PERIOD = ("--since", "2026-09-01", "--until", "2026-10-01")


def test_a_cluster_answers_every_command(tmp_path: Path):
    with asked_database("a cluster", tmp_path) as command:
        found = command("contrast", "--compare", "rated", *PERIOD)
        assert (found.returncode, found.stderr) == (0, "")
        assert found.stdout.startswith("1 rated and 0 not rated calls, of 1 people or conversations.")
        stored = command(
            "sql", "SELECT Position, JSONExtractUInt(Detail, 'cases') FROM insight_findings", "--format", "CSV"
        )
        assert stored.stdout == "0,1\n"
        trained = command("evaluator", "train", "--out", str(tmp_path / "judge"), *PERIOD)
        assert trained.returncode == 1
        assert "too little to learn from: 0 rated calls" in trained.stderr
        values = {
            "rater": "",
            "name": "",
            "service": "",
            "before": str(2**63 - 1),
            "trace": "",
            "span": "",
            "most": "9",
        }
        values |= {"since": "2026-09-01 00:00:00", "until": "2026-10-01 00:00:00"}
        given = [part for name, value in values.items() for part in ("--param", f"{name}={value}")]
        unrated = command("sql", statements.load("insights/evaluator_unrated.sql"), *given, "--format", "CSV")
        assert (unrated.returncode, unrated.stdout, unrated.stderr) == (0, "", "")
        done = command("export", "--format", "parquet", "--out", str(tmp_path / "rated"), *PERIOD)
        assert (done.returncode, done.stderr) == (0, "")
        verified = command("export", "verify", str(tmp_path / "rated"))
        assert (verified.returncode, verified.stderr) == (0, "")
