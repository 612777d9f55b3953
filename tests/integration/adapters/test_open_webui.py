"""An export in the shape of Open WebUI's table ``feedback``, through real exporters into a running service."""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.service import RunningService, running_service

import otel_feedback
from otel_feedback.adapters.open_webui import import_feedback, ratings_of
from otel_feedback.testing import RecordedFeedback

BIN = Path(sys.executable).parent
MODULE = "otel_feedback.adapters.open_webui"


def row(**parts: Any) -> dict[str, Any]:
    """One thumb down with all that Open WebUI's page asks for."""
    whole: dict[str, Any] = {
        "id": str(uuid.uuid4()),
        "user_id": f"user-{uuid.uuid4()}",
        "version": 0,
        "type": "rating",
        "data": {
            "rating": -1,
            "model_id": "llama3.2:latest",
            "sibling_model_ids": ["qwen3:8b"],
            "reason": "not_factually_correct",
            "comment": "It is Canberra.",
            "tags": ["geography"],
            "details": {"rating": 2},
        },
        "meta": {
            "arena": False,
            "model_id": "llama3.2:latest",
            "chat_id": str(uuid.uuid4()),
            "message_id": str(uuid.uuid4()),
            "message_index": 2,
        },
        "snapshot": {"chat": {"title": "Capitals", "chat": {"messages": []}}},
        "created_at": 1_735_000_000,
        "updated_at": 1_735_000_050,
    }
    return whole | parts


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    with running_service(tmp_path_factory.mktemp("open-webui") / "data") as service:
        yield service


def run_import(service: RunningService, folder: Path, rows: Any) -> subprocess.CompletedProcess[str]:
    file = folder / "feedback-history-export.json"
    file.write_text(json.dumps(rows))
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    exporting = {"OTEL_EXPORTER_OTLP_ENDPOINT": service.http, "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"}
    command = [str(BIN / "opentelemetry-instrument"), sys.executable, "-m", MODULE, str(file)]
    return subprocess.run(
        command, env={**inherited, **exporting}, capture_output=True, text=True, check=False, timeout=120
    )


def test_an_export_is_in_sql_with_its_own_times_and_importing_it_again_adds_nothing(
    service: RunningService, tmp_path: Path
):
    document = (Path(__file__).parents[3] / "docs" / "chat-uis.md").read_text()
    assert f"\nopentelemetry-instrument python -m {MODULE} feedback-history-export.json\n" in document
    given, liked = row(), row(data={"rating": 1})
    rows = [given, liked, row(type="arena"), row(meta={})]
    for _ in range(2):
        done = run_import(service, tmp_path, rows)
        assert (done.returncode, done.stdout) == (0, "3 ratings sent; 2 rows held none\n"), done.stderr
    told = service.wait_for_rows(
        """SELECT Name, Value, Label, Comment, Reasons, ResponseId, SessionId, toUnixTimestamp(Time) AS Seconds,
                  Attributes['open_webui.model'] AS Model, Attributes['open_webui.sibling_models'] AS Siblings
           FROM feedback WHERE RaterId = {rater:String} ORDER BY Name""",
        2,
        rater=given["user_id"],
    )
    both = {
        "ResponseId": given["meta"]["message_id"],
        "SessionId": given["meta"]["chat_id"],
        "Seconds": 1_735_000_050,
        "Label": "negative",
        "Model": "llama3.2:latest",
        "Siblings": "qwen3:8b",
    }
    assert told == [
        {**both, "Name": "details", "Value": 2, "Comment": "", "Reasons": []},
        {**both, "Name": "thumbs", "Value": 0, "Comment": "It is Canberra.", "Reasons": ["not_factually_correct"]},
    ]
    service.wait_for_rows("SELECT 1 FROM feedback WHERE RaterId = {rater:String}", rater=liked["user_id"])
    assert service.sql("SELECT count() AS Submissions FROM feedback_events") == [{"Submissions": 3}]


def test_a_rating_that_was_changed_meanwhile_replaces_the_one_that_was_imported(
    service: RunningService, tmp_path: Path
):
    before = row()
    changed = copy.deepcopy(before) | {"data": {"rating": 1}, "updated_at": before["updated_at"] + 60}
    assert run_import(service, tmp_path, [before]).returncode == 0
    assert run_import(service, tmp_path, [changed]).returncode == 0
    query = "SELECT Value FROM feedback WHERE Name = 'thumbs' AND Value = 1 AND RaterId = {rater:String}"
    service.wait_for_rows(query, rater=before["user_id"])
    named = "SELECT Name FROM feedback WHERE Name = 'thumbs' AND RaterId = {rater:String}"
    assert service.sql(named, rater=before["user_id"]) == [{"Name": "thumbs"}]


@pytest.mark.parametrize("content", [{"feedbacks": []}, ["thumbs"], [{"type": "rating"}, 5], [row(updated_at="now")]])
def test_what_is_no_export_is_refused_with_its_name(service: RunningService, tmp_path: Path, content: Any):
    done = run_import(service, tmp_path, content)
    assert (done.returncode, done.stdout) == (1, "")
    assert "feedback-history-export.json is no feedback export of Open WebUI" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"rating": "1"}, [("thumbs", 1.0)]),
        ({"rating": -1, "details": {"rating": None}}, [("thumbs", 0.0)]),
        ({"rating": None, "comment": "Nearly."}, [("thumbs", None)]),
        ({"rating": 0}, []),
        ({"rating": 1, "details": {"rating": 11}}, [("thumbs", 1.0)]),
        ({"rating": 1, "details": {"rating": 10}}, [("thumbs", 1.0), ("details", 10.0)]),
        ({}, []),
        (None, []),
    ],
)
def test_a_row_has_the_ratings_that_it_tells(data: Any, expected: list[tuple[str, float | None]]):
    assert [(rating.name, rating.value) for rating in ratings_of(row(data=data))] == expected


def test_without_a_message_the_chat_is_rated(recorded_feedback: RecordedFeedback):
    import_feedback([row(meta={"chat_id": "chat-1"}, data={"rating": 1})])
    assert (recorded_feedback.rating().target.scope, recorded_feedback.rating().session) == ("session", "chat-1")


def test_what_is_imported_is_as_private_as_what_is_recorded(
    monkeypatch: pytest.MonkeyPatch, recorded_feedback: RecordedFeedback
):
    monkeypatch.setenv("OTEL_FEEDBACK_CAPTURE_COMMENTS", "false")
    monkeypatch.setenv("OTEL_FEEDBACK_PSEUDONYM_KEY", "a secret")
    given = row()
    import_feedback([given, row(data={"rating": None, "comment": "Only a comment."})])
    thumbs, details = recorded_feedback.ratings
    assert (thumbs.comment, thumbs.value, details.value) == ("", 0.0, 2.0)
    assert {thumbs.rater, details.rater} == {otel_feedback.pseudonym(given["user_id"])}
