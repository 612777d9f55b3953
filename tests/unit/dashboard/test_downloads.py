import json
from datetime import UTC, datetime

import pytest

from otel_feedback.dashboard.downloads import defused, file_name, head, lines

ROW = {
    "TimeUnixNano": 1_779_999_960_000_000_007,
    "Comment": 'said "no",\nthen left',
    "Reasons": ["a", "ü"],
    "Value": -1.5,
}


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1+1", "\uff1d1", "\x00=1", "=cmd|'/c calc'!A1"],
)
def test_what_may_be_a_formula_is_text(text):
    assert defused(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "a=1", "1-1", "thanks :-)", "e@mail.example", "'=1"])
def test_other_text_is_as_it_was(text):
    assert defused(text) == text


def test_a_row_as_csv():
    assert head(ROW, "csv") == b"Time,Comment,Reasons,Value\r\n"
    written = '2026-05-28T20:26:00.000000007Z,"said ""no"",\nthen left","[""a"", ""ü""]",-1.5\r\n'
    assert lines([ROW], ROW, "csv") == written.encode()


def test_a_row_as_json():
    assert head(ROW, "jsonl") == b""
    (line,) = lines([ROW], ROW, "jsonl").decode().splitlines()
    assert json.loads(line) == {
        "Time": "2026-05-28T20:26:00.000000007Z",
        "Comment": ROW["Comment"],
        "Reasons": ["a", "ü"],
        "Value": -1.5,
    }


def test_a_lone_surrogate_breaks_no_file():
    assert lines([{"a": "\ud800"}], ["a"], "csv") == b"?\r\n"
    assert lines([{"a": "\ud800"}], ["a"], "jsonl") == b'{"a": "?"}\n'


def test_a_file_is_named_after_what_it_holds():
    now = datetime(2026, 11, 25, 23, 59, tzinfo=UTC)
    assert file_name("users", {"text": ""}, now, "csv") == "users-2026-11-25.csv"
    chosen = {"label": "negative", "text": '../"; x\r\n é', "range": "7d"}
    assert file_name("feedback", chosen, now, "jsonl") == "feedback-negative-x-7d-2026-11-25.jsonl"
    assert len(file_name("feedback", {"text": "x" * 1000}, now, "csv")) < 100
