"""What a question file promises, and how values are read."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from otel_feedback.clickhouse import questions
from otel_feedback.clickhouse.filled import body_of, filled
from otel_feedback.clickhouse.questions import Parameter
from otel_feedback.errors import UsageError

NOW = datetime(2026, 11, 25, 12, 30, 15, 999_999, tzinfo=UTC)
MOMENT = Parameter("since", "DateTime('UTC')", "30d", "calls from this moment on", "2026-11-01")
NUMBER = Parameter("days", "UInt16", "7", "days that are compared", "14")
TEXT = Parameter("prices", "String", "{}", "prices", '{"gpt-4o": [2.5, 10]}')


@pytest.mark.parametrize("name", questions.names())
def test_every_question_is_one_bounded_statement_with_a_comment(name: str):
    question = questions.load(name)
    body = body_of(question.statement)
    assert question.asks.endswith("?")
    assert question.asks[0].islower()
    assert "$" not in question.statement
    assert ";" not in body
    assert max(map(len, question.statement.splitlines())) <= 120
    assert {"since", "until"} <= {each.name for each in question.parameters} or "days" in body
    reads = re.findall(r"FROM (?:llm_calls|rated_llm_calls|feedback)\b(?! AS)", body)
    reads += re.findall(r"FROM llm_calls AS call\b", body)
    bounds = re.findall(r"Time(?:stamp)? < \{", body)
    assert len(bounds) == len(reads) >= 1
    assert body.count("Source = 'end_user'") == len(re.findall(r"FROM (?:rated_llm_calls|feedback)\b", body))


@pytest.mark.parametrize("name", questions.names())
def test_defaults_and_examples_can_be_read(name: str):
    for parameter in questions.load(name).parameters:
        assert parameter.read(parameter.example, NOW)
        assert parameter.default is None or parameter.read(parameter.default, NOW) is not None


@pytest.mark.parametrize(
    ("typed", "moment"),
    [
        ("now", "2026-11-25 12:30:16"),
        ("90m", "2026-11-25 11:00:16"),
        ("12h", "2026-11-25 00:30:16"),
        ("30d", "2026-10-26 12:30:16"),
        ("2w", "2026-11-11 12:30:16"),
        ("2026-11-01", "2026-11-01 00:00:00"),
        ("2026-11-01T09:30", "2026-11-01 09:30:00"),
        ("2026-11-01 09:30:07", "2026-11-01 09:30:07"),
        ("2026-11-01T09:30:00Z", "2026-11-01 09:30:00"),
        ("2026-11-01T00:30+02:00", "2026-10-31 22:30:00"),
        ("1970-01-01", "1970-01-01 00:00:00"),
    ],
)
def test_a_moment_is_read(typed: str, moment: str):
    assert MOMENT.read(typed, NOW) == moment


@pytest.mark.parametrize(
    "typed",
    ["", "d", "-1d", "30", "30 d", "1y", "1.5h", "999999w", "2026-13-01", "tomorrow", "1969-12-31", "2200-01-01"],
)
def test_what_is_no_moment_is_refused(typed: str):
    with pytest.raises(UsageError, match=r"^since=.* is no DateTime\('UTC'\): calls .* Example: --param since=2026"):
        MOMENT.read(typed, NOW)


def test_a_number_has_the_range_of_its_type():
    assert NUMBER.read("65535", NOW) == "65535"
    for typed in ("65536", "-1", "1.5", "", " 7", "\u0667"):
        with pytest.raises(UsageError, match=r"^days=.* is no UInt16: days that are compared\. Example"):
            NUMBER.read(typed, NOW)


def test_an_example_can_be_pasted_into_a_shell():
    assert NUMBER.as_typed() == "--param days=14"
    assert TEXT.as_typed() == """--param 'prices={"gpt-4o": [2.5, 10]}'"""


def test_a_value_stands_in_sql_as_its_type_asks():
    places = "{m:DateTime('UTC')}, {n:UInt32}, {t:String}, {l:Array(String)}"
    statement = f"-- Question: what is it?\n-- Cost: none.\nSELECT {places}"
    values = {"m": "2026-11-01 00:00:00", "n": 14, "t": "it's \\ {n:UInt32}", "l": ["a", "b'"]}
    assert filled(statement, values) == (
        "-- What is it?\nSELECT toDateTime('2026-11-01 00:00:00', 'UTC'), 14, 'it\\'s \\\\ {n:UInt32}', ['a', 'b\\'']"
    )
    with pytest.raises(KeyError):
        filled(statement, {})
