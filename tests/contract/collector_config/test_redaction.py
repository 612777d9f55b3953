"""No prompt, no answer and nobody's id gets past the Collector, of any dialect; models, tokens and ratings do."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from tests.support.collector_config import configured_collector
from tests.support.dialects import FOLDER, recorded
from tests.support.rated_app import Plan, run_app
from tests.support.ratings import Call, Submission
from tests.support.service import RunningService, running_service
from tests.support.traffic import send_all, wait_until_written

SECRET = "a secret of ours"
EXPLANATION = "gen_ai.evaluation.explanation"
CORRECTION = "otel_feedback.correction"
CONTENTS = "SystemInstructions, InputMessages, OutputMessages, Prompt, Completion"
FIGURES = "Dialect, RequestModel, ResponseModel, InputTokens, OutputTokens, Temperature, PromptName, PromptVersion"
DIALECTS = sorted(path.stem for path in FOLDER.glob("*.json"))
KEEPS_TEXTS = """\
service:
  pipelines:
    traces: {processors: [memory_limiter, redaction/mask_personal, transform/hash_people]}
    logs: {processors: [memory_limiter, redaction/mask_personal, transform/hash_people]}
"""
PERSONAL = (
    "Mail ann.o'neil+x@mail.example.org, card 4111 1111 1111 1111, DE89 3704 0044 0532 0130 00, +49 (0)30 123456-78"
)


def pseudonym(person: str) -> str:
    return hashlib.sha256(f"{SECRET}{person}".encode()).hexdigest()


def texts(service: RunningService) -> str:
    """Everything that is stored, as one text."""
    tables = ("otel_traces", "otel_logs", "llm_call_spans", "llm_call_messages", "feedback_events")
    return "\n".join(str(service.sql(f"SELECT * FROM {table}")) for table in tables)  # noqa: S608  # our own names


def send_dialects(address: str) -> int:
    """Every recorded dialect; the spans that were sent."""
    spans = 0
    for name in DIALECTS:
        traces, logs = recorded(name)
        sent = [("traces", traces.SerializeToString())]
        if logs.resource_logs:
            sent.append(("logs", logs.SerializeToString()))
        send_all(address, sent)
        spans += sum(len(scope.spans) for each in traces.resource_spans for scope in each.scope_spans)
    return spans


def calls(service: RunningService, columns: str) -> list[dict[str, object]]:
    return service.sql(f"SELECT {columns} FROM llm_calls ORDER BY TraceId, SpanId")  # noqa: S608  # our own names


def test_of_every_dialect_the_figures_stay_and_the_contents_go(tmp_path: Path):
    with running_service(tmp_path / "plain") as plain:
        spans = send_dialects(plain.grpc)
        plain.wait_for_rows("SELECT 1 FROM otel_traces", spans)
        wait_until_written(plain)
        expected, said = calls(plain, f"TraceId, {FIGURES}"), calls(plain, CONTENTS)
    assert len(expected) > 50
    known = {str(row["Prompt"]) for row in said if row["Prompt"]} | {
        str(row["Completion"]) for row in said if row["Completion"]
    }
    assert len(known) > 5
    with (
        running_service(tmp_path / "redacted") as service,
        configured_collector("redaction.yaml", tmp_path, {"OTEL_FEEDBACK_OTLP": service.http}) as collector,
    ):
        send_dialects(collector.grpc)
        service.wait_for_rows("SELECT 1 FROM otel_traces", spans)
        collector.stop()
        wait_until_written(service)
        assert calls(service, f"TraceId, {FIGURES}") == expected
        finished = {row["FinishReason"] for row in calls(service, "FinishReason")}
        assert finished >= {"stop", "length"}  # but for calls that tell it inside of their messages alone
        left = calls(service, CONTENTS)
        assert {row[name] for row in left for name in ("SystemInstructions", "Prompt", "Completion")} == {""}
        # Of messages that came in pieces roles stay, and why an answer ended.
        assert all('"parts":[{' not in str(row[name]) for row in left for name in ("InputMessages", "OutputMessages"))
        stored = texts(service)
        assert [text for text in known if len(text) > 8 and text in stored] == []


@pytest.mark.parametrize("keeps_texts", [False, True])
def test_people_are_hashed_alike_on_spans_and_ratings_and_what_looks_personal_is_masked(
    tmp_path: Path, keeps_texts: bool
):
    merged = tmp_path / "keeps-texts.yaml"
    merged.write_text(KEEPS_TEXTS)
    with running_service(tmp_path / "data") as service:
        environment = {"OTEL_FEEDBACK_OTLP": service.http, "PEOPLE_SECRET": SECRET}
        merge = [merged] if keeps_texts else []
        with configured_collector("redaction.yaml", tmp_path, environment, merge) as collector:
            run_app(collector.http, Plan(answers=2, rated=(0,), prompt=PERSONAL, comment=f"No! {PERSONAL}"))
            call = Call(user="ann", session="+44 20 79460000")
            also = {EXPLANATION: PERSONAL, CORRECTION: "see https://example.org/orders/4711"}
            rating = Submission(call, rater="ann", also=also)
            send_all(
                collector.grpc,
                [("traces", call.request().SerializeToString()), ("logs", rating.log().SerializeToString())],
            )
            rows = service.wait_for_rows("SELECT * FROM rated_llm_calls ORDER BY Comment", 2)
            service.wait_for_rows("SELECT 1 FROM otel_traces", 2 * 4 + 1 + 1)
            stored = texts(service)
        for secret in ("ann.o", "mail.example.org", "4111", "0532", "123456", "user-0", "'ann'"):
            assert secret not in stored, secret
        shown, told = rows
        assert (shown["Comment"], told["Comment"]) == (f"Mail {MASKED}", f"No! Mail {MASKED}")
        assert shown["Correction"] == "see https://example.org/orders/4711"
        assert shown["SessionId"] == "+44 20 79460000", "ids are no texts"
        assert (
            {row["RaterId"] for row in rows}
            == {row["UserId"] for row in rows}
            == {pseudonym("ann"), pseudonym("user-0")}
        )
        assert told["Prompt"] == (f"Mail {MASKED}" if keeps_texts else "")


MASKED = "****, card ****, ****, ****"
