"""docs/languages.md: its programs run as they are, and what they send joins alike."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.support.foreign_exporters import SOURCES, go, java_target, javascript_modules
from tests.support.service import RunningService, running_service

DOCUMENT = Path(__file__).parents[2] / "docs" / "languages.md"
FOLDER = DOCUMENT.with_name("languages")
SECONDS = 300
JOINED = """
SELECT Name, Value, Label, Comment, Reasons, RaterId, Source, Scope, SessionId, Provider, RequestModel, ResponseModel,
       startsWith(ResponseId, 'chatcmpl-') AS HasId, InputTokens, OutputTokens, Prompt, Completion,
       ServiceName, Operation
FROM rated_llm_calls WHERE TraceId = {trace_id:String}
"""
CARRIERS = """
SELECT (SELECT count() FROM otel_traces WHERE TraceId = {trace_id:String} AND SpanName = 'user_feedback thumbs'
        AND notEmpty(`Links.SpanId`) AND `Events.Name` = ['gen_ai.evaluation.result']) AS Spans,
       (SELECT count() FROM otel_logs WHERE TraceId = {trace_id:String}) AS Logs,
       (SELECT uniqExact(EventId) FROM feedback_events WHERE TraceId = {trace_id:String}) AS Submissions
"""


def javascript(folder: Path) -> list[str | Path]:
    (folder / "node_modules").symlink_to(javascript_modules())
    return ["node", shutil.copy(FOLDER / "rate.mjs", folder)]


def java(_folder: Path) -> list[str | Path]:
    return ["java", "-cp", f"{java_target() / 'dependency'}/*", FOLDER / "Rate.java"]


def golang(folder: Path) -> list[str | Path]:
    go()  # told as missing where it is
    for path in (SOURCES / "go" / "go.mod", SOURCES / "go" / "go.sum", FOLDER / "rate.go"):
        shutil.copy(path, folder)
    subprocess.run(["go", "build", "-o", "rate", "."], cwd=folder, check=True, capture_output=True, timeout=SECONDS)
    return [folder / "rate"]


def curl(_folder: Path) -> list[str | Path]:
    return ["sh", FOLDER / "rate.sh"]


PROGRAMS: dict[str, Callable[[Path], list[str | Path]]] = {
    "rate.mjs": javascript,
    "Rate.java": java,
    "rate.go": golang,
    "rate.sh": curl,
}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    with running_service(tmp_path_factory.mktemp("languages") / "data") as service:
        yield service


@pytest.mark.parametrize("name", list(PROGRAMS))
def test_a_program_of_any_language_makes_calls_and_ratings_that_join(
    service: RunningService, tmp_path: Path, name: str
):
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    done = subprocess.run(
        PROGRAMS[name](tmp_path),
        cwd=tmp_path,
        env={**kept, "OTEL_EXPORTER_OTLP_ENDPOINT": service.http},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    trace_id = done.stdout.strip()
    assert service.wait_for_rows(JOINED, trace_id=trace_id) == [
        {
            "Name": "thumbs",
            "Value": 0,
            "Label": "negative",
            "Comment": "There was none.",
            "Reasons": ["wrong"],
            "RaterId": "u-7",
            "Source": "end_user",
            "Scope": "span",
            "SessionId": "conversation-42",
            "Provider": "openai",
            "RequestModel": "gpt-4o-mini",
            "ResponseModel": "gpt-4o-mini-2024-07-18",
            "HasId": 1,
            "InputTokens": 12,
            "OutputTokens": 6,
            "Prompt": "Which bread is left?",
            "Completion": "Two loaves of rye.",
            "ServiceName": "bakery-chat",
            "Operation": "chat",
        }
    ]
    both = "SELECT 1 FROM otel_logs, otel_traces WHERE otel_logs.TraceId = {trace_id:String} AND otel_traces.TraceId = {trace_id:String} AND SpanName LIKE 'user_feedback%'"  # noqa: E501  # one query
    service.wait_for_rows(both, trace_id=trace_id)
    assert service.sql(CARRIERS, trace_id=trace_id) == [{"Spans": 1, "Logs": 1, "Submissions": 1}]


def test_every_program_is_there_and_sends_every_attribute_of_the_table():
    text = DOCUMENT.read_text()
    assert set(re.findall(r"\]\(languages/([\w.]+)\)", text)) == set(PROGRAMS)
    assert {path.name for path in FOLDER.iterdir()} == set(PROGRAMS)
    attributes = re.findall(r"^\| `([\w.]+)` \|", text, re.MULTILINE)
    assert len(attributes) == 10
    for name in PROGRAMS:
        for attribute in attributes:
            assert f'"{attribute}"' in (FOLDER / name).read_text(), (name, attribute)
