"""``otel-feedback alert`` over a real service: what begins and ends is kept once."""

from __future__ import annotations

import json
from pathlib import Path

from tests.support.commands import otel_feedback
from tests.support.service import running_service


def test_an_alert_begins_and_ends(tmp_path: Path):
    data_dir = tmp_path / "data"

    def look(*more: str) -> tuple[int, list[tuple[str, str]]]:
        done = otel_feedback(data_dir, "alert", "--format", "json", *more)
        assert done.returncode < 2, done.stderr
        changes = json.loads(done.stdout)["changes"]
        return done.returncode, [(each["status"], each["alert"]) for each in changes]

    with running_service(data_dir) as service:
        assert look() == (0, [])
        service.stop()
        assert look("--dry-run") == (1, [("firing", "OtelFeedbackDown")])
        assert look() == (1, [("firing", "OtelFeedbackDown")])
        assert look() == (1, [])
        service.start()
        assert look() == (0, [("resolved", "OtelFeedbackDown")])
        assert look() == (0, [])
    assert otel_feedback(data_dir, "alert", "--every", "soon").returncode == 2


def test_what_the_webhook_did_not_take_is_told_again(tmp_path: Path):
    data_dir = tmp_path / "data"
    secret = tmp_path / "key"
    secret.write_text("a-secret\n")
    with running_service(data_dir) as service:
        service.stop()
        # The service's own port, where nobody listens now; a refusal of the connection is tried five times.
        gone = otel_feedback(data_dir, "alert", "--webhook", f"{service.http}/hook", "--secret-file", str(secret))
        assert gone.returncode == 2
        assert "did not take the alert in 5 tries" in gone.stderr
        assert "a-secret" not in gone.stdout + gone.stderr
        assert "/hook" not in gone.stderr
        again = otel_feedback(data_dir, "alert", "--format", "json")
        assert json.loads(again.stdout)["changes"][0]["status"] == "firing"
        service.start()
